//! Many jobs of one service at once, under one engine and without waiting: what jobs share (batches, limits, what is learnt of their
//! durations), tried against a fake.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use emp_core::connector::Loaded;
use emp_core::job::{Delta, Intent, Job, Progress, ServiceJob, WorkerId};
use emp_core::time::ManualClock;
use emp_core::{Clock as _, Timestamp};
use emp_engine::outputs::Outputs;
use emp_engine::port::{JobPort, Stop};
use emp_engine::run::{End, Next, Run};
use emp_engine::{Engine, EngineOptions};
use emp_outputs::OutputStore;
use emp_store::{ClaimRequest, MemoryStore, NewJob, Store as _, StoreError, StoreOptions};
use serde_json::Value;

use crate::fault::Fault;
use crate::service::{FakeOptions, FakeService};

/// A fake, and the jobs that one engine does there. Wherever the engine waits, the clock is moved to the next job that is due.
#[derive(Debug)]
pub struct Fleet {
    /// The service.
    pub fake: FakeService,
    /// How the jobs have ended, in the order in which they did.
    pub ends: Vec<End>,
    engine: Arc<Engine>,
    connector: Arc<Loaded>,
    clock: Arc<ManualClock>,
}

impl Fleet {
    /// A fake of a connector's service, whose jobs wait for 20 seconds and run for 200, and an engine.
    ///
    /// # Errors
    /// For a custom connector, which has no service that could be faked.
    pub async fn new(connector: Loaded, faults: Vec<Fault>) -> std::io::Result<Self> {
        let clock = Arc::new(ManualClock::at(Timestamp(1_700_000_000_000)));
        let options = FakeOptions {
            queued: Duration::from_secs(20),
            running: Duration::from_secs(200),
            clock: Arc::<ManualClock>::clone(&clock),
            faults,
            ..FakeOptions::default()
        };
        let fake = FakeService::start(connector.spec, options).await?;
        let connector = Arc::new(Loaded { base: Some(fake.base_url()), ..connector });
        let outputs: Arc<dyn Outputs> = Arc::new(OutputStore::memory());
        let options = EngineOptions {
            clock: Arc::<ManualClock>::clone(&clock),
            outputs: Some(outputs),
            ..EngineOptions::default()
        };
        Ok(Self { fake, ends: Vec::new(), engine: Engine::new(options), connector, clock })
    }

    /// Takes so many new jobs with a payload, all at once, to their ends.
    ///
    /// # Errors
    /// Those of the store in memory.
    pub async fn finish(&mut self, jobs: usize, payload: &Value) -> Result<(), StoreError> {
        let mut wheel = BinaryHeap::new();
        let mut runs: Vec<Option<Run>> = Vec::new();
        for job in self.claimed(jobs, payload).await? {
            wheel.push(Reverse((self.clock.elapsed(), runs.len())));
            let port = Arc::new(Port(Arc::clone(&self.clock)));
            runs.push(Some(self.engine.start(job, Arc::clone(&self.connector), port)));
        }
        while let Some(Reverse((due, index))) = wheel.pop() {
            self.clock.advance(due.saturating_sub(self.clock.elapsed()));
            let Some(mut run) = runs.get_mut(index).and_then(Option::take) else { continue };
            match self.engine.step(&mut run).await {
                Next::Wait(wait) => {
                    wheel.push(Reverse((self.clock.elapsed() + wait.max(Duration::from_millis(1)), index)));
                    if let Some(place) = runs.get_mut(index) {
                        *place = Some(run);
                    }
                }
                Next::End(end) => self.ends.push(end),
                Next::Stopped(_) => {}
            }
        }
        Ok(())
    }

    async fn claimed(&self, count: usize, payload: &Value) -> Result<Vec<Job>, StoreError> {
        let service = self.connector.spec.services.first().copied().unwrap_or_default();
        let store = MemoryStore::new(StoreOptions::default(), Arc::<ManualClock>::clone(&self.clock));
        for _ in 0..count {
            let new = NewJob {
                service: service.to_owned(),
                payload: payload.clone(),
                priority: 5,
                labels: BTreeMap::new(),
                idempotency_key: None,
            };
            store.enqueue(new).await?;
        }
        let request = ClaimRequest {
            worker: WorkerId::start("fleet"),
            services: BTreeMap::from([(service.to_owned(), count)]),
            labels: BTreeMap::new(),
            connectors: BTreeSet::new(),
            max: count,
        };
        store.claim(request).await
    }

    /// How many jobs have succeeded.
    pub fn succeeded(&self) -> usize {
        self.ends.iter().filter(|end| matches!(end, End::Succeeded { .. })).count()
    }

    /// How many requests began like this: `GET /jobs/`.
    pub fn count(&self, start: &str) -> usize {
        let requests = self.fake.requests();
        let lines = requests.iter().map(|request| format!("{} {}", request.method, request.target));
        lines.filter(|line| line.starts_with(start)).count()
    }

    /// How much time has gone by.
    pub fn elapsed(&self) -> Duration {
        self.clock.elapsed()
    }
}

/// The side of a claim that always holds.
#[derive(Debug)]
struct Port(Arc<ManualClock>);

#[async_trait]
impl JobPort for Port {
    async fn intent(&self, _: Intent) -> Result<(), Stop> {
        Ok(())
    }
    async fn not_sent(&self, _: &str) -> Result<(), Stop> {
        Ok(())
    }
    async fn submitted(&self, _: ServiceJob) -> Result<(), Stop> {
        Ok(())
    }
    fn progress(&self, _: Progress) {}
    fn delta(&self, _: Delta) {}
    fn stop(&self) -> Option<Stop> {
        None
    }
    async fn stopped(&self) -> Stop {
        std::future::pending().await
    }
    fn now(&self) -> Timestamp {
        self.0.now()
    }
}
