//! A worker that cannot renew stops in time; one whose job was taken changes nothing.

use std::sync::Arc;
use std::time::{Duration, Instant};

use emp_core::job::JobState;
use emp_store::store::{Change, Store};
use emp_testkit::{FaultStore, StoreFault, When};
use emp_worker::WorkerOptions;
use serde_json::json;

use crate::bench::{
    LEASE, enqueue, job, memory, memory_with, options, start, start_with, until, until_state,
};
use crate::script::{Ledger, Script};

fn renewal(change: &Change) -> bool {
    *change == Change::Renew
}

#[tokio::test]
async fn p05_a_worker_that_cannot_renew_stops_all_effects_before_its_lease_ends() {
    // Long enough that its last fifth is more than a busy machine's hiccup.
    let lease = 3 * LEASE;
    let (store, ledger) = (memory_with(lease), Arc::new(Ledger::default()));
    let cut = FaultStore::new(Arc::clone(&store));
    let a_store: Arc<dyn Store> = cut.clone();
    let id = enqueue(&store, json!({ "polls": 1000, "every_ms": 10 })).await;
    let longer = WorkerOptions { lease, renew_every: lease / 3, ..options() };
    let a = start_with(longer, &a_store, Script::new("A", &ledger), 1);
    until("A to poll", || async { ledger.last_poll("A") }).await;
    cut.fault_writes(renewal, StoreFault::Before, When::Always);
    let cut_off = Instant::now();
    // Nobody takes the job: the claim lapses all the same.
    while cut_off.elapsed() < lease {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let last = ledger.last_poll("A").expect("A has polled");
    assert!(last < cut_off + lease, "A polled {:?} after it was cut off", last - cut_off);
    assert!(last > cut_off + lease / 2, "A went on while its lease held");
    let polls = ledger.polls(&id);
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(ledger.polls(&id), polls, "no effect while in doubt");
    a.crash().await;
}

#[tokio::test]
async fn f04_a_claim_that_nobody_took_is_regained_and_goes_on_without_a_second_submit() {
    let (store, ledger) = (memory(), Arc::new(Ledger::default()));
    let cut = FaultStore::new(Arc::clone(&store));
    let a_store: Arc<dyn Store> = cut.clone();
    let quiet = WorkerOptions { reap_every: Duration::from_mins(1), ..options() };
    let id = enqueue(&store, json!({ "polls": 40, "every_ms": 20 })).await;
    let a = start_with(quiet, &a_store, Script::new("A", &ledger), 1);
    until("A to poll", || async { ledger.last_poll("A") }).await;
    cut.fault_writes(renewal, StoreFault::Before, When::Always);
    tokio::time::sleep(Duration::from_millis(200)).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    let polls = ledger.polls(&id);
    tokio::time::sleep(Duration::from_millis(60)).await;
    assert_eq!(ledger.polls(&id), polls, "in doubt, it does not poll");
    cut.clear();
    let done = until_state(&store, &id, JobState::Succeeded).await;
    assert_eq!((done.deliveries, done.attempt, ledger.accepted()), (1, 1, 1));
    a.drain().await;
}

#[tokio::test]
async fn p05_a_fenced_run_is_dropped_and_the_new_owner_finishes_the_job() {
    let (store, ledger) = (memory(), Arc::new(Ledger::default()));
    let cut = FaultStore::new(Arc::clone(&store));
    let a_store: Arc<dyn Store> = cut.clone();
    let id = enqueue(&store, json!({ "polls": 60, "every_ms": 10 })).await;
    let a = start(&a_store, Script::new("A", &ledger), 1);
    until("A to poll", || async { ledger.last_poll("A") }).await;
    cut.fault_writes(renewal, StoreFault::Before, When::Always);
    let b = start(&store, Script::new("B", &ledger), 1);
    until("B to take over", || async { ledger.last_poll("B") }).await;
    cut.clear();
    let taken_over = Instant::now();
    let done = until_state(&store, &id, JobState::Succeeded).await;
    assert!(ledger.last_poll("A").expect("A has polled") < taken_over, "A polled after B had taken over");
    assert_eq!((done.deliveries, done.attempt, ledger.accepted()), (2, 1, 1));
    a.drain().await;
    b.drain().await;
}

#[tokio::test]
async fn p05b_a_service_job_that_a_fenced_worker_bought_is_kept() {
    let (store, ledger) = (memory(), Arc::new(Ledger::default()));
    let cut = FaultStore::new(Arc::clone(&store));
    let a_store: Arc<dyn Store> = cut.clone();
    // A's submit takes two leases, A cannot renew meanwhile, and B takes over but comes no further than A's intent.
    let id = enqueue(&store, json!({ "submit_ms": 600, "freeze": "after_intent" })).await;
    let a = start(&a_store, Script::new("A", &ledger), 1);
    until("A to submit", || async { job(&store, &id).await.intent }).await;
    cut.fault_writes(renewal, StoreFault::Before, When::Always);
    let second = Script::freezing("B", &ledger);
    let taken_over = Arc::clone(&second.frozen);
    let b = start(&store, second, 1);
    taken_over.notified().await;
    assert_eq!(ledger.accepted(), 0, "A's submit is under way");
    let kept = until("A's service job", || async {
        let job = job(&store, &id).await;
        job.service_job.or_else(|| job.orphans.first().cloned())
    })
    .await;
    assert_eq!(kept.id, format!("service-{id}/1"));
    a.crash().await;
    b.crash().await;
}

#[tokio::test]
async fn p05b_a_service_job_bought_while_the_store_is_away_is_stored_when_it_is_back() {
    let (store, ledger) = (memory(), Arc::new(Ledger::default()));
    let cut = FaultStore::new(Arc::clone(&store));
    let a_store: Arc<dyn Store> = cut.clone();
    let id = enqueue(&store, json!({ "submit_ms": 50 })).await;
    let a = start(&a_store, Script::new("A", &ledger), 1);
    until("A to submit", || async { job(&store, &id).await.intent }).await;
    cut.down(true);
    let away = Instant::now();
    while away.elapsed() < 2 * LEASE {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(job(&store, &id).await.service_job.is_none());
    cut.down(false);
    let done = until_state(&store, &id, JobState::Succeeded).await;
    assert_eq!((done.attempt, ledger.sends()), (1, 1), "it was not sent again");
    a.drain().await;
}
