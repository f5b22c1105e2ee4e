//! `#[connector(custom)]`: a protocol that no declaration covers, as one async function.

use std::any::Any;
use std::collections::BTreeSet;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

use crate::connector::Connector;
use crate::error::{ErrorCode, JobError};
use crate::job::{JobId, Progress, ServiceJob};
use crate::time::Timestamp;

/// A connector with a protocol of its own.
///
/// `run` is called for a new job and again, by any worker, for a job whose worker died: when
/// [`JobContext::service_job`] is there, the work is already at the far side and must not be started again.
pub trait CustomConnector: Connector {
    /// Does one job and gives its result. It is dropped where it waits when the job is cancelled or lost, so what it has started must
    /// end with what it holds.
    fn run(&self, job: JobContext<'_>) -> impl Future<Output = Result<Value, JobError>> + Send;

    /// Whether this machine has what the connector needs beside its environment: a program, a device. Without it the connector is
    /// shown as down, with the reason.
    fn ready(&self) -> impl Future<Output = Result<(), JobError>> + Send {
        async { Ok(()) }
    }
}

/// A file of a result, on its way to the output store.
#[derive(Clone, Debug)]
pub struct NewFile<'a> {
    /// What it should be called, without its number and its extension. What is not plain of it is left out.
    pub name: &'a str,
    /// Its media type, such as `image/png`.
    pub mime: &'a str,
    /// All of it.
    pub bytes: Vec<u8>,
}

/// A file of a result, in the output store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SavedFile {
    /// Its name.
    pub name: String,
    /// Where it is.
    pub url: String,
    /// Its media type.
    pub mime: String,
    /// Its size, bytes.
    pub bytes: u64,
    /// Its SHA-256, in hex.
    pub sha256: String,
}

/// A way out for a program; see [`JobContext::proxy`]. Closed when it is dropped.
pub struct Proxy {
    url: Url,
    refused: Arc<Mutex<BTreeSet<String>>>,
    _open: Box<dyn Any + Send + Sync>,
}

impl Proxy {
    /// A proxy that is open as long as `open` lives, and notes in `refused` whom it refused.
    pub fn new(url: Url, refused: Arc<Mutex<BTreeSet<String>>>, open: impl Any + Send + Sync) -> Self {
        Self { url, refused, _open: Box::new(open) }
    }

    /// Where it listens: `http://127.0.0.1:PORT`.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The places (`host:port`) that were asked for and may not be reached, up to a hundred.
    pub fn refused(&self) -> Vec<String> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

impl std::fmt::Debug for Proxy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Proxy").field("url", &self.url.as_str()).finish_non_exhaustive()
    }
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

    /// Keeps a file of the result in the output store, whole and durably, and gives what the result should say of it. The files of an
    /// attempt are numbered in the order of these calls, so a run after a crash puts the same files at the same places.
    pub async fn save_file(&self, file: NewFile<'_>) -> Result<SavedFile, JobError> {
        self.host.save_file(file).await
    }

    /// Opens a way out for a program that makes requests of its own, such as a browser: an HTTP proxy on loopback, open for as long as
    /// what this gives. It lets through to public addresses only, and to the private places `allow` (`host:port`) that the operator
    /// vouches for. Names are resolved there, once, and the connection goes to the address that was checked.
    pub async fn proxy(&self, allow: &[String]) -> Result<Proxy, JobError> {
        self.host.proxy(allow).await
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
    /// Keeps a file.
    async fn save_file(&self, file: NewFile<'_>) -> Result<SavedFile, JobError>;
    /// Opens a way out.
    async fn proxy(&self, allow: &[String]) -> Result<Proxy, JobError>;
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

    /// Whether this machine has what it needs.
    async fn is_ready(&self) -> Result<(), JobError> {
        Ok(())
    }
}

#[async_trait]
impl<C: CustomConnector> CustomRunner for C {
    async fn run_job(&self, job: JobContext<'_>) -> Result<Value, JobError> {
        self.run(job).await
    }

    async fn is_ready(&self) -> Result<(), JobError> {
        self.ready().await
    }
}

/// The runner of a custom connector; generated code calls it.
#[doc(hidden)]
pub fn runner<C: CustomConnector>(connector: Arc<C>) -> Arc<dyn CustomRunner> {
    connector
}
