//! A service that is paid for what it accepts, and the driver that asks it: as the engine does, by the settle rule of the job's payload.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use emp_core::connector::Loaded;
use emp_core::error::Billed;
use emp_core::health::Health;
use emp_core::job::{Intent, Job, JobId, Phase, Progress, ServiceJob, UpstreamCancel};
use emp_core::{ErrorCode, JobError, Timestamp};
use emp_engine::port::{JobPort, Stop};
use emp_engine::run::{End, Next, Run};
use emp_worker::Driver;
use serde_json::{Map, json};

use crate::chance::{draw, millis, once_in};
use crate::fleet::SPEC;
use crate::link::{Awake, travel};

/// Attempts of one job.
const ATTEMPTS: u32 = 3;

/// Whether the service keeps its promise to merge what comes again under one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Word {
    Kept,
    Broken,
}

/// A service with the books that it keeps.
#[derive(Debug)]
pub(crate) struct Service {
    word: Word,
    books: Mutex<Books>,
}

#[derive(Debug, Default)]
struct Books {
    /// How many submits were accepted of each job.
    accepted: BTreeMap<JobId, usize>,
    /// By key: the service job.
    keys: BTreeMap<String, String>,
    /// By service job: when it ends, and whether well.
    jobs: BTreeMap<String, (Timestamp, bool)>,
}

impl Service {
    pub(crate) fn new(word: Word) -> Arc<Self> {
        Arc::new(Self { word, books: Mutex::default() })
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many submits of a job were accepted: what is paid for.
    pub(crate) fn accepted(&self, job: &JobId) -> usize {
        self.books().accepted.get(job).copied().unwrap_or(0)
    }

    fn submit(&self, job: &JobId, key: &str, now: Timestamp) -> String {
        let mut books = self.books();
        let known = books.keys.get(key).cloned().filter(|_| self.word == Word::Kept);
        if let Some(id) = known {
            return id;
        }
        let id = format!("s{}", books.jobs.len() + 1);
        *books.accepted.entry(job.clone()).or_default() += 1;
        books.keys.insert(key.to_owned(), id.clone());
        books.jobs.insert(id.clone(), (now.after(millis(200..9000)), !once_in(6)));
        id
    }

    /// How a service job has ended, if it has.
    fn ended(&self, id: &str, now: Timestamp) -> Option<bool> {
        let (ends, well) = *self.books().jobs.get(id)?;
        (ends <= now).then_some(well)
    }
}

/// What became of a submit.
enum Sent {
    Accepted(String),
    /// Nothing has left.
    Nothing,
    /// It may have been accepted.
    Lost,
}

/// Asks the service for one worker.
pub(crate) struct SimDriver {
    pub(crate) service: Arc<Service>,
    pub(crate) awake: Awake,
}

impl SimDriver {
    async fn send(&self, job: &JobId, key: &str, now: impl Fn() -> Timestamp) -> Sent {
        self.awake.wait().await;
        if once_in(10) {
            return Sent::Nothing;
        }
        travel().await;
        if once_in(15) {
            return Sent::Lost;
        }
        let id = self.service.submit(job, key, now());
        travel().await;
        self.awake.wait().await;
        if once_in(8) { Sent::Lost } else { Sent::Accepted(id) }
    }

    /// Phase `prepared`: the intent, and then the first send.
    async fn submit(&self, run: &mut Run) -> Next {
        let key = format!("{}/{}", run.job.id, run.job.attempt + 1);
        let intent = Intent {
            connector: SPEC.name.to_owned(),
            fingerprint: SPEC.fingerprint,
            key: key.clone(),
            digest: "digest".to_owned(),
            prepared: Map::new(),
            at: run.port.now(),
        };
        if let Err(stop) = run.port.intent(intent.clone()).await {
            return Next::Stopped(stop);
        }
        run.job.attempt += 1;
        run.job.phase = Some(Phase::Submitting);
        run.job.intent = Some(intent);
        if let Some(stop) = run.port.stop() {
            if stop != Stop::Fenced
                && let Err(stop) = withdraw(run, "a stop came first").await
            {
                return Next::Stopped(stop);
            }
            return Next::Stopped(stop);
        }
        self.sent(run, true).await
    }

    /// Phase `submitting`: nobody knows whether it was accepted.
    async fn settle(&self, run: &mut Run) -> Next {
        if run.job.payload["settle"] == "once" {
            return Next::End(End::Uncertain(uncertain()));
        }
        self.sent(run, false).await
    }

    async fn sent(&self, run: &mut Run, first: bool) -> Next {
        let key = run.job.intent.as_ref().map(|intent| intent.key.clone()).unwrap_or_default();
        let port = Arc::clone(&run.port);
        match self.send(&run.job.id, &key, || port.now()).await {
            Sent::Accepted(id) => {
                let service_job = ServiceJob {
                    id,
                    captured: Map::new(),
                    connector: SPEC.name.to_owned(),
                    fingerprint: SPEC.fingerprint,
                    submitted_at: run.port.now(),
                };
                if let Err(stop) = run.port.submitted(service_job.clone()).await {
                    return Next::Stopped(stop);
                }
                run.job.service_job = Some(service_job);
                run.job.phase = Some(Phase::Submitted);
                Next::Wait(millis(50..800))
            }
            Sent::Nothing if first => {
                if let Err(stop) = withdraw(run, "no connection").await {
                    return Next::Stopped(stop);
                }
                Next::End(End::GiveBack { reason: "no connection".to_owned(), after: millis(0..2000) })
            }
            Sent::Nothing | Sent::Lost if run.job.payload["settle"] == "once" => {
                Next::End(End::Uncertain(uncertain()))
            }
            Sent::Nothing | Sent::Lost => Next::Wait(millis(100..1500)),
        }
    }

    async fn poll(&self, run: &mut Run, id: &str) -> Next {
        self.awake.wait().await;
        travel().await;
        let ended = self.service.ended(id, run.port.now());
        travel().await;
        self.awake.wait().await;
        if once_in(12) {
            return Next::Wait(millis(200..2000));
        }
        match ended {
            None => {
                run.port.progress(Progress { fraction: Some(draw()), ..Progress::default() });
                Next::Wait(millis(100..1500))
            }
            Some(true) => Next::End(End::Succeeded { result: json!({ "of": id }), meta: Map::new() }),
            Some(false) => {
                let error = JobError::new(ErrorCode::EServiceFailed, "it failed there").billed(Billed::Yes);
                if run.job.attempt < ATTEMPTS {
                    Next::End(End::Retry { error, after: millis(0..3000) })
                } else {
                    Next::End(End::Failed(error))
                }
            }
        }
    }
}

async fn withdraw(run: &mut Run, reason: &str) -> Result<(), Stop> {
    run.port.not_sent(reason).await?;
    run.job.phase = Some(Phase::Prepared);
    run.job.intent = None;
    run.job.attempt -= 1;
    Ok(())
}

fn uncertain() -> JobError {
    JobError::new(ErrorCode::ESubmitUncertain, "nobody knows").billed(Billed::Maybe)
}

#[async_trait]
impl Driver for SimDriver {
    fn start(&self, job: Job, connector: Arc<Loaded>, port: Arc<dyn JobPort>) -> Run {
        Run::new(job, connector, port)
    }

    async fn step(&self, run: &mut Run) -> Next {
        if let Some(stop) = run.port.stop() {
            return Next::Stopped(stop);
        }
        match (run.job.phase, run.job.service_job.as_ref().map(|job| job.id.clone())) {
            (Some(Phase::Submitted), Some(id)) => {
                let port = Arc::clone(&run.port);
                tokio::select! {
                    biased;
                    stop = port.stopped() => Next::Stopped(stop),
                    next = self.poll(run, &id) => next,
                }
            }
            (Some(Phase::Submitting), _) => self.settle(run).await,
            _ => self.submit(run).await,
        }
    }

    async fn cancel(&self, run: &mut Run) -> UpstreamCancel {
        travel().await;
        self.awake.wait().await;
        if run.job.service_job.is_none() { UpstreamCancel::NotNeeded } else { UpstreamCancel::Confirmed }
    }

    async fn health(&self, _connector: &Loaded) -> Health {
        Health::unknown()
    }

    fn paused(&self, _connector: &Loaded) -> Option<(Duration, String)> {
        None
    }
}
