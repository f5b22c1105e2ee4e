//! A service's call: a job that waits for its next poll is looked at soon, and one that is not known yet is not forgotten.

use std::sync::Arc;
use std::time::Instant;

use emp_core::job::{EventKind, JobState};
use serde_json::json;

use crate::bench::{LEASE, enqueue, job, memory_with, options, start_with, until, until_state};
use crate::script::{Ledger, Script};

#[tokio::test]
async fn m58_a_job_that_waits_an_hour_is_looked_at_soon_after_its_service_has_called() {
    let lease = 20 * LEASE;
    let (store, ledger) = (memory_with(lease), Arc::new(Ledger::default()));
    let id = enqueue(&store, json!({ "polls": 1, "every_ms": 3_600_000 })).await;
    let renewed_seldom = emp_worker::WorkerOptions { lease, renew_every: lease / 3, ..options() };
    let a = start_with(renewed_seldom, &store, Script::new("A", &ledger), 1);
    until("the submit", || async { job(&store, &id).await.service_job }).await;
    assert_eq!(ledger.polls(&id), 0);
    let asked = Instant::now();
    assert!(store.nudge(&id, None).await.expect("the store answers"));
    until_state(&store, &id, JobState::Succeeded).await;
    assert!(asked.elapsed() < lease / 6, "long before the next renewal: {:?}", asked.elapsed());
    let events = store.events(&id, 0).await.expect("the store answers").expect("events");
    assert!(events.iter().any(|event| event.kind == EventKind::WebhookReceived));
    a.drain().await;
}

#[tokio::test]
async fn m58_a_call_that_comes_before_the_submits_answer_is_not_forgotten() {
    let lease = 20 * LEASE;
    let (store, ledger) = (memory_with(lease), Arc::new(Ledger::default()));
    let id = enqueue(&store, json!({ "submit_ms": 300, "polls": 1, "every_ms": 3_600_000 })).await;
    let a = start_with(options(), &store, Script::new("A", &ledger), 1);
    until("the intent", || async { job(&store, &id).await.intent }).await;
    assert!(store.nudge(&id, None).await.expect("the store answers"));
    until_state(&store, &id, JobState::Succeeded).await;
    assert_eq!(ledger.accepted(), 1);
    a.drain().await;
}
