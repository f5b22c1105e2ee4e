//! What every test needs: a store with short leases, workers that start and crash, jobs, and waiting for a moment.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use emp_core::SystemClock;
use emp_core::connector::Loaded;
use emp_core::env::Settings;
use emp_core::job::{Job, JobId, JobState};
use emp_core::spec::ConnectorSpec;
use emp_store::memory::MemoryStore;
use emp_store::store::{Enqueued, NewJob, Store, StoreOptions};
use emp_worker::{Driver, PlannedWorker, Worker, WorkerOptions};
use serde_json::Value;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::script::SPEC;

/// A lease that a test can outlive.
pub(crate) const LEASE: Duration = Duration::from_millis(300);

pub(crate) fn memory() -> Arc<dyn Store> {
    memory_with(LEASE)
}

pub(crate) fn memory_with(lease: Duration) -> Arc<dyn Store> {
    let options = StoreOptions { lease, ..StoreOptions::default() };
    Arc::new(MemoryStore::new(options, Arc::new(SystemClock)))
}

pub(crate) fn options() -> WorkerOptions {
    WorkerOptions {
        lease: LEASE,
        renew_every: LEASE / 3,
        poll_every: Duration::from_millis(100),
        progress_every: Duration::from_millis(100),
        reap_every: Duration::from_millis(50),
        announce_every: Duration::from_millis(100),
        drain_timeout: Duration::from_secs(3),
        ..WorkerOptions::default()
    }
}

pub(crate) fn planned(slots: usize) -> Vec<PlannedWorker> {
    planned_with(slots, &SPEC, &[])
}

/// A worker that begins jobs with one connector, and finishes those of others.
pub(crate) fn planned_with(
    slots: usize,
    spec: &'static ConnectorSpec,
    finishers: &[&'static ConnectorSpec],
) -> Vec<PlannedWorker> {
    let loaded = |spec| Arc::new(Loaded { spec, settings: Settings::default(), custom: None, base: None });
    vec![PlannedWorker {
        name: "script".to_owned(),
        slots,
        services: vec![("script".to_owned(), loaded(spec))],
        finishers: finishers.iter().map(|spec| loaded(spec)).collect(),
    }]
}

/// A worker that runs.
pub(crate) struct Running {
    task: JoinHandle<()>,
    stop: CancellationToken,
}

pub(crate) fn start(store: &Arc<dyn Store>, driver: Arc<dyn Driver>, slots: usize) -> Running {
    start_with(options(), store, driver, slots)
}

pub(crate) fn start_with(
    options: WorkerOptions,
    store: &Arc<dyn Store>,
    driver: Arc<dyn Driver>,
    slots: usize,
) -> Running {
    start_all(options, store, driver, planned(slots))
}

/// Several workers of one process.
pub(crate) fn start_all(
    options: WorkerOptions,
    store: &Arc<dyn Store>,
    driver: Arc<dyn Driver>,
    planned: Vec<PlannedWorker>,
) -> Running {
    let worker = Worker::new(options, Arc::clone(store), driver, planned, Arc::new(SystemClock));
    let stop = CancellationToken::new();
    Running { task: tokio::spawn(worker.run(stop.clone())), stop }
}

impl Running {
    /// Ends it as `kill -9` would: nothing is given back.
    pub(crate) async fn crash(self) {
        self.task.abort();
        assert!(self.task.await.is_err());
    }

    /// Ends it as SIGTERM would; says how long that took.
    pub(crate) async fn drain(self) -> Duration {
        let asked = Instant::now();
        self.stop.cancel();
        self.task.await.expect("the worker returns");
        asked.elapsed()
    }
}

pub(crate) async fn enqueue(store: &Arc<dyn Store>, payload: Value) -> JobId {
    let job = NewJob {
        service: "script".to_owned(),
        payload,
        priority: 0,
        labels: BTreeMap::new(),
        idempotency_key: None,
    };
    match store.enqueue(job).await.expect("the store takes a job") {
        Enqueued::New(job) => job.id,
        other => panic!("a new job was expected: {other:?}"),
    }
}

pub(crate) async fn job(store: &Arc<dyn Store>, id: &JobId) -> Job {
    store.get(id).await.expect("the store answers").expect("the job is there")
}

/// The job once it has ended, or is in a state.
pub(crate) async fn until_state(store: &Arc<dyn Store>, id: &JobId, wanted: JobState) -> Job {
    until(&format!("{id} to be {wanted}"), || async {
        Some(job(store, id).await).filter(|job| job.state == wanted)
    })
    .await
}

/// What `look` finds, within ten seconds.
pub(crate) async fn until<T, F: Future<Output = Option<T>>>(what: &str, look: impl Fn() -> F) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(begun.elapsed() < Duration::from_secs(10), "waited too long for {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
