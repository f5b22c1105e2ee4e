//! What a worker says of itself.

use std::sync::Arc;

use emp_core::health::HealthStatus;
use serde_json::json;

use crate::bench::{enqueue, job, memory, start, until};
use crate::script::{Ledger, Script};

#[tokio::test]
async fn a_worker_announces_what_it_is_and_runs() {
    let (store, ledger) = (memory(), Arc::new(Ledger::default()));
    let id = enqueue(&store, json!({ "every_ms": 3_600_000 })).await;
    let a = start(&store, Script::new("A", &ledger), 3);
    until("the submit", || async { job(&store, &id).await.service_job }).await;
    let status = until("the worker to say that it runs the job, and is well", || async {
        let workers = store.workers().await.expect("the store answers");
        workers.into_iter().find(|worker| {
            worker.running.contains(&id)
                && worker.services.iter().any(|service| service.health.status == HealthStatus::Healthy)
        })
    })
    .await;
    assert_eq!((status.name.as_str(), status.slots, status.draining), ("script", 3, false));
    assert_eq!(status.pid, std::process::id());
    assert_eq!(status.services[0].connector, "ScriptConnector");
    a.drain().await;
}

#[tokio::test]
async fn p10_two_workers_of_one_name_are_two() {
    let (store, ledger) = (memory(), Arc::new(Ledger::default()));
    let a = start(&store, Script::new("A", &ledger), 1);
    let b = start(&store, Script::new("B", &ledger), 1);
    until("both to be there", || async {
        Some(store.workers().await.expect("the store answers")).filter(|workers| workers.len() == 2)
    })
    .await;
    a.drain().await;
    b.drain().await;
}
