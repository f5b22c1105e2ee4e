//! The store fails.

use std::sync::Arc;
use std::time::Duration;

use emp_core::job::JobState;
use emp_store::store::{Change, Store};
use emp_testkit::{FaultStore, StoreFault, Verb, When};
use emp_worker::WorkerOptions;
use serde_json::json;

use crate::bench::{enqueue, job, memory, options, start, start_with, until, until_state};
use crate::script::{Ledger, Script};

#[tokio::test]
async fn p21_an_outcome_survives_store_errors_and_is_written_once() {
    let (inner, ledger) = (memory(), Arc::new(Ledger::default()));
    let faults = FaultStore::new(Arc::clone(&inner));
    let finish = |change: &Change| matches!(change, Change::Finish(_));
    faults.fault_writes(finish, StoreFault::Before, When::First(2));
    faults.fault_writes(finish, StoreFault::After, When::Nth(3));
    let store: Arc<dyn Store> = faults.clone();
    let a = start(&store, Script::new("A", &ledger), 1);
    let id = enqueue(&inner, json!({})).await;
    let done = until_state(&inner, &id, JobState::Succeeded).await;
    assert_eq!((done.attempt, done.deliveries, ledger.accepted()), (1, 1, 1));
    assert!(a.drain().await < Duration::from_secs(1));
    let tries = faults.written().into_iter().flatten().filter(|write| finish(&write.change)).count();
    assert_eq!(tries, 4, "twice it did not arrive, once its answer did not");
    let events = inner.events(&id, 0).await.expect("the store answers").expect("the job is there");
    assert_eq!(events.iter().filter(|event| event.state == JobState::Succeeded).count(), 1);
}

#[tokio::test]
async fn p21_a_store_down_longer_than_the_lease_does_not_abandon_the_outcome() {
    let (inner, ledger) = (memory(), Arc::new(Ledger::default()));
    let faults = FaultStore::new(Arc::clone(&inner));
    let store: Arc<dyn Store> = faults.clone();
    // Nobody takes the job back meanwhile.
    let quiet = WorkerOptions { reap_every: Duration::from_mins(1), ..options() };
    let a = start_with(quiet, &store, Script::new("A", &ledger), 1);
    let id = enqueue(&inner, json!({ "polls": 1, "every_ms": 100 })).await;
    until("the submit", || async { job(&inner, &id).await.service_job }).await;
    faults.down(true);
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert_eq!(ledger.polls(&id), 1, "it has ended at the service");
    faults.down(false);
    let done = until_state(&inner, &id, JobState::Succeeded).await;
    assert_eq!((done.attempt, done.deliveries, ledger.polls(&id)), (1, 1, 1));
    a.drain().await;
}

#[tokio::test]
async fn p22_a_store_that_is_down_is_asked_less_and_less() {
    let (inner, ledger) = (memory(), Arc::new(Ledger::default()));
    let faults = FaultStore::new(Arc::clone(&inner));
    faults.down(true);
    let store: Arc<dyn Store> = faults.clone();
    let a = start(&store, Script::new("A", &ledger), 10);
    for _ in 0..5 {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    // 50, 100, 200, 400 ms: five tries in the first second.
    assert!((3..=7).contains(&faults.calls(Verb::Claim)), "{}", faults.calls(Verb::Claim));
    assert_eq!(faults.calls(Verb::Write), 0, "nothing to renew");
    faults.down(false);
    let id = enqueue(&inner, json!({})).await;
    until_state(&inner, &id, JobState::Succeeded).await;
    a.drain().await;
}

#[tokio::test]
async fn p22_an_idle_worker_asks_the_store_twice_a_second_at_most() {
    let (inner, ledger) = (memory(), Arc::new(Ledger::default()));
    let faults = FaultStore::new(Arc::clone(&inner));
    let store: Arc<dyn Store> = faults.clone();
    let defaults = WorkerOptions::default();
    let a = start_with(defaults, &store, Script::new("A", &ledger), 10);
    for _ in 0..10 {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let calls: usize = [Verb::Claim, Verb::Write, Verb::Reap, Verb::Announce, Verb::Get]
        .map(|verb| faults.calls(verb))
        .iter()
        .sum();
    assert!(calls <= 2 + 2 * 2, "{calls} calls in two seconds");
    a.drain().await;
}

#[tokio::test]
async fn p17_without_any_hint_a_job_is_found_within_the_slow_poll() {
    let (inner, ledger) = (memory(), Arc::new(Ledger::default()));
    let faults = FaultStore::new(Arc::clone(&inner));
    faults.deaf(true);
    let store: Arc<dyn Store> = faults.clone();
    let a = start_with(options(), &store, Script::new("A", &ledger), 1);
    tokio::time::sleep(Duration::from_millis(50)).await;
    let id = enqueue(&inner, json!({})).await;
    let begun = std::time::Instant::now();
    until_state(&inner, &id, JobState::Succeeded).await;
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    a.drain().await;
}

#[tokio::test]
async fn p17_with_hints_a_job_does_not_wait_for_the_slow_poll() {
    let (store, ledger) = (memory(), Arc::new(Ledger::default()));
    let slow = WorkerOptions { poll_every: Duration::from_secs(5), ..options() };
    let a = start_with(slow, &store, Script::new("A", &ledger), 1);
    tokio::time::sleep(Duration::from_millis(100)).await;
    let id = enqueue(&store, json!({})).await;
    let begun = std::time::Instant::now();
    until_state(&store, &id, JobState::Succeeded).await;
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    a.drain().await;
}

#[tokio::test]
async fn jobs_that_run_together_share_their_calls_to_the_store() {
    let (inner, ledger) = (memory(), Arc::new(Ledger::default()));
    let faults = FaultStore::new(Arc::clone(&inner));
    let mut ids = Vec::new();
    for _ in 0..400 {
        ids.push(enqueue(&inner, json!({ "every_ms": 0 })).await);
    }
    let store: Arc<dyn Store> = faults.clone();
    let a = start(&store, Script::new("A", &ledger), 50);
    for id in &ids {
        until_state(&inner, id, JobState::Succeeded).await;
    }
    // Each job needs a claim and three durable writes: 1,600 calls if each were alone.
    let calls = faults.calls(Verb::Claim) + faults.calls(Verb::Write);
    assert!(calls < 400, "{calls} calls for 400 jobs");
    a.drain().await;
}
