//! A store whose every call is counted.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use async_trait::async_trait;
use emp_core::Timestamp;
use emp_core::health::HealthStatus;
use emp_core::job::{Call, Event, Job, JobId, JobState, Nonce, Phase, WorkerId};
use emp_store::store::{
    Answer, CancelAnswer, Change, ClaimRequest, Enqueued, Finish, ListQuery, NewJob, Page, Store, StoreError,
    WorkerStatus, Write,
};

use crate::metrics::Metrics;

/// Stands before a store and counts what passes.
#[derive(Debug)]
pub struct Metered {
    inner: Arc<dyn Store>,
    metrics: Arc<Metrics>,
    held: Mutex<HashMap<(JobId, Nonce), Held>>,
    places: Mutex<BTreeMap<WorkerId, (usize, usize)>>,
}

/// A claim of this process.
#[derive(Clone, Debug)]
struct Held {
    service: String,
    since: Instant,
    /// A submit is under way.
    submitting: bool,
}

impl Metered {
    /// A store before which everything is counted.
    pub fn new(inner: Arc<dyn Store>, metrics: Arc<Metrics>) -> Self {
        Self { inner, metrics, held: Mutex::default(), places: Mutex::default() }
    }

    /// Counts a call and whether the store answered.
    fn called<T>(&self, op: &str, begun: Instant, answer: Result<T, StoreError>) -> Result<T, StoreError> {
        self.metrics.store_op.with_label_values(&[op]).observe(begun.elapsed().as_secs_f64());
        self.metrics.store_answers(!matches!(answer, Err(StoreError::Down(_) | StoreError::Corrupt(_))));
        answer
    }

    fn claimed(&self, job: &Job) {
        let service = self.metrics.service(&job.service);
        let Some(lease) = &job.lease else { return };
        if job.phase == Some(Phase::Submitted) {
            self.metrics.submits_avoided.with_label_values(&[service]).inc();
        } else if job.attempt == 0 {
            let waited = self.inner.now().since(job.queued_at.max(job.ready_at));
            self.metrics.wait.with_label_values(&[service]).observe(waited.as_secs_f64());
        }
        let held = Held {
            service: job.service.clone(),
            since: Instant::now(),
            submitting: job.phase == Some(Phase::Submitting),
        };
        lock(&self.held).insert((job.id.clone(), lease.nonce.clone()), held);
    }

    fn changed(&self, write: &Seen, answer: Answer) {
        if answer == Answer::Fenced {
            self.metrics.fenced.with_label_values(&[write.verb]).inc();
            if write.verb == "renew" {
                self.metrics.lease_lost.with_label_values::<&str>(&[]).inc();
            }
        }
        let mut held = lock(&self.held);
        if !answer.holds() {
            held.remove(&write.key);
            return;
        }
        // What had been done already was counted then.
        if answer == Answer::OkAlready {
            return;
        }
        let Some(claim) = held.get_mut(&write.key) else { return };
        let service = self.metrics.service(&claim.service);
        let submits = |outcome| self.metrics.submits.with_label_values(&[service, outcome]).inc();
        if let Some(outcome) = write.submit.outcome(claim.submitting) {
            submits(outcome);
        }
        claim.submitting = matches!(write.submit, Submit::Begun)
            || (claim.submitting && matches!(write.submit, Submit::Nothing));
        if let Some(outcome) = write.outcome {
            if outcome == "uncertain" {
                self.metrics.submits_uncertain.with_label_values(&[service]).inc();
            }
            if outcome != "retry" {
                self.metrics.jobs_total.with_label_values(&[service, outcome]).inc();
            }
            let seconds = claim.since.elapsed().as_secs_f64();
            self.metrics.run.with_label_values(&[service, outcome]).observe(seconds);
        }
        if write.ends {
            held.remove(&write.key);
        }
    }
}

/// What is counted of a change.
struct Seen {
    key: (JobId, Nonce),
    verb: &'static str,
    submit: Submit,
    outcome: Option<&'static str>,
    ends: bool,
}

/// What a change says of a submit.
#[derive(Clone, Copy)]
enum Submit {
    Nothing,
    Begun,
    Accepted,
    NotSent,
    /// The job or its attempt ended: well, badly, or nobody knows.
    Well,
    Badly,
    Unknown,
}

impl Submit {
    /// What came of a submit by this change; one that was not under way ends with the job only when it was told before.
    fn outcome(self, under_way: bool) -> Option<&'static str> {
        match self {
            Self::Nothing | Self::Begun => None,
            Self::Accepted => Some("accepted"),
            Self::NotSent => Some("not_sent"),
            Self::Well => under_way.then_some("accepted"),
            Self::Badly => under_way.then_some("refused"),
            Self::Unknown => Some("uncertain"),
        }
    }
}

impl Seen {
    fn of(write: &Write) -> Self {
        let seen = |verb, submit, outcome, ends| Self {
            key: (write.claim.job.clone(), write.claim.nonce.clone()),
            verb,
            submit,
            outcome,
            ends,
        };
        match &write.change {
            Change::Renew => seen("renew", Submit::Nothing, None, false),
            Change::Intent(_) => seen("intent", Submit::Begun, None, false),
            Change::NotSent { .. } => seen("not_sent", Submit::NotSent, None, false),
            Change::Submitted(_) => seen("submitted", Submit::Accepted, None, false),
            Change::Progress(_) => seen("progress", Submit::Nothing, None, false),
            Change::Delta(_) => seen("delta", Submit::Nothing, None, false),
            Change::Release(_) => seen("release", Submit::Nothing, None, true),
            Change::Finish(finish) => match finish {
                Finish::Succeeded { .. } => {
                    seen("finish", Submit::Well, Some(JobState::Succeeded.as_str()), true)
                }
                Finish::Failed(_) => seen("finish", Submit::Badly, Some(JobState::Failed.as_str()), true),
                Finish::Cancelled(_) => {
                    seen("finish", Submit::Badly, Some(JobState::Cancelled.as_str()), true)
                }
                Finish::Uncertain(_) => {
                    seen("finish", Submit::Unknown, Some(JobState::Uncertain.as_str()), true)
                }
                Finish::Retry { .. } => seen("finish", Submit::Badly, Some("retry"), true),
            },
        }
    }
}

#[async_trait]
impl Store for Metered {
    async fn enqueue(&self, job: NewJob) -> Result<Enqueued, StoreError> {
        let begun = Instant::now();
        self.called("enqueue", begun, self.inner.enqueue(job).await)
    }

    async fn claim(&self, request: ClaimRequest) -> Result<Vec<Job>, StoreError> {
        let begun = Instant::now();
        let jobs = self.called("claim", begun, self.inner.claim(request).await)?;
        for job in &jobs {
            self.claimed(job);
        }
        Ok(jobs)
    }

    async fn write(&self, writes: Vec<Write>) -> Result<Vec<Answer>, StoreError> {
        let begun = Instant::now();
        let seen: Vec<Seen> = writes.iter().map(Seen::of).collect();
        let answers = self.called("write", begun, self.inner.write(writes).await)?;
        for (write, answer) in seen.iter().zip(&answers) {
            self.changed(write, *answer);
        }
        Ok(answers)
    }

    async fn cancel(&self, id: &JobId, by: &str, reason: Option<&str>) -> Result<CancelAnswer, StoreError> {
        let begun = Instant::now();
        self.called("cancel", begun, self.inner.cancel(id, by, reason).await)
    }

    async fn nudge(&self, id: &JobId, call: Option<Call>) -> Result<bool, StoreError> {
        let begun = Instant::now();
        self.called("nudge", begun, self.inner.nudge(id, call).await)
    }

    async fn reap(&self) -> Result<usize, StoreError> {
        let begun = Instant::now();
        self.called("reap", begun, self.inner.reap().await)
    }

    async fn get(&self, id: &JobId) -> Result<Option<Job>, StoreError> {
        let begun = Instant::now();
        self.called("get", begun, self.inner.get(id).await)
    }

    async fn list(&self, query: ListQuery) -> Result<Page, StoreError> {
        let begun = Instant::now();
        self.called("list", begun, self.inner.list(query).await)
    }

    async fn events(&self, id: &JobId, after: u64) -> Result<Option<Vec<Event>>, StoreError> {
        let begun = Instant::now();
        self.called("events", begun, self.inner.events(id, after).await)
    }

    async fn announce(&self, worker: WorkerStatus) -> Result<(), StoreError> {
        let begun = Instant::now();
        for service in &worker.services {
            let down = f64::from(u8::from(service.health.status == HealthStatus::Down));
            self.metrics.service_down.with_label_values(&[self.metrics.service(&service.service)]).set(down);
        }
        {
            let mut places = lock(&self.places);
            places.insert(worker.id.clone(), (worker.slots, worker.running.len()));
            let sum = places.values().fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
            self.metrics.places(sum.0, sum.1);
        }
        self.called("announce", begun, self.inner.announce(worker).await)
    }

    async fn retire(&self, worker: &WorkerId) -> Result<(), StoreError> {
        let begun = Instant::now();
        lock(&self.places).remove(worker);
        self.called("retire", begun, self.inner.retire(worker).await)
    }

    async fn workers(&self) -> Result<Vec<WorkerStatus>, StoreError> {
        let begun = Instant::now();
        self.called("workers", begun, self.inner.workers().await)
    }

    async fn counts(&self) -> Result<BTreeMap<String, BTreeMap<JobState, u64>>, StoreError> {
        let begun = Instant::now();
        self.called("counts", begun, self.inner.counts().await)
    }

    async fn changed(&self) {
        self.inner.changed().await;
    }

    fn now(&self) -> Timestamp {
        self.inner.now()
    }
}

/// Locks; a panic of another holder leaves nothing half done.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
