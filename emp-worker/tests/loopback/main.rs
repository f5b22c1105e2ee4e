//! The worker with the engine, over HTTP on loopback: what a service is asked, and what it would have cost.

#![allow(clippy::expect_used, clippy::panic, reason = "clippy knows only test functions, not their helpers")]

mod spec;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use emp_core::SystemClock;
use emp_core::connector::Loaded;
use emp_core::env::Settings;
use emp_core::job::{Job, JobId, JobState, UpstreamCancel};
use emp_engine::{Engine, EngineOptions};
use emp_store::memory::MemoryStore;
use emp_store::store::{Enqueued, NewJob, Store, StoreOptions};
use emp_testkit::{FakeOptions, FakeService};
use emp_worker::{PlannedWorker, Worker, WorkerOptions};
use serde_json::json;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

const LEASE: Duration = Duration::from_millis(300);

/// A service, a store, and a connector between them.
struct Site {
    fake: FakeService,
    store: Arc<dyn Store>,
    connector: Arc<Loaded>,
}

impl Site {
    /// A service whose jobs run for a while.
    async fn new(running: Duration) -> Self {
        let options = FakeOptions { queued: Duration::ZERO, running, ..FakeOptions::default() };
        let fake = FakeService::start(spec::spec(), options).await.expect("the fake starts");
        let connector = Loaded {
            spec: spec::spec(),
            settings: Settings::default(),
            custom: None,
            base: Some(fake.base_url()),
        };
        let options = StoreOptions { lease: LEASE, max_crashes: 1000, ..StoreOptions::default() };
        let store = Arc::new(MemoryStore::new(options, Arc::new(SystemClock)));
        Self { fake, store, connector: Arc::new(connector) }
    }

    async fn enqueue(&self, count: usize) -> Vec<JobId> {
        let mut ids = Vec::new();
        for number in 0..count {
            let job = NewJob {
                service: "polled".to_owned(),
                payload: json!({ "number": number }),
                priority: 0,
                labels: BTreeMap::new(),
                idempotency_key: None,
            };
            match self.store.enqueue(job).await.expect("the store takes a job") {
                Enqueued::New(job) => ids.push(job.id),
                other => panic!("a new job was expected: {other:?}"),
            }
        }
        ids
    }

    /// A worker with an engine of its own, as another process would have.
    fn worker(&self, slots: usize) -> (JoinHandle<()>, CancellationToken) {
        let options = WorkerOptions {
            lease: LEASE,
            renew_every: LEASE / 3,
            poll_every: Duration::from_millis(100),
            reap_every: Duration::from_millis(50),
            drain_timeout: Duration::from_secs(5),
            ..WorkerOptions::default()
        };
        let services = vec![("polled".to_owned(), Arc::clone(&self.connector))];
        let planned = vec![PlannedWorker { name: "polled".to_owned(), slots, services }];
        let engine = Engine::new(EngineOptions::default());
        let worker = Worker::new(options, Arc::clone(&self.store), engine, planned, Arc::new(SystemClock));
        let stop = CancellationToken::new();
        (tokio::spawn(worker.run(stop.clone())), stop)
    }

    async fn until(&self, id: &JobId, wanted: impl Fn(&Job) -> bool) -> Job {
        let begun = Instant::now();
        loop {
            let job = self.store.get(id).await.expect("the store answers").expect("the job is there");
            if wanted(&job) {
                return job;
            }
            assert!(begun.elapsed() < Duration::from_secs(20), "waited too long for {job:#?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

#[tokio::test]
async fn jobs_are_submitted_polled_and_finished() {
    let site = Site::new(Duration::from_millis(100)).await;
    let ids = site.enqueue(20).await;
    let (task, stop) = site.worker(10);
    for id in &ids {
        let job = site.until(id, |job| job.state.terminal()).await;
        assert_eq!((job.state, job.attempt, job.deliveries), (JobState::Succeeded, 1, 1), "{:?}", job.error);
    }
    assert_eq!(site.fake.ledger().accepted(), 20);
    stop.cancel();
    task.await.expect("the worker returns");
}

#[tokio::test]
async fn p11_fifty_polled_jobs_are_handed_over_and_finished_by_the_next_worker() {
    let site = Site::new(Duration::from_millis(800)).await;
    let ids = site.enqueue(50).await;
    let (task, stop) = site.worker(50);
    for id in &ids {
        site.until(id, |job| job.service_job.is_some()).await;
    }
    let asked = Instant::now();
    stop.cancel();
    task.await.expect("the worker returns");
    assert!(asked.elapsed() < Duration::from_secs(2), "{:?}", asked.elapsed());

    let (task, stop) = site.worker(50);
    for id in &ids {
        let job = site.until(id, |job| job.state.terminal()).await;
        assert_eq!((job.state, job.attempt, job.deliveries), (JobState::Succeeded, 1, 1), "{:?}", job.error);
    }
    assert_eq!(
        (site.fake.ledger().accepted(), site.fake.ledger().merged()),
        (50, 0),
        "nothing was submitted again"
    );
    stop.cancel();
    task.await.expect("the worker returns");
}

#[tokio::test]
async fn p01_workers_that_die_at_any_moment_pay_for_each_attempt_once() {
    let site = Site::new(Duration::from_millis(300)).await;
    let ids = site.enqueue(30).await;
    // Killed while they claim, submit, store ids and poll.
    for lives in [3, 8, 15, 25, 40, 60, 90] {
        let (task, _stop) = site.worker(30);
        tokio::time::sleep(Duration::from_millis(lives)).await;
        task.abort();
        assert!(task.await.is_err());
        // Its claims lapse.
        tokio::time::sleep(LEASE / 2).await;
        tokio::time::sleep(LEASE / 2).await;
    }
    let (task, stop) = site.worker(30);
    let mut attempts = 0;
    for id in &ids {
        let job = site.until(id, |job| job.state.terminal()).await;
        assert_eq!(job.state, JobState::Succeeded, "{:?}", job.error);
        attempts += usize::try_from(job.attempt).expect("a count");
    }
    let ledger = site.fake.ledger();
    assert_eq!(ledger.accepted(), attempts, "what was paid for is what was counted");
    assert_eq!(ledger.accepted(), 30);
    assert_eq!(ledger.most_for_one_job(), 1);
    stop.cancel();
    task.await.expect("the worker returns");
}

#[tokio::test]
async fn p15_a_polled_job_is_cancelled_at_the_service() {
    let site = Site::new(Duration::from_mins(1)).await;
    let ids = site.enqueue(1).await;
    let (task, stop) = site.worker(1);
    for id in &ids {
        site.until(id, |job| job.service_job.is_some()).await;
        site.store.cancel(id, "test", None).await.expect("the store answers");
        let job = site.until(id, |job| job.state.terminal()).await;
        assert_eq!(job.state, JobState::Cancelled);
        assert_eq!(job.cancel.and_then(|cancel| cancel.upstream), Some(UpstreamCancel::Confirmed));
    }
    assert_eq!(site.fake.unfinished(), 0);
    stop.cancel();
    task.await.expect("the worker returns");
}
