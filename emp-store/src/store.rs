//! The store's contract: what every store does, and the promises that the conformance suite holds it to.

mod change;
mod options;

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use emp_core::Timestamp;
use emp_core::health::Health;
use emp_core::job::{Call, Event, Job, JobId, JobState, WorkerId};
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use change::{Answer, Change, ClaimKey, Finish, Release, Write};
pub use options::{Bounds, Retention, StoreOptions};

/// Where jobs live.
///
/// Every write of a claim's holder goes through [`Store::write`] and carries the claim's nonce, which the store compares for equality
/// in the same transaction: a zombie changes nothing (P5). Every write is safe to repeat (P6).
#[async_trait]
pub trait Store: Send + Sync + std::fmt::Debug {
    /// Takes a job in. With an idempotency key it is exact: same key and body is the same job (P16).
    async fn enqueue(&self, job: NewJob) -> Result<Enqueued, StoreError>;

    /// Claims up to `max` jobs from the lanes that the worker matches, best first (P13).
    async fn claim(&self, request: ClaimRequest) -> Result<Vec<Job>, StoreError>;

    /// Applies changes of claimed jobs, in order, one answer each. One durable commit for all of them.
    async fn write(&self, writes: Vec<Write>) -> Result<Vec<Answer>, StoreError>;

    /// Records a wish to cancel (P15).
    async fn cancel(&self, id: &JobId, by: &str, reason: Option<&str>) -> Result<CancelAnswer, StoreError>;

    /// The service has called our webhook for a job: its holder is told with the next renewal, and finds what the call says in the
    /// record. A call that was heard before changes nothing. `false` when there is no such job, nothing of it was sent, or it has
    /// ended.
    async fn nudge(&self, id: &JobId, call: Option<Call>) -> Result<bool, StoreError>;

    /// Takes back the jobs of workers whose lease has lapsed (P8); says how many. Any worker calls it, now and then.
    async fn reap(&self) -> Result<usize, StoreError>;

    /// A job.
    async fn get(&self, id: &JobId) -> Result<Option<Job>, StoreError>;

    /// Jobs, newest first.
    async fn list(&self, query: ListQuery) -> Result<Page, StoreError>;

    /// The events of a job after a sequence number, oldest first; `None` when there is no such job.
    async fn events(&self, id: &JobId, after: u64) -> Result<Option<Vec<Event>>, StoreError>;

    /// Says that a worker is alive, and what it is and does.
    async fn announce(&self, worker: WorkerStatus) -> Result<(), StoreError>;

    /// Takes a worker that stops out of the list.
    async fn retire(&self, worker: &WorkerId) -> Result<(), StoreError>;

    /// The workers that were heard of lately.
    async fn workers(&self) -> Result<Vec<WorkerStatus>, StoreError>;

    /// How many jobs there are of each service and state.
    async fn counts(&self) -> Result<BTreeMap<String, BTreeMap<JobState, u64>>, StoreError>;

    /// Waits until something may have changed: a job came, a cancel was asked, an event was written. A hint only: it may come late
    /// or for nothing, and callers look again at least once a second anyway (P17).
    async fn changed(&self);

    /// The store's clock.
    fn now(&self) -> Timestamp;
}

/// A job to take in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NewJob {
    /// The service that it asks for.
    pub service: String,
    /// What it asks of the service.
    pub payload: Value,
    /// 0 to 9; 9 goes first.
    pub priority: u8,
    /// What a worker must have to claim it.
    pub labels: BTreeMap<String, String>,
    /// The client's key.
    pub idempotency_key: Option<String>,
}

/// What became of an enqueue.
#[derive(Clone, Debug, PartialEq)]
pub enum Enqueued {
    /// A new job.
    New(Job),
    /// The job that came with the same key and body before.
    Replayed(Job),
    /// The key was used for another body.
    KeyConflict {
        /// The job that has the key.
        job: JobId,
    },
}

/// What a worker asks for.
#[derive(Clone, Debug)]
pub struct ClaimRequest {
    /// Who asks.
    pub worker: WorkerId,
    /// The services that it has free slots for, with how many jobs of each.
    pub services: BTreeMap<String, usize>,
    /// What it has; a lane matches when its every label is among these.
    pub labels: BTreeMap<String, String>,
    /// The connectors that it has. A job that one of them has begun at the service is claimed by nobody who lacks it.
    pub connectors: BTreeSet<String>,
    /// At most so many in all.
    pub max: usize,
}

/// What became of a wish to cancel.
#[derive(Clone, Debug, PartialEq)]
pub enum CancelAnswer {
    /// Recorded: from now on the job can only end `cancelled`. The job as it is after that.
    Recorded(Job),
    /// It had ended before. The job as it is.
    TooLate(Job),
    /// There is no such job.
    NotFound,
}

/// Which jobs to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListQuery {
    /// Only these states; empty means all.
    pub states: Vec<JobState>,
    /// Only this service.
    pub service: Option<String>,
    /// Only jobs with these labels.
    pub labels: BTreeMap<String, String>,
    /// Only jobs that arrived before this one: the `next` of the page before.
    pub before: Option<u64>,
    /// At most so many, up to 200.
    pub limit: usize,
}

impl ListQuery {
    /// How many jobs a page may have.
    pub(crate) fn page_size(&self) -> usize {
        self.limit.clamp(1, 200)
    }

    /// A job is one of those asked for, wherever it stands in the order.
    pub(crate) fn wants(&self, job: &Job) -> bool {
        (self.states.is_empty() || self.states.contains(&job.state))
            && self.service.as_ref().is_none_or(|service| *service == job.service)
            && self.labels.iter().all(|(name, value)| job.labels.get(name) == Some(value))
    }
}

/// A page of jobs.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    /// The jobs, newest first.
    pub jobs: Vec<Job>,
    /// Where the next page begins, when there is one.
    pub next: Option<u64>,
}

impl Page {
    /// A page of at most `limit` jobs, from a list that has one more where there is a next page.
    pub(crate) fn cut(mut jobs: Vec<Job>, limit: usize) -> Self {
        let more = jobs.len() > limit;
        jobs.truncate(limit);
        let next = jobs.last().filter(|_| more).map(|job| job.arrival);
        Self { jobs, next }
    }
}

/// What a worker says of itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct WorkerStatus {
    /// This start of it.
    pub id: WorkerId,
    /// Its entry in the mapping, a label.
    pub name: String,
    /// Version of this software.
    pub version: String,
    /// The machine's name.
    pub host: String,
    /// The process.
    pub pid: u32,
    /// What it has for labels.
    pub labels: BTreeMap<String, String>,
    /// The services that it offers.
    pub services: Vec<ServiceStatus>,
    /// The connectors that it has: those of its services, and those whose begun jobs it can go on with.
    #[serde(default)]
    pub connectors: BTreeSet<String>,
    /// How many jobs it can have.
    pub slots: usize,
    /// The jobs that it has.
    pub running: Vec<JobId>,
    /// It takes no more jobs.
    pub draining: bool,
    /// When it started.
    pub started_at: Timestamp,
    /// When it last said so, by the store's clock; set by the store.
    #[serde(default)]
    pub seen_at: Timestamp,
}

/// A service that a worker offers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ServiceStatus {
    /// The service.
    pub service: String,
    /// The connector that it does it with.
    pub connector: String,
    /// Version of the connector.
    pub version: String,
    /// How it is, as this worker sees it.
    pub health: Health,
}

/// A store that cannot do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// It is not there, or does not answer; the same call may be repeated.
    #[error("E_STORE_DOWN: {0}")]
    Down(String),
    /// No room on the disk: nothing new is taken in. Finishing goes on.
    #[error("E_STORE_FULL: {0}")]
    Full(String),
    /// Too many jobs of the service wait already: another one is taken in when some of them are done.
    #[error("E_QUEUE_FULL: {0}")]
    Crowded(String),
    /// It was done, but too few other servers have it: the same call may be repeated, and tells the truth about the same job.
    #[error("E_NOT_REPLICATED: {0}")]
    Unreplicated(String),
    /// It holds what it should not.
    #[error("E_STORE_CORRUPT: {0}")]
    Corrupt(String),
    /// It was made by another version of this software, or is not a store.
    #[error("E_STORE_VERSION: {0}")]
    Version(String),
    /// Its server would lose jobs.
    #[error("E_STORE_UNSAFE: {0}")]
    Unsafe(String),
    /// Its server came back without its data.
    #[error("E_STORE_RESET: {0}")]
    Reset(String),
    /// The URL given with `--store` names nothing that can be opened.
    #[error("E_STORE_URL: {0}")]
    Url(String),
}
