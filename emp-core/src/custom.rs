//! `#[connector(custom)]`: a protocol that no declaration covers, as one async function.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;

use crate::connector::Connector;
use crate::error::{ErrorCode, JobError};
use crate::job::{JobId, Progress, ServiceJob};
use crate::time::Timestamp;

/// A connector with a protocol of its own.
///
/// `run` is called for a new job and again, by any worker, for a job whose worker died: when
/// [`JobContext::service_job`] is there, the work is already at the far side and must not be started again.
pub trait CustomConnector: Connector {
    /// Does one job and gives its result.
    fn run(&self, job: JobContext<'_>) -> impl Future<Output = Result<Value, JobError>> + Send;
}

/// What a custom connector may do to the world while it runs.
pub struct JobContext<'a> {
    host: &'a dyn JobHost,
}

impl<'a> JobContext<'a> {
    /// A context over a host; the engine makes it.
    pub fn new(host: &'a dyn JobHost) -> Self {
        Self { host }
    }

    /// The job's id.
    pub fn job_id(&self) -> &JobId {
        self.host.job_id()
    }

    /// Which attempt this is, from 1.
    pub fn attempt(&self) -> u32 {
        self.host.attempt()
    }

    /// What the client asked for.
    pub fn payload(&self) -> &Value {
        self.host.payload()
    }

    /// The payload as a type; a payload that does not fit fails the job as `E_INVALID_INPUT`.
    pub fn payload_as<T: serde::de::DeserializeOwned>(&self) -> Result<T, JobError> {
        serde_json::from_value(self.payload().clone()).map_err(|error| {
            JobError::new(ErrorCode::EInvalidInput, format!("the payload does not fit: {error}"))
        })
    }

    /// The job at the far side, when an earlier run saved one.
    pub fn service_job(&self) -> Option<ServiceJob> {
        self.host.service_job()
    }

    /// Says durably that a submit is about to be sent. Call it before the first byte leaves; after a crash between this and
    /// [`save_service_job`](Self::save_service_job) the job becomes `uncertain` instead of being paid for twice.
    pub async fn about_to_submit(&self) -> Result<(), JobError> {
        self.host.about_to_submit().await
    }

    /// Stores the job at the far side, durably, before this returns.
    pub async fn save_service_job(
        &self,
        id: &str,
        captured: serde_json::Map<String, Value>,
    ) -> Result<(), JobError> {
        self.host.save_service_job(id, captured).await
    }

    /// Reports how far the job is.
    pub fn progress(&self, progress: Progress) {
        self.host.progress(progress);
    }

    /// Now, by a clock that tests can hold still.
    pub fn now(&self) -> Timestamp {
        self.host.now()
    }

    /// Waits. Fails as `E_CANCELLED` as soon as the job is cancelled or must be handed over, so pass the error on with `?`.
    pub async fn sleep(&self, duration: Duration) -> Result<(), JobError> {
        self.host.sleep(duration).await
    }
}

/// What the engine offers to a custom connector.
#[async_trait]
pub trait JobHost: Send + Sync {
    /// The job's id.
    fn job_id(&self) -> &JobId;
    /// Which attempt this is, from 1.
    fn attempt(&self) -> u32;
    /// What the client asked for.
    fn payload(&self) -> &Value;
    /// The job at the far side, when one is saved.
    fn service_job(&self) -> Option<ServiceJob>;
    /// Stores the intent.
    async fn about_to_submit(&self) -> Result<(), JobError>;
    /// Stores the job at the far side.
    async fn save_service_job(
        &self,
        id: &str,
        captured: serde_json::Map<String, Value>,
    ) -> Result<(), JobError>;
    /// Reports progress.
    fn progress(&self, progress: Progress);
    /// Now.
    fn now(&self) -> Timestamp;
    /// Waits, unless the job is to stop.
    async fn sleep(&self, duration: Duration) -> Result<(), JobError>;
}

/// The object-safe face of [`CustomConnector`]; implemented for every one of them.
#[async_trait]
pub trait CustomRunner: Send + Sync {
    /// Does one job and gives its result.
    async fn run_job(&self, job: JobContext<'_>) -> Result<Value, JobError>;
}

#[async_trait]
impl<C: CustomConnector> CustomRunner for C {
    async fn run_job(&self, job: JobContext<'_>) -> Result<Value, JobError> {
        self.run(job).await
    }
}

/// The runner of a custom connector; generated code calls it.
#[doc(hidden)]
pub fn runner<C: CustomConnector>(connector: Arc<C>) -> Arc<dyn CustomRunner> {
    connector
}
