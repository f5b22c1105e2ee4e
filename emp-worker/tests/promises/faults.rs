//! A store that fails on demand and counts what it is asked.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use emp_core::Timestamp;
use emp_core::job::{Call, Event, Job, JobId, JobState, WorkerId};
use emp_store::store::{
    Answer, CancelAnswer, Change, ClaimRequest, Enqueued, ListQuery, NewJob, Page, Store, StoreError,
    WorkerStatus, Write,
};

/// A store with faults, for one worker; others may use the inner one directly.
#[derive(Debug)]
pub(crate) struct FaultStore {
    pub(crate) inner: Arc<dyn Store>,
    /// Nothing is answered.
    pub(crate) down: AtomicBool,
    /// No hint is heard.
    pub(crate) deaf: AtomicBool,
    /// So many milliseconds pass before a worker is announced or retired.
    pub(crate) slow_ms: AtomicU64,
    /// Renewals fail.
    pub(crate) renewals_fail: AtomicBool,
    /// So many finishes fail before they are applied.
    pub(crate) finishes_lost: AtomicUsize,
    /// So many finishes are applied and their answer is lost.
    pub(crate) answers_lost: AtomicUsize,
    /// Calls by name.
    calls: Mutex<BTreeMap<&'static str, usize>>,
    /// For each write call: how many progresses of which jobs.
    pub(crate) progress_calls: Mutex<Vec<Vec<JobId>>>,
}

impl FaultStore {
    pub(crate) fn new(inner: Arc<dyn Store>) -> Arc<Self> {
        Arc::new(Self {
            inner,
            down: AtomicBool::default(),
            deaf: AtomicBool::default(),
            slow_ms: AtomicU64::default(),
            renewals_fail: AtomicBool::default(),
            finishes_lost: AtomicUsize::default(),
            answers_lost: AtomicUsize::default(),
            calls: Mutex::default(),
            progress_calls: Mutex::default(),
        })
    }

    /// How often a method was called.
    pub(crate) fn calls(&self, name: &str) -> usize {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).get(name).copied().unwrap_or(0)
    }

    fn call(&self, name: &'static str) -> Result<(), StoreError> {
        *self.calls.lock().unwrap_or_else(PoisonError::into_inner).entry(name).or_default() += 1;
        if self.down.load(Ordering::SeqCst) { Err(down()) } else { Ok(()) }
    }

    async fn slow(&self) {
        tokio::time::sleep(Duration::from_millis(self.slow_ms.load(Ordering::SeqCst))).await;
    }
}

fn down() -> StoreError {
    StoreError::Down("a fault of the test".to_owned())
}

fn take(count: &AtomicUsize) -> bool {
    count.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok()
}

#[async_trait]
impl Store for FaultStore {
    async fn enqueue(&self, job: NewJob) -> Result<Enqueued, StoreError> {
        self.call("enqueue")?;
        self.inner.enqueue(job).await
    }

    async fn claim(&self, request: ClaimRequest) -> Result<Vec<Job>, StoreError> {
        self.call("claim")?;
        self.inner.claim(request).await
    }

    async fn write(&self, writes: Vec<Write>) -> Result<Vec<Answer>, StoreError> {
        self.call("write")?;
        let renewal = writes.iter().any(|write| write.change == Change::Renew);
        if renewal && self.renewals_fail.load(Ordering::SeqCst) {
            return Err(down());
        }
        let progress = writes.iter().filter(|write| matches!(write.change, Change::Progress(_)));
        let progress: Vec<_> = progress.map(|write| write.claim.job.clone()).collect();
        if !progress.is_empty() {
            self.progress_calls.lock().unwrap_or_else(PoisonError::into_inner).push(progress);
        }
        let finish = writes.iter().any(|write| matches!(write.change, Change::Finish(_)));
        if finish && take(&self.finishes_lost) {
            return Err(down());
        }
        let answers = self.inner.write(writes).await?;
        if finish && take(&self.answers_lost) { Err(down()) } else { Ok(answers) }
    }

    async fn cancel(&self, id: &JobId, by: &str, reason: Option<&str>) -> Result<CancelAnswer, StoreError> {
        self.call("cancel")?;
        self.inner.cancel(id, by, reason).await
    }

    async fn nudge(&self, id: &JobId, call: Option<Call>) -> Result<bool, StoreError> {
        self.call("nudge")?;
        self.inner.nudge(id, call).await
    }

    async fn reap(&self) -> Result<usize, StoreError> {
        self.call("reap")?;
        self.inner.reap().await
    }

    async fn get(&self, id: &JobId) -> Result<Option<Job>, StoreError> {
        self.call("get")?;
        self.inner.get(id).await
    }

    async fn list(&self, query: ListQuery) -> Result<Page, StoreError> {
        self.inner.list(query).await
    }

    async fn events(&self, id: &JobId, after: u64) -> Result<Option<Vec<Event>>, StoreError> {
        self.inner.events(id, after).await
    }

    async fn announce(&self, worker: WorkerStatus) -> Result<(), StoreError> {
        self.call("announce")?;
        self.slow().await;
        self.inner.announce(worker).await
    }

    async fn retire(&self, worker: &WorkerId) -> Result<(), StoreError> {
        self.call("retire")?;
        self.slow().await;
        self.inner.retire(worker).await
    }

    async fn workers(&self) -> Result<Vec<WorkerStatus>, StoreError> {
        self.inner.workers().await
    }

    async fn counts(&self) -> Result<BTreeMap<String, BTreeMap<JobState, u64>>, StoreError> {
        self.inner.counts().await
    }

    async fn changed(&self) {
        if self.deaf.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        // A store that is down cannot listen: the hint comes at once, again and again.
        if !self.down.load(Ordering::SeqCst) {
            self.inner.changed().await;
        }
    }

    fn now(&self) -> Timestamp {
        self.inner.now()
    }
}
