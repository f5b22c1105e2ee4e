//! The worker of the mapping, with every stock connector against its fake: from the queue to the result.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use emp::REGISTRY;
use emp_core::env::ProcessEnv;
use emp_core::job::{Job, JobState};
use emp_core::mapping::Mapping;
use emp_core::{Clock, SystemClock};
use emp_engine::outputs::Outputs;
use emp_engine::{Engine, EngineOptions};
use emp_outputs::OutputStore;
use emp_store::{Enqueued, MemoryStore, NewJob, Store, StoreOptions};
use emp_testkit::{FakeEnv, FakeOptions, FakeService, example};
use emp_worker::plan::plan_with_bases;
use emp_worker::{Worker, WorkerOptions};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::bench::over_http;

async fn enqueue(store: &MemoryStore, service: &str, payload: Value) -> Job {
    let new = NewJob {
        service: service.to_owned(),
        payload,
        priority: 5,
        labels: BTreeMap::new(),
        idempotency_key: None,
    };
    match store.enqueue(new).await.expect("the store works") {
        Enqueued::New(job) | Enqueued::Replayed(job) => job,
        Enqueued::KeyConflict { job } => unreachable!("{job} has no key"),
    }
}

async fn ended(store: &MemoryStore, job: &Job) -> Job {
    loop {
        let now = store.get(&job.id).await.expect("the store works").expect("the job is there");
        if now.state.terminal() {
            return now;
        }
        let _hint = tokio::time::timeout(Duration::from_millis(50), store.changed()).await;
    }
}

#[tokio::test]
async fn the_workers_of_the_mapping_complete_a_job_of_every_service() {
    let mut fakes = BTreeMap::new();
    for entry in over_http() {
        let fake = FakeService::start(entry.spec, FakeOptions::instant()).await.expect("starts");
        fakes.insert(entry.spec.name.to_owned(), fake);
    }
    let bases = fakes.iter().map(|(name, fake)| (name.clone(), fake.base_url())).collect();
    let mapping = Mapping::parse(REGISTRY.mapping_text().expect("a mapping")).expect("a good mapping");
    let env = FakeEnv::new(&REGISTRY, ProcessEnv);
    let workers: Vec<String> = mapping.workers.keys().map(|name| format!("{name}:1")).collect();
    let planned = plan_with_bases(&mapping, &REGISTRY, &workers.join(","), &env, &bases).expect("a plan");

    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let store = Arc::new(MemoryStore::new(StoreOptions::default(), Arc::clone(&clock)));
    let outputs: Arc<dyn Outputs> = Arc::new(OutputStore::memory());
    let engine = Engine::new(EngineOptions { outputs: Some(outputs), ..EngineOptions::default() });
    let stop = CancellationToken::new();
    let worker =
        Worker::new(WorkerOptions::default(), Arc::<MemoryStore>::clone(&store), engine, planned, clock);
    let running = tokio::spawn(worker.run(stop.clone()));

    let mut jobs = Vec::new();
    for entry in REGISTRY.entries() {
        let payload = match entry.spec.name {
            // Its example takes as long as it says.
            "SimulationConnector" => json!({ "duration_ms": 0, "echo": "hi" }),
            _ => example(&entry.spec.payload.to_json_schema()),
        };
        jobs.push((entry.spec, enqueue(&store, entry.spec.services[0], payload).await));
    }
    for (spec, job) in &jobs {
        let job = ended(&store, job).await;
        assert_eq!(job.state, JobState::Succeeded, "{}: {:?}", spec.name, job.error);
        // What a browser of this machine does is submitted nowhere.
        let submits = u32::from(spec.name != "PlaywrightConnector");
        assert_eq!((job.attempt, job.deliveries), (submits, 1), "{}", spec.name);
    }
    assert!(fakes.values().all(|fake| fake.ledger().accepted() == 1));
    stop.cancel();
    running.await.expect("the worker stops");
}
