//! Many jobs of one service at once.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use emp_core::connector::Loaded;
use emp_core::env::Settings;
use emp_core::job::{Intent, Progress, ServiceJob, WorkerId};
use emp_core::time::ManualClock;
use emp_core::{Clock as _, Connector, Timestamp};
use emp_engine::port::{JobPort, Stop};
use emp_engine::run::{End, Next, Run};
use emp_engine::{Engine, EngineOptions};
use emp_store::{ClaimRequest, MemoryStore, NewJob, Store as _, StoreOptions};
use emp_testkit::{FakeOptions, FakeService, fake_env};
use serde_json::json;

/// Lists its jobs, the newest first, a page at a time.
#[derive(Connector)]
#[connector(service = "lists", version = "1.0.0", unregistered)]
#[http(base = "https://lists.example.com")]
#[auth(none)]
#[submit(post = "/jobs", json { "prompt": payload.prompt }, capture(id = "$.id"), at_most_once)]
#[poll(get = "/jobs/{job.id}", progress = "$.progress")]
#[states(at = "$.status", queued = ["queued"], running = ["running"], succeeded = ["done"], failed = ["failed"], unknown = running(warn))]
#[outcome(json = "$.result")]
#[batch_poll(get = "/jobs", query("limit" = "100"), items = "$.results[*]", id = "$.id", next = "$.next", pages = 5, worth_it_above = 20)]
struct Lists {}

/// Is asked with the ids.
#[derive(Connector)]
#[connector(service = "by-ids", version = "1.0.0", unregistered)]
#[http(base = "https://by-ids.example.com")]
#[auth(none)]
#[submit(post = "/jobs", json { "prompt": payload.prompt }, capture(id = "$.id"), at_most_once)]
#[poll(get = "/jobs/{job.id}")]
#[states(at = "$.status", queued = ["queued"], running = ["running"], succeeded = ["done"], failed = ["failed"], unknown = running(warn))]
#[outcome(json = "$.result")]
#[batch_poll(post = "/fetch", json { "ids": queue.ids }, items = "$.jobs[*]", id = "$.id", most = 30, worth_it_above = 20, complete)]
struct ByIds {}

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
    fn delta(&self, _: emp_core::job::Delta) {}
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

/// A fake, and so many jobs under one engine; a wait only moves the clock.
struct Fleet {
    fake: FakeService,
    ends: Vec<End>,
    clock: Arc<ManualClock>,
}

impl Fleet {
    async fn finish<C: Connector>(jobs: usize, faults: &[&str]) -> Self {
        Self::finish_all::<C>(&[jobs], faults).await
    }

    /// One lot of jobs after the other.
    async fn finish_all<C: Connector>(waves: &[usize], faults: &[&str]) -> Self {
        let clock = Arc::new(ManualClock::at(Timestamp(1_700_000_000_000)));
        let options = FakeOptions {
            queued: Duration::from_secs(20),
            running: Duration::from_secs(200),
            clock: Arc::<ManualClock>::clone(&clock),
            faults: faults.iter().map(|fault| fault.parse().expect(fault)).collect(),
            ..FakeOptions::default()
        };
        let fake = FakeService::start(C::SPEC, options).await.expect("starts");
        let (settings, _) = Settings::load(C::SPEC.env, &fake_env(C::SPEC));
        let base = Some(fake.base_url());
        let connector = Arc::new(Loaded { spec: C::SPEC, settings, custom: None, base });
        let engine = Engine::new(EngineOptions {
            clock: Arc::<ManualClock>::clone(&clock),
            ..EngineOptions::default()
        });
        let mut fleet = Self { fake, ends: Vec::new(), clock };
        for jobs in waves {
            fleet.finish_wave(&engine, &connector, *jobs).await;
        }
        fleet
    }

    /// So many new jobs, all at once, to their end.
    async fn finish_wave(&mut self, engine: &Engine, connector: &Arc<Loaded>, jobs: usize) {
        let clock = &self.clock;
        let port = || Arc::new(Port(Arc::clone(clock)));
        let mut wheel = BinaryHeap::new();
        let mut runs: Vec<Option<Run>> = Vec::new();
        for job in claimed(connector.spec.services[0], jobs, clock).await {
            wheel.push(Reverse((clock.elapsed(), runs.len())));
            runs.push(Some(engine.start(job, Arc::clone(connector), port())));
        }
        while let Some(Reverse((due, index))) = wheel.pop() {
            clock.advance(due.saturating_sub(clock.elapsed()));
            let Some(mut run) = runs[index].take() else { continue };
            match engine.step(&mut run).await {
                Next::Wait(wait) => {
                    wheel.push(Reverse((clock.elapsed() + wait.max(Duration::from_millis(1)), index)));
                    runs[index] = Some(run);
                }
                Next::End(end) => self.ends.push(end),
                Next::Stopped(_) => {}
            }
        }
    }

    fn succeeded(&self) -> usize {
        self.ends.iter().filter(|end| matches!(end, End::Succeeded { .. })).count()
    }

    fn count(&self, start: &str) -> usize {
        let line = |request: &emp_testkit::Recorded| format!("{} {}", request.method, request.target);
        self.fake.requests().iter().filter(|request| line(request).starts_with(start)).count()
    }
}

async fn claimed(service: &str, count: usize, clock: &Arc<ManualClock>) -> Vec<emp_core::job::Job> {
    let store = MemoryStore::new(StoreOptions::default(), Arc::<ManualClock>::clone(clock));
    for _ in 0..count {
        let new = NewJob {
            service: service.to_owned(),
            payload: json!({ "prompt": "a cat" }),
            priority: 5,
            labels: BTreeMap::new(),
            idempotency_key: None,
        };
        store.enqueue(new).await.expect("enqueued");
    }
    let request = ClaimRequest {
        worker: WorkerId::start("fleet"),
        services: BTreeMap::from([(service.to_owned(), count)]),
        labels: BTreeMap::new(),
        connectors: BTreeSet::new(),
        max: count,
    };
    store.claim(request).await.expect("claimed")
}

#[tokio::test]
async fn x5_one_list_serves_fifty_jobs() {
    let fleet = Fleet::finish::<Lists>(50, &[]).await;
    assert_eq!(fleet.succeeded(), 50, "{:?}", fleet.ends);
    let (pages, alone) =
        (fleet.count("GET /jobs?") + fleet.count("GET /__fake/url/page/"), fleet.count("GET /jobs/"));
    // Three pages a batch; 50 jobs alone make about 600 requests in these 220 seconds.
    assert!(pages <= 3 * 50, "{pages} pages");
    assert!(
        (50..=110).contains(&alone),
        "{alone} polls alone: once for each end, and when no more than 20 were left"
    );
    assert_eq!(fleet.fake.ledger().accepted(), 50);
    assert!(fleet.clock.elapsed() < Duration::from_secs(220 + 60), "{:?}", fleet.clock.elapsed());
}

#[tokio::test]
async fn x5_few_jobs_are_polled_alone() {
    let fleet = Fleet::finish::<Lists>(20, &[]).await;
    assert_eq!((fleet.succeeded(), fleet.count("GET /jobs?")), (20, 0));
}

#[tokio::test]
async fn x5_one_question_with_the_ids_serves_fifty_jobs_and_its_answers_are_whole() {
    let fleet = Fleet::finish::<ByIds>(50, &[]).await;
    assert_eq!(fleet.succeeded(), 50, "{:?}", fleet.ends);
    assert!(fleet.count("POST /fetch") <= 2 * 50, "{} questions", fleet.count("POST /fetch"));
    assert!(fleet.count("GET /jobs/") <= 45, "{} polls alone", fleet.count("GET /jobs/"));
    let whole =
        |end: &End| matches!(end, End::Succeeded { result, .. } if result["echo"]["prompt"] == "a cat");
    assert!(fleet.ends.iter().all(whole));
}

#[tokio::test]
async fn x5_a_batch_that_fails_or_tells_nothing_costs_no_job() {
    for fault in [
        "batch:500*",
        "batch:html*",
        "batch:429=5s",
        "batch:forgotten*",
        "batch:cut*2",
        "batch:unknown_status*",
    ] {
        let fleet = Fleet::finish::<Lists>(30, &[fault]).await;
        assert_eq!(fleet.succeeded(), 30, "{fault}: {:?}", fleet.ends);
        assert_eq!(fleet.fake.ledger().accepted(), 30, "{fault}");
        assert!(fleet.count("GET /jobs/") >= 30, "{fault}: each was polled alone");
    }
}

/// Learns how long its jobs take.
#[derive(Connector)]
#[connector(service = "learns", version = "1.0.0", unregistered)]
#[http(base = "https://learns.example.com")]
#[auth(none)]
#[submit(post = "/jobs", json { "prompt": payload.prompt, "model": payload.model ?? "m1" }, capture(id = "$.id"), at_most_once)]
#[poll(get = "/jobs/{job.id}")]
#[states(at = "$.status", queued = ["queued"], running = ["running"], succeeded = ["done"], failed = ["failed"], unknown = running(warn))]
#[outcome(json = "$.result")]
#[pace(min = "1s", max = "10m", jitter = 0.0, learn = payload.prompt)]
struct Learns {}

#[tokio::test]
async fn x6_the_durations_of_earlier_jobs_put_the_polls_where_the_next_one_ends() {
    let polls = |fleet: &Fleet| fleet.count("GET /jobs/");
    let untaught = Fleet::finish_all::<Learns>(&[1], &[]).await;
    let before = Fleet::finish_all::<Learns>(&[4], &[]).await;
    let after = Fleet::finish_all::<Learns>(&[4, 1], &[]).await;
    assert_eq!(after.succeeded(), 5, "{:?}", after.ends);
    let (first, fifth) = (polls(&untaught), polls(&after) - polls(&before));
    assert!(fifth < first && fifth <= 3, "{first} polls untaught, {fifth} polls of the fifth");
}
