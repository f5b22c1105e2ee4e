//! The engine: drives runs, one step at a time.
use std::sync::Arc;
use std::time::Duration;

use emp_core::connector::Loaded;
use emp_core::health::Health;
use emp_core::job::{Job, UpstreamCancel};

use crate::port::JobPort;
use crate::run::{Next, Run};

/// What an engine is made of.
#[derive(Clone, Debug, Default)]
pub struct EngineOptions {}

/// Does jobs as their connectors declare, over one gateway and with limits that all jobs of a service share.
#[derive(Debug)]
pub struct Engine {}

impl Engine {
    /// An engine.
    pub fn new(_options: EngineOptions) -> Arc<Self> {
        Arc::new(Self {})
    }

    /// Takes up a claimed job where its phase says. Sends nothing.
    pub fn start(&self, job: Job, connector: Arc<Loaded>, port: Arc<dyn JobPort>) -> Run {
        Run::new(job, connector, port)
    }

    /// Works on a run until it must wait, ends or must stop.
    pub async fn step(&self, _run: &mut Run) -> Next {
        Next::Wait(Duration::from_secs(1))
    }

    /// Cancels the job at the service, checks that it ended there, and says what became of it.
    pub async fn cancel(&self, _run: &mut Run) -> UpstreamCancel {
        UpstreamCancel::NotNeeded
    }

    /// Asks the service how it is.
    pub async fn health(&self, _connector: &Loaded) -> Health {
        Health::unknown()
    }

    /// For how long no job of this connector should be claimed, and why.
    pub fn paused(&self, _connector: &Loaded) -> Option<(Duration, String)> {
        None
    }
}
