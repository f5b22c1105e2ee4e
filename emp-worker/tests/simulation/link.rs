//! What lies between a worker and everything else: it delays, loses what is asked and what is answered, and freezes with its worker.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use emp_core::Timestamp;
use emp_core::job::{Call, Event, Job, JobId, JobState, WorkerId};
use emp_store::store::{
    Answer, CancelAnswer, ClaimRequest, Enqueued, ListQuery, NewJob, Page, Store, StoreError, WorkerStatus,
    Write,
};
use tokio::sync::{Notify, watch};

use crate::chance::{millis, once_in};

/// A worker's awakeness: what it has sent arrives while it is frozen, and it hears of nothing.
///
/// Whoever waits goes on in the order in which they came; the order of a `watch` is by chance of its own.
#[derive(Debug, Clone)]
pub(crate) struct Awake(Arc<(AtomicBool, Notify)>);

impl Awake {
    pub(crate) fn new() -> Self {
        Self(Arc::new((AtomicBool::new(true), Notify::new())))
    }

    pub(crate) fn set(&self, awake: bool) {
        self.0.0.store(awake, Ordering::SeqCst);
        if awake {
            self.0.1.notify_waiters();
        }
    }

    /// Goes on when the worker does.
    pub(crate) async fn wait(&self) {
        loop {
            let woken = self.0.1.notified();
            if self.0.0.load(Ordering::SeqCst) {
                return;
            }
            woken.await;
        }
    }
}

/// Passes the store's hints on, to all workers in the order in which they listen.
pub(crate) async fn pass_hints(store: Arc<dyn Store>, hints: Arc<Notify>) {
    loop {
        store.changed().await;
        hints.notify_waiters();
        // A moment, so that one change is one hint.
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// For how long something is on its way: mostly a moment, seldom longer than a lease.
pub(crate) async fn travel() {
    let way = match (once_in(60), once_in(8)) {
        (true, _) => millis(1000..8000),
        (false, true) => millis(20..400),
        (false, false) => millis(0..8),
    };
    tokio::time::sleep(way).await;
}

/// The store, at the end of a network.
#[derive(Debug)]
pub(crate) struct Link {
    store: Arc<dyn Store>,
    hints: Arc<Notify>,
    awake: Awake,
    /// Nothing arrives at all.
    cut: watch::Receiver<bool>,
}

impl Link {
    pub(crate) fn new(
        store: Arc<dyn Store>,
        hints: Arc<Notify>,
        awake: Awake,
        cut: watch::Receiver<bool>,
    ) -> Self {
        Self { store, hints, awake, cut }
    }

    async fn pass<T>(&self, call: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        let lost = || Err(StoreError::Down("the network".to_owned()));
        self.awake.wait().await;
        travel().await;
        if *self.cut.borrow() || once_in(80) {
            tokio::time::sleep(millis(500..2000)).await;
            self.awake.wait().await;
            return lost();
        }
        let answer = call.await;
        travel().await;
        self.awake.wait().await;
        if once_in(80) { lost() } else { answer }
    }
}

#[async_trait]
impl Store for Link {
    async fn enqueue(&self, job: NewJob) -> Result<Enqueued, StoreError> {
        self.pass(self.store.enqueue(job)).await
    }

    async fn claim(&self, request: ClaimRequest) -> Result<Vec<Job>, StoreError> {
        self.pass(self.store.claim(request)).await
    }

    async fn write(&self, writes: Vec<Write>) -> Result<Vec<Answer>, StoreError> {
        self.pass(self.store.write(writes)).await
    }

    async fn cancel(&self, id: &JobId, by: &str, reason: Option<&str>) -> Result<CancelAnswer, StoreError> {
        self.pass(self.store.cancel(id, by, reason)).await
    }

    async fn nudge(&self, id: &JobId, call: Option<Call>) -> Result<bool, StoreError> {
        self.pass(self.store.nudge(id, call)).await
    }

    async fn reap(&self) -> Result<usize, StoreError> {
        self.pass(self.store.reap()).await
    }

    async fn get(&self, id: &JobId) -> Result<Option<Job>, StoreError> {
        self.pass(self.store.get(id)).await
    }

    async fn list(&self, query: ListQuery) -> Result<Page, StoreError> {
        self.pass(self.store.list(query)).await
    }

    async fn events(&self, id: &JobId, after: u64) -> Result<Option<Vec<Event>>, StoreError> {
        self.pass(self.store.events(id, after)).await
    }

    async fn announce(&self, worker: WorkerStatus) -> Result<(), StoreError> {
        self.pass(self.store.announce(worker)).await
    }

    async fn retire(&self, worker: &WorkerId) -> Result<(), StoreError> {
        self.pass(self.store.retire(worker)).await
    }

    async fn workers(&self) -> Result<Vec<WorkerStatus>, StoreError> {
        self.pass(self.store.workers()).await
    }

    async fn counts(&self) -> Result<BTreeMap<String, BTreeMap<JobState, u64>>, StoreError> {
        self.pass(self.store.counts()).await
    }

    async fn changed(&self) {
        // A hint, which may be lost.
        self.hints.notified().await;
        travel().await;
        self.awake.wait().await;
    }

    fn now(&self) -> Timestamp {
        self.store.now()
    }
}
