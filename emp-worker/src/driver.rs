//! What the worker asks of the engine: a seam, so that its promises are tested without a network.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use emp_core::connector::Loaded;
use emp_core::health::Health;
use emp_core::job::{Job, UpstreamCancel};
use emp_engine::Engine;
use emp_engine::port::JobPort;
use emp_engine::run::{Next, Run};

/// Drives runs. [`Engine`] is the one outside of tests.
#[async_trait]
pub trait Driver: Send + Sync {
    /// Takes a claimed job up, where its phase says.
    fn start(&self, job: Job, connector: Arc<Loaded>, port: Arc<dyn JobPort>) -> Run;

    /// Works until the run waits, ends or must stop.
    async fn step(&self, run: &mut Run) -> Next;

    /// Cancels the run's job at the service and says what became of it there.
    async fn cancel(&self, run: &mut Run) -> UpstreamCancel;

    /// Tidies up at the service when the result of the run's job is stored.
    async fn clean_up(&self, _run: &mut Run) {}

    /// Asks the service how it is.
    async fn health(&self, connector: &Loaded) -> Health;

    /// For how long no job of this connector should be claimed, and why.
    fn paused(&self, connector: &Loaded) -> Option<(Duration, String)>;
}
#[async_trait]
impl Driver for Engine {
    fn start(&self, job: Job, connector: Arc<Loaded>, port: Arc<dyn JobPort>) -> Run {
        Self::start(self, job, connector, port)
    }

    async fn step(&self, run: &mut Run) -> Next {
        Self::step(self, run).await
    }

    async fn cancel(&self, run: &mut Run) -> UpstreamCancel {
        Self::cancel(self, run).await
    }

    async fn clean_up(&self, run: &mut Run) {
        Self::clean_up(self, run).await;
    }

    async fn health(&self, connector: &Loaded) -> Health {
        Self::health(self, connector).await
    }

    fn paused(&self, connector: &Loaded) -> Option<(Duration, String)> {
        Self::paused(self, connector)
    }
}
