//! A store with short leases, a connector, and workers that each have an engine of their own.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use emp_core::SystemClock;
use emp_core::connector::Loaded;
use emp_core::env::Settings;
use emp_core::job::{Job, JobId};
use emp_engine::{Engine, EngineOptions};
use emp_store::memory::MemoryStore;
use emp_store::store::{Enqueued, NewJob, Store, StoreOptions};
use emp_testkit::{FakeOptions, FakeService};
use emp_worker::{PlannedWorker, Worker, WorkerOptions};
use serde_json::Value;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::spec::spec;

pub(crate) const LEASE: Duration = Duration::from_millis(300);

/// A store, and the connector that does its jobs.
pub(crate) struct Site {
    pub(crate) store: Arc<dyn Store>,
    connector: Arc<Loaded>,
}

/// A site with a service that is polled.
pub(crate) struct Polled {
    pub(crate) fake: FakeService,
    site: Site,
}

impl std::ops::Deref for Polled {
    type Target = Site;

    fn deref(&self) -> &Site {
        &self.site
    }
}

impl Polled {
    /// A service whose jobs run for a while.
    pub(crate) async fn new(running: Duration) -> Self {
        let options = FakeOptions { queued: Duration::ZERO, running, ..FakeOptions::default() };
        let fake = FakeService::start(spec(), options).await.expect("the fake starts");
        let connector =
            Loaded { spec: spec(), settings: Settings::default(), custom: None, base: Some(fake.base_url()) };
        Self { fake, site: Site::new(connector) }
    }
}

impl Site {
    pub(crate) fn new(connector: Loaded) -> Self {
        let options = StoreOptions { lease: LEASE, max_crashes: 1000, ..StoreOptions::default() };
        let store = Arc::new(MemoryStore::new(options, Arc::new(SystemClock)));
        Self { store, connector: Arc::new(connector) }
    }

    fn service(&self) -> &'static str {
        self.connector.spec.services.first().expect("a service")
    }

    pub(crate) async fn enqueue(&self, payloads: impl IntoIterator<Item = Value>) -> Vec<JobId> {
        let mut ids = Vec::new();
        for payload in payloads {
            let job = NewJob {
                service: self.service().to_owned(),
                payload,
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
    pub(crate) fn worker(&self, slots: usize) -> (JoinHandle<()>, CancellationToken) {
        let options = WorkerOptions {
            lease: LEASE,
            renew_every: LEASE / 3,
            poll_every: Duration::from_millis(100),
            reap_every: Duration::from_millis(50),
            drain_timeout: Duration::from_secs(5),
            ..WorkerOptions::default()
        };
        let services = vec![(self.service().to_owned(), Arc::clone(&self.connector))];
        let planned =
            vec![PlannedWorker { name: self.service().to_owned(), slots, services, finishers: Vec::new() }];
        let engine = Engine::new(EngineOptions::default());
        let worker = Worker::new(options, Arc::clone(&self.store), engine, planned, Arc::new(SystemClock));
        let stop = CancellationToken::new();
        (tokio::spawn(worker.run(stop.clone())), stop)
    }

    pub(crate) async fn until(&self, id: &JobId, wanted: impl Fn(&Job) -> bool) -> Job {
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
