//! Cancels, wherever they meet the job.

use std::sync::Arc;
use std::time::{Duration, Instant};

use emp_core::job::{JobState, UpstreamCancel};
use emp_store::store::CancelAnswer;
use serde_json::json;

use crate::bench::{
    LEASE, enqueue, job, memory, memory_with, options, start, start_with, until, until_state,
};
use crate::script::{Ledger, Script};

#[tokio::test]
async fn p15_a_waiting_job_is_cancelled_at_the_service_soon_after_it_was_asked() {
    let lease = 20 * LEASE;
    let (store, ledger) = (memory_with(lease), Arc::new(Ledger::default()));
    let id = enqueue(&store, json!({ "every_ms": 3_600_000 })).await;
    let renewed_seldom = emp_worker::WorkerOptions { lease, renew_every: lease / 3, ..options() };
    let a = start_with(renewed_seldom, &store, Script::new("A", &ledger), 1);
    until("the submit", || async { job(&store, &id).await.service_job }).await;
    let asked = Instant::now();
    assert!(matches!(store.cancel(&id, "test", None).await, Ok(CancelAnswer::Recorded(_))));
    let done = until_state(&store, &id, JobState::Cancelled).await;
    assert!(asked.elapsed() < lease / 6, "long before the next renewal: {:?}", asked.elapsed());
    assert_eq!(done.cancel.and_then(|cancel| cancel.upstream), Some(UpstreamCancel::Confirmed));
    assert!(ledger.cancelled(&id));
    a.drain().await;
}

#[tokio::test]
async fn p15_a_cancel_during_the_submit_waits_for_its_id_and_cancels_it() {
    let (store, ledger) = (memory(), Arc::new(Ledger::default()));
    let id = enqueue(&store, json!({ "submit_ms": 200, "every_ms": 3_600_000 })).await;
    let a = start(&store, Script::new("A", &ledger), 1);
    until("the submit", || async { job(&store, &id).await.intent }).await;
    store.cancel(&id, "test", None).await.expect("the store answers");
    let done = until_state(&store, &id, JobState::Cancelled).await;
    assert_eq!(done.cancel.and_then(|cancel| cancel.upstream), Some(UpstreamCancel::Confirmed));
    assert_eq!(ledger.accepted(), 1);
    a.drain().await;
}

#[tokio::test]
async fn p15_a_queued_job_is_cancelled_without_a_submit() {
    let (store, ledger) = (memory(), Arc::new(Ledger::default()));
    let id = enqueue(&store, json!({})).await;
    store.cancel(&id, "test", None).await.expect("the store answers");
    let a = start(&store, Script::new("A", &ledger), 1);
    until_state(&store, &id, JobState::Cancelled).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(ledger.accepted(), 0);
    a.drain().await;
}

#[tokio::test]
async fn p15_the_job_of_a_dead_worker_is_cancelled_by_the_next_one() {
    let (store, ledger) = (memory(), Arc::new(Ledger::default()));
    let id = enqueue(&store, json!({ "freeze": "in_poll" })).await;
    let first = Script::freezing("A", &ledger);
    let frozen = Arc::clone(&first.frozen);
    let a = start(&store, first, 1);
    frozen.notified().await;
    a.crash().await;
    store.cancel(&id, "test", None).await.expect("the store answers");
    let b = start(&store, Script::new("B", &ledger), 1);
    let done = until_state(&store, &id, JobState::Cancelled).await;
    assert_eq!(done.cancel.and_then(|cancel| cancel.upstream), Some(UpstreamCancel::Confirmed));
    assert!(ledger.cancelled(&id));
    assert_eq!(ledger.accepted(), 1);
    b.drain().await;
}
