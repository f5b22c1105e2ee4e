//! SIGTERM.

use std::sync::Arc;
use std::time::Duration;

use emp_core::job::{JobState, Phase};
use emp_store::store::Store;
use emp_testkit::{FaultStore, StoreFault, Verb, When};
use serde_json::json;

use crate::bench::{
    enqueue, job, memory, options, planned, start, start_all, start_with, until, until_state,
};
use crate::script::{Ledger, Script};

#[tokio::test]
async fn p11_fifty_polling_jobs_are_handed_over_in_less_than_two_seconds() {
    let (store, ledger) = (memory(), Arc::new(Ledger::default()));
    let mut ids = Vec::new();
    for _ in 0..50 {
        // Most of its life each waits for a poll that is an hour away.
        ids.push(enqueue(&store, json!({ "polls": 1, "every_ms": 3_600_000 })).await);
    }
    let a = start(&store, Script::new("A", &ledger), 50);
    for id in &ids {
        until("the job to be submitted", || async { job(&store, id).await.service_job }).await;
    }
    assert_eq!(ledger.accepted(), 50);
    let took = a.drain().await;
    assert!(took < Duration::from_secs(2), "{took:?}");
    for id in &ids {
        let job = job(&store, id).await;
        assert_eq!((job.state, job.phase), (JobState::Queued, Some(Phase::Submitted)));
        assert!(job.lease.is_none() && job.service_job.is_some());
    }
    assert!(store.workers().await.expect("the store answers").is_empty(), "the worker has retired");

    let b = start(&store, Script::new("B", &ledger), 50);
    for id in &ids {
        let done = until_state(&store, id, JobState::Succeeded).await;
        assert_eq!((done.attempt, done.deliveries, done.crashes), (1, 1, 0));
    }
    assert_eq!(ledger.accepted(), 50, "nothing was submitted again");
    b.drain().await;
}

#[tokio::test]
async fn p11_a_submit_under_way_is_awaited_and_its_id_stored() {
    let (store, ledger) = (memory(), Arc::new(Ledger::default()));
    let id = enqueue(&store, json!({ "submit_ms": 400 })).await;
    let a = start(&store, Script::new("A", &ledger), 1);
    until("the submit", || async { job(&store, &id).await.intent }).await;
    let took = a.drain().await;
    assert!(took < Duration::from_secs(2), "{took:?}");
    let job = job(&store, &id).await;
    assert_eq!((job.state, job.phase), (JobState::Queued, Some(Phase::Submitted)));
    assert_eq!(ledger.accepted(), 1);
}

#[tokio::test]
async fn p11_what_cannot_be_handed_over_in_time_is_left_to_its_lease() {
    let (store, ledger) = (memory(), Arc::new(Ledger::default()));
    let id = enqueue(&store, json!({ "freeze": "after_intent" })).await;
    let script = Script::freezing("A", &ledger);
    let frozen = Arc::clone(&script.frozen);
    let short = emp_worker::WorkerOptions { drain_timeout: Duration::from_millis(200), ..options() };
    let a = start_with(short, &store, script, 1);
    frozen.notified().await;
    let took = a.drain().await;
    assert!(took < Duration::from_secs(1), "{took:?}");
    assert_eq!(job(&store, &id).await.phase, Some(Phase::Submitting));
}

#[tokio::test]
async fn p11_a_worker_that_stops_claims_nothing_more() {
    let (store, ledger) = (memory(), Arc::new(Ledger::default()));
    let slow = enqueue(&store, json!({ "submit_ms": 300 })).await;
    let a = start(&store, Script::new("A", &ledger), 5);
    until("the submit", || async { job(&store, &slow).await.intent }).await;
    let (took, late) = tokio::join!(a.drain(), async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        enqueue(&store, json!({})).await
    });
    assert!(took < Duration::from_secs(2), "{took:?}");
    let late = job(&store, &late).await;
    assert_eq!((late.state, late.deliveries), (JobState::Queued, 0));
}

/// Whatever a disk takes for a commit, the workers of one process leave together; and none of them is listed again by an announcement
/// that was on its way.
#[tokio::test]
async fn p11_idle_workers_leave_together_and_for_good() {
    let faulty = FaultStore::new(memory());
    let store: Arc<dyn Store> = faulty.clone();
    let workers = (0..4).flat_map(|_| planned(1)).collect();
    let all = start_all(options(), &store, Script::new("A", &Arc::default()), workers);
    until("four workers", || async { store.workers().await.ok().filter(|workers| workers.len() == 4) }).await;
    for verb in [Verb::Announce, Verb::Retire] {
        faulty.fault(verb, StoreFault::Delay(Duration::from_millis(100)), When::Always);
    }
    let took = all.drain().await;
    assert!(took < Duration::from_millis(300), "{took:?}");
    tokio::time::sleep(Duration::from_millis(150)).await;
    assert!(store.workers().await.expect("the store answers").is_empty(), "they have retired");
}
