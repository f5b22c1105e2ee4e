//! A worker dies; the next one goes on from the stored phase.

use std::sync::Arc;
use std::time::{Duration, Instant};

use emp_core::job::{JobId, JobState, Phase};
use emp_store::store::Store;
use serde_json::json;

use crate::bench::{LEASE, enqueue, job, memory, options, planned_with, start, start_all, until_state};
use crate::script::{Ledger, OTHER, SPEC, Script};

/// Kills worker A where the payload says, lets worker B finish the job, and counts what was paid.
async fn killed_at(point: &str, phase: Phase) {
    let (store, ledger) = (memory(), Arc::new(Ledger::default()));
    let id = enqueue(&store, json!({ "freeze": point, "polls": 2 })).await;
    let first = Script::freezing("A", &ledger);
    let frozen = Arc::clone(&first.frozen);
    let a = start(&store, first, 1);
    frozen.notified().await;
    assert_eq!(job(&store, &id).await.phase, Some(phase), "killed at {point}");
    a.crash().await;

    let b = start(&store, Script::new("B", &ledger), 1);
    let done = until_state(&store, &id, JobState::Succeeded).await;
    assert_eq!(ledger.accepted(), 1, "killed at {point}: submits that were paid for");
    assert_eq!(done.attempt, 1, "killed at {point}: attempts");
    assert_eq!((done.deliveries, done.crashes), (2, 1), "killed at {point}");
    b.drain().await;
}

#[tokio::test]
async fn p01_killed_before_the_first_byte() {
    killed_at("after_intent", Phase::Submitting).await;
}

#[tokio::test]
async fn p01_killed_after_the_submit_and_before_its_id_is_stored() {
    killed_at("after_send", Phase::Submitting).await;
}

#[tokio::test]
async fn p01_killed_while_polling() {
    killed_at("in_poll", Phase::Submitted).await;
}

#[tokio::test]
async fn p08_the_work_of_a_dead_worker_is_back_soon_after_its_lease() {
    let (store, ledger) = (memory(), Arc::new(Ledger::default()));
    let id = enqueue(&store, json!({ "freeze": "in_poll" })).await;
    let first = Script::freezing("A", &ledger);
    let frozen = Arc::clone(&first.frozen);
    let a = start(&store, first, 1);
    frozen.notified().await;
    a.crash().await;
    let dead = Instant::now();
    let b = start(&store, Script::new("B", &ledger), 1);
    until_state(&store, &id, JobState::Succeeded).await;
    assert!(dead.elapsed() < LEASE + Duration::from_secs(1), "{:?}", dead.elapsed());
    b.drain().await;
}

/// A job of which the service knows, left behind by a worker that did it with [`SPEC`].
async fn begun(store: &Arc<dyn Store>, ledger: &Arc<Ledger>) -> JobId {
    let id = enqueue(store, json!({ "freeze": "in_poll", "polls": 2 })).await;
    let first = Script::freezing("A", ledger);
    let frozen = Arc::clone(&first.frozen);
    let a = start(store, first, 1);
    frozen.notified().await;
    a.crash().await;
    id
}

/// The mapping names another connector for the service meanwhile: new jobs are begun with that one, and the old job is finished
/// with its own.
#[tokio::test]
async fn p08_a_begun_job_is_finished_with_the_connector_that_has_begun_it() {
    let (store, ledger) = (memory(), Arc::new(Ledger::default()));
    let old = begun(&store, &ledger).await;
    let both = planned_with(1, &OTHER, &[&SPEC]);
    let b = start_all(options(), &store, Script::new("B", &ledger), both);
    let new = enqueue(&store, json!({})).await;
    let done = until_state(&store, &old, JobState::Succeeded).await;
    assert_eq!((done.attempt, done.deliveries, done.crashes), (1, 2, 1));
    assert_eq!(ledger.connectors(&old), [SPEC.name]);
    until_state(&store, &new, JobState::Succeeded).await;
    assert_eq!(ledger.connectors(&new), [OTHER.name]);
    assert_eq!(ledger.accepted(), 2);
    b.drain().await;
}

/// A worker without that connector never has the job, and does the others meanwhile; one that has it comes later.
#[tokio::test]
async fn p08_a_begun_job_waits_for_a_worker_with_its_connector() {
    let (store, ledger) = (memory(), Arc::new(Ledger::default()));
    let old = begun(&store, &ledger).await;
    let b = start_all(options(), &store, Script::new("B", &ledger), planned_with(1, &OTHER, &[]));
    let waiting = until_state(&store, &old, JobState::Queued).await;
    for _ in 0..3 {
        let new = enqueue(&store, json!({})).await;
        until_state(&store, &new, JobState::Succeeded).await;
    }
    assert_eq!(job(&store, &old).await, waiting, "nobody has touched it");
    let c = start(&store, Script::new("C", &ledger), 1);
    let done = until_state(&store, &old, JobState::Succeeded).await;
    assert_eq!((done.attempt, done.deliveries, done.crashes), (1, 2, 1));
    assert_eq!(ledger.connectors(&old), [SPEC.name]);
    b.drain().await;
    c.drain().await;
}

#[tokio::test]
async fn p07_a_job_of_five_leases_is_claimed_once() {
    let (store, ledger) = (memory(), Arc::new(Ledger::default()));
    let a = start(&store, Script::new("A", &ledger), 1);
    let b = start(&store, Script::new("B", &ledger), 1);
    let id = enqueue(&store, json!({ "polls": 15, "every_ms": 100 })).await;
    let done = until_state(&store, &id, JobState::Succeeded).await;
    assert_eq!((done.deliveries, done.crashes, done.attempt), (1, 0, 1));
    assert_eq!(ledger.polls(&id), 15);
    a.drain().await;
    b.drain().await;
}

/// The executor of the worker has one thread, and a connector blocks it for three leases.
#[test]
fn f07_a_blocked_executor_does_not_lose_the_leases() {
    let store = memory();
    let ledger = Arc::new(Ledger::default());
    let starved = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let other = tokio::runtime::Runtime::new().expect("a runtime");
    let done = starved.block_on(async {
        let a = start(&store, Script::new("A", &ledger), 1);
        let id = enqueue(&store, json!({ "polls": 2, "every_ms": 20, "block_ms": 900 })).await;
        let taker = Arc::clone(&store);
        let (guard, second) = (other.enter(), Script::new("B", &ledger));
        // The other worker waits for its chance on a runtime that is not blocked.
        let b = start(&taker, second, 1);
        drop(guard);
        let done = until_state(&store, &id, JobState::Succeeded).await;
        a.drain().await;
        b.drain().await;
        done
    });
    assert_eq!((done.deliveries, done.crashes), (1, 0));
}
