//! One job under way: what the engine remembers of it between two steps, and what it says after each.

use std::sync::Arc;
use std::time::Duration;

use emp_core::JobError;
use emp_core::connector::Loaded;
use emp_core::error::Billed;
use emp_core::job::{Job, UpstreamCancel};
use serde_json::{Map, Value};

use crate::drive::Teller;
use crate::drive::prepare::Steps;
use crate::exchange::Exchange;
use crate::limits::{Place, Seat, Service};
use crate::memory::Memory;
use crate::port::{JobPort, Stop};

/// A job under way. Whoever works on it owns it: a task while a request is under way, the wheel while it waits.
pub struct Run {
    /// The job as it was claimed, with what has been stored since.
    pub job: Job,
    /// The connector that does it.
    pub connector: Arc<Loaded>,
    /// The claim's side.
    pub port: Arc<dyn JobPort>,
    /// What the polls so far have told.
    pub memory: Memory,
    /// How far its prepare steps are.
    pub(crate) steps: Steps,
    /// What it shares with the other jobs of its service, once the engine has looked it up.
    pub(crate) service: Option<Arc<Service>>,
    /// Its place among the service's jobs in flight, from the submit to the end of the run.
    pub(crate) place: Option<Place>,
    /// What its chunks have told.
    pub(crate) teller: Teller,
    /// The one answer of a synchronous service whose result could not be stored yet: it cannot be asked for again.
    pub(crate) held: Option<Exchange>,
    /// Where the service may call for news of this job.
    pub(crate) webhook: Option<String>,
    /// What became of a cancel that was sent while the submit was open.
    pub(crate) cancelled: Option<UpstreamCancel>,
    /// Its place among the jobs that one batch asks after.
    pub(crate) seat: Option<Seat>,
}

impl Run {
    /// A run that nobody has worked on. [`Engine::start`](crate::Engine::start) makes one and finds its service's limits.
    pub fn new(job: Job, connector: Arc<Loaded>, port: Arc<dyn JobPort>) -> Self {
        Self {
            job,
            connector,
            port,
            memory: Memory::default(),
            steps: Steps::default(),
            service: None,
            place: None,
            teller: Teller::default(),
            held: None,
            webhook: None,
            cancelled: None,
            seat: None,
        }
    }
}

impl Run {
    /// Why a result that is paid for, and only here, could not be stored yet. Whoever gives such a job back loses it: the next
    /// owner would have to pay again.
    pub fn kept_out(&self) -> Option<JobError> {
        self.held.as_ref()?;
        self.connector.spec.http().filter(|http| self.submit_of(http).billable)?;
        let error = self.memory.collecting.error.clone()?.billed(Billed::Yes);
        Some(match &self.service {
            Some(service) => service.scrubber.error(error),
            None => error,
        })
    }
}

impl std::fmt::Debug for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Run")
            .field("job", &self.job.id)
            .field("phase", &self.job.phase)
            .finish_non_exhaustive()
    }
}

/// What comes next for a job after a step.
#[derive(Debug)]
pub enum Next {
    /// Nothing to do for so long: put the run on the wheel.
    Wait(Duration),
    /// It has ended, or this attempt has.
    End(End),
    /// The port said stop; nothing more was done.
    Stopped(Stop),
}

impl Next {
    /// The same for a job that the service has accepted: it may have been paid for, however it ends.
    pub(crate) fn paid(self) -> Self {
        match self {
            Self::End(End::Failed(error)) => Self::End(End::Failed(error.billed(Billed::Yes))),
            Self::End(End::Retry { error, after }) => {
                Self::End(End::Retry { error: error.billed(Billed::Yes), after })
            }
            next => next,
        }
    }
}

/// How a run ends.
#[derive(Debug, PartialEq)]
pub enum End {
    /// With a result.
    Succeeded {
        /// The result.
        result: Value,
        /// Declared facts about it.
        meta: Map<String, Value>,
    },
    /// For good.
    Failed(JobError),
    /// This attempt failed; another may follow after a while.
    Retry {
        /// Why.
        error: JobError,
        /// Not before.
        after: Duration,
    },
    /// Nothing was sent and the job is not to blame (limit, breaker, no connection): give it back for a while.
    GiveBack {
        /// Why, for the event.
        reason: String,
        /// Not before.
        after: Duration,
    },
    /// A submit's answer is lost and no rule settles it.
    Uncertain(JobError),
    /// Cancelled, and what became of it at the service.
    Cancelled(UpstreamCancel),
}
