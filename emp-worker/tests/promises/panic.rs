//! A connector panics (F6).

use std::sync::Arc;
use std::time::Duration;

use emp_core::ErrorCode;
use emp_core::error::Billed;
use emp_core::job::JobState;
use serde_json::json;

use crate::bench::{enqueue, job, memory, options, start, start_with, until_state};
use crate::script::{Ledger, Script};

#[tokio::test]
async fn f06_a_panic_fails_its_job_and_not_the_worker() {
    let (store, ledger) = (memory(), Arc::new(Ledger::default()));
    let a = start(&store, Script::new("A", &ledger), 2);
    let bad = enqueue(&store, json!({ "panic": "prepared" })).await;
    let error = until_state(&store, &bad, JobState::Failed).await.error.expect("it says why");
    assert_eq!((error.code, error.billed), (ErrorCode::EConnectorPanic, Billed::No));
    assert!(error.message.contains("script.rs:"), "{}", error.message);
    assert!(!error.message.contains("the payload asked"), "{}", error.message);
    let good = enqueue(&store, json!({})).await;
    until_state(&store, &good, JobState::Succeeded).await;
    a.drain().await;
}

#[tokio::test]
async fn f06_a_panic_in_a_submit_leaves_the_job_uncertain() {
    let (store, ledger) = (memory(), Arc::new(Ledger::default()));
    let a = start(&store, Script::new("A", &ledger), 1);
    let id = enqueue(&store, json!({ "panic": "submitting" })).await;
    let error = until_state(&store, &id, JobState::Uncertain).await.error.expect("it says why");
    assert_eq!(error.billed, Billed::Maybe);
    a.drain().await;
}

#[tokio::test]
async fn f06_three_panics_in_a_row_pause_the_connector() {
    let (store, ledger) = (memory(), Arc::new(Ledger::default()));
    let paused = emp_worker::WorkerOptions { panic_pause: Duration::from_millis(400), ..options() };
    let a = start_with(paused, &store, Script::new("A", &ledger), 1);
    for _ in 0..3 {
        let id = enqueue(&store, json!({ "panic": "prepared" })).await;
        until_state(&store, &id, JobState::Failed).await;
    }
    let next = enqueue(&store, json!({})).await;
    tokio::time::sleep(Duration::from_millis(150)).await;
    assert_eq!(job(&store, &next).await.state, JobState::Queued, "no job is claimed during the pause");
    until_state(&store, &next, JobState::Succeeded).await;
    a.drain().await;
}
