//! `#[connector(custom)]`: the author's own protocol, with the same durable steps and contained when it panics.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use emp_core::custom::{JobContext, JobHost, NewFile, Proxy, SavedFile};
use emp_core::error::Billed;
use emp_core::job::{Intent, JobId, Phase, Progress, ServiceJob};
use emp_core::{ErrorCode, JobError, Timestamp};
use futures_util::FutureExt as _;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use tokio::time::sleep;

use super::store::{MAX_FILE, MAX_TOTAL, NO_OUTPUTS, too_large};
use super::submit::uncertain;
use crate::context;
use crate::engine::Engine;
use crate::gateway::Gateway;
use crate::key;
use crate::limits::{Held, Service, Trip};
use crate::outputs::{FileKey, FileName, MediaType, Outputs};
use crate::port::{JobPort, Stop};
use crate::run::{End, Next, Run};

/// For how long a submit of a custom connector may be under way after a stop.
const SUBMIT: Duration = Duration::from_mins(1);

impl Engine {
    pub(crate) async fn run_custom(&self, run: &mut Run, service: &Arc<Service>) -> Next {
        let Some(runner) = run.connector.custom.clone() else {
            let message = "the connector is custom, but has no `CustomConnector` implementation";
            return Next::End(End::Failed(JobError::new(ErrorCode::EInternal, message)));
        };
        match run.job.phase.unwrap_or(Phase::Prepared) {
            Phase::Submitting => {
                return Next::End(End::Uncertain(uncertain("the worker that sent it is gone")));
            }
            Phase::Prepared => match service.admit() {
                Ok(place) => run.place = Some(place),
                Err(Held { after, reason }) => return Next::End(End::GiveBack { reason, after }),
            },
            Phase::Submitted => {}
        }
        let host = Host::new(self, run);
        let work = AssertUnwindSafe(runner.run_job(JobContext::new(&host))).catch_unwind();
        tokio::pin!(work);
        let ended = tokio::select! {
            biased;
            ended = &mut work => Some(ended),
            stop = run.port.stopped() => {
                // A submit under way is let finish, so that its id is not lost; all else is dropped.
                if stop != Stop::Fenced && host.phase() == Phase::Submitting {
                    tokio::select! {
                        ended = &mut work => Some(ended),
                        () = host.left_submitting() => None,
                        () = sleep(SUBMIT) => None,
                    }
                } else {
                    None
                }
            }
        };
        host.write_back(&mut run.job);
        if ended.is_none() || run.port.stop().is_some_and(|stop| stop == Stop::Fenced) {
            service.breaker.withdraw();
            return Next::Stopped(run.port.stop().unwrap_or(Stop::HandOver));
        }
        match ended {
            Some(Ok(Ok(result))) => {
                service.breaker.success();
                Next::End(End::Succeeded { result, meta: Map::new() })
            }
            Some(Ok(Err(error))) => self.custom_failed(run, service, error),
            _ => {
                service.breaker.fault(Trip::Panics);
                let error = JobError::new(
                    ErrorCode::EConnectorPanic,
                    "the connector's own code panicked; see the log",
                );
                match run.job.phase {
                    Some(Phase::Submitting) => Next::End(End::Uncertain(error.billed(Billed::Maybe))),
                    _ => Next::End(End::Failed(error)),
                }
            }
        }
    }

    fn custom_failed(&self, run: &Run, service: &Service, error: JobError) -> Next {
        if let Some(stop) = run.port.stop() {
            service.breaker.withdraw();
            return Next::Stopped(stop);
        }
        match error.code {
            ErrorCode::EAuth => service.breaker.trip(Trip::Auth),
            ErrorCode::EBilling => service.breaker.trip(Trip::Billing),
            _ => service.breaker.success(),
        }
        if run.job.phase == Some(Phase::Submitting) && error.billed != Billed::No {
            return Next::End(End::Uncertain(error));
        }
        self.retry_or_fail(run, error)
    }
}

/// The engine's side of a running custom connector.
struct Host {
    gateway: Gateway,
    outputs: Option<Arc<dyn Outputs>>,
    /// How many files were kept so far.
    files: AtomicUsize,
    max_file: u64,
    /// How many bytes of files may still come.
    left: AtomicU64,
    id: JobId,
    attempt: u32,
    payload: Value,
    key: String,
    connector: &'static str,
    fingerprint: u64,
    port: Arc<dyn JobPort>,
    scrubber: crate::scrub::Scrubber,
    state: Mutex<(Phase, Option<ServiceJob>, Option<Intent>)>,
    moved: tokio::sync::Notify,
}

impl Host {
    fn new(engine: &Engine, run: &Run) -> Self {
        let job = &run.job;
        let phase = job.phase.unwrap_or(Phase::Prepared);
        let limits = &run.connector.spec.limits;
        Self {
            gateway: engine.gateway.clone(),
            outputs: engine.options.outputs.clone(),
            files: AtomicUsize::new(0),
            max_file: limits.max_file.unwrap_or(MAX_FILE),
            left: AtomicU64::new(limits.max_total.unwrap_or(MAX_TOTAL)),
            id: job.id.clone(),
            attempt: context::current_attempt(job),
            payload: job.payload.clone(),
            key: run.key(),
            connector: run.connector.spec.name,
            fingerprint: run.connector.spec.fingerprint,
            port: Arc::clone(&run.port),
            scrubber: run.service.as_ref().map(|service| service.scrubber.clone()).unwrap_or_default(),
            state: Mutex::new((phase, job.service_job.clone(), job.intent.clone())),
            moved: tokio::sync::Notify::new(),
        }
    }

    fn with<R>(&self, act: impl FnOnce(&mut (Phase, Option<ServiceJob>, Option<Intent>)) -> R) -> R {
        act(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn phase(&self) -> Phase {
        self.with(|state| state.0)
    }

    /// An error of ours. Once something was submitted another attempt would pay again.
    fn in_phase(&self, error: JobError) -> JobError {
        match self.phase() {
            Phase::Prepared => error,
            Phase::Submitting | Phase::Submitted => {
                JobError { retriable: false, ..error.billed(Billed::Yes) }
            }
        }
    }

    async fn left_submitting(&self) {
        while self.phase() == Phase::Submitting {
            self.moved.notified().await;
        }
    }

    fn write_back(&self, job: &mut emp_core::job::Job) {
        let (phase, service_job, intent) = self.with(|state| state.clone());
        if phase != Phase::Prepared {
            job.attempt = self.attempt;
        }
        job.phase = Some(phase);
        job.service_job = service_job;
        job.intent = intent;
    }
}

#[async_trait]
impl JobHost for Host {
    fn job_id(&self) -> &JobId {
        &self.id
    }

    fn attempt(&self) -> u32 {
        self.attempt
    }

    fn payload(&self) -> &Value {
        &self.payload
    }

    fn service_job(&self) -> Option<ServiceJob> {
        self.with(|state| state.1.clone())
    }

    async fn about_to_submit(&self) -> Result<(), JobError> {
        if self.service_job().is_some() {
            let message = "the job is at the far side already; poll it instead of submitting it again";
            return Err(JobError::new(ErrorCode::EInternal, message).billed(Billed::Yes));
        }
        let intent = Intent {
            connector: self.connector.to_owned(),
            fingerprint: self.fingerprint,
            key: self.key.clone(),
            digest: String::new(),
            prepared: Map::new(),
            at: self.port.now(),
        };
        self.port.intent(intent.clone()).await.map_err(stopped)?;
        self.with(|state| (state.0, state.2) = (Phase::Submitting, Some(intent)));
        self.port.stop().map_or(Ok(()), |stop| Err(stopped(stop)))
    }

    async fn save_service_job(&self, id: &str, captured: Map<String, Value>) -> Result<(), JobError> {
        let mut captured = Value::Object(captured);
        self.scrubber.value(&mut captured);
        let service_job = ServiceJob {
            id: self.scrubber.text(id),
            captured: captured.as_object().cloned().unwrap_or_default(),
            connector: self.connector.to_owned(),
            fingerprint: self.fingerprint,
            submitted_at: self.port.now(),
        };
        self.port.submitted(service_job.clone()).await.map_err(stopped)?;
        self.with(|state| (state.0, state.1) = (Phase::Submitted, Some(service_job)));
        self.moved.notify_one();
        Ok(())
    }

    async fn save_file(&self, file: NewFile<'_>) -> Result<SavedFile, JobError> {
        // A worker that lost its claim writes nothing, not even here.
        if let Some(stop) = self.port.stop() {
            return Err(stopped(stop));
        }
        let bytes = file.bytes.len() as u64;
        let cap = self.max_file.min(self.left.load(Ordering::Relaxed));
        if bytes > cap {
            return Err(self.in_phase(too_large(cap)));
        }
        let media = MediaType::parse(file.mime);
        let name = FileName::new(self.files.fetch_add(1, Ordering::Relaxed), Some(file.name), &media);
        let key = FileKey { job: self.id.clone(), attempt: self.attempt, name };
        let kept = keep(self.outputs.as_ref(), &key, &media, file.bytes.into()).await;
        let saved = kept.map_err(|error| self.in_phase(error.retriable()))?;
        self.left.fetch_sub(bytes, Ordering::Relaxed);
        Ok(saved)
    }

    async fn proxy(&self, allow: &[String]) -> Result<Proxy, JobError> {
        self.gateway.proxy(allow).await.map_err(|error| {
            let message = format!("no way out could be opened: {error}");
            self.in_phase(JobError::new(ErrorCode::EInternal, message))
        })
    }

    fn progress(&self, progress: Progress) {
        let clean = Progress {
            fraction: progress
                .fraction
                .filter(|fraction| fraction.is_finite())
                .map(|fraction| fraction.clamp(0.0, 1.0)),
            message: progress.message.map(|message| self.scrubber.text(&message)),
            ..progress
        };
        self.port.progress(clean);
    }

    fn now(&self) -> Timestamp {
        self.port.now()
    }

    async fn sleep(&self, duration: Duration) -> Result<(), JobError> {
        tokio::select! {
            biased;
            stop = self.port.stopped() => Err(stopped(stop)),
            () = self.port.sleep(duration) => Ok(()),
        }
    }
}

/// Keeps a whole file.
async fn keep(
    outputs: Option<&Arc<dyn Outputs>>,
    key: &FileKey,
    media: &MediaType,
    bytes: Bytes,
) -> Result<SavedFile, JobError> {
    let kept_out = |message: String| JobError::new(ErrorCode::EOutput, message);
    let outputs = outputs.ok_or_else(|| kept_out(NO_OUTPUTS.to_owned()))?;
    let (size, sha256) = (bytes.len() as u64, key::hex(&Sha256::digest(&bytes)));
    let mut writer = outputs.create(key, media).await.map_err(|error| kept_out(error.message))?;
    writer.write(bytes).await.map_err(|error| kept_out(error.message))?;
    let url = writer.finish().await.map_err(|error| kept_out(error.message))?;
    Ok(SavedFile { name: key.name.to_string(), url, mime: media.to_string(), bytes: size, sha256 })
}

fn stopped(stop: Stop) -> JobError {
    let message = match stop {
        Stop::Fenced => "the claim on the job is lost",
        Stop::Cancel => "the job was cancelled",
        Stop::HandOver => "the worker hands its jobs over",
    };
    JobError::new(ErrorCode::ECancelled, message).retriable()
}
