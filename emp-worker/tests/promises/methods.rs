//! Every method of the store fails in every way, while workers do jobs on it.

use std::sync::Arc;
use std::time::Duration;

use emp_core::job::{EventKind, JobState};
use emp_store::store::Store;
use emp_testkit::{FaultStore, StoreFault, Verb, When};
use serde_json::json;
use tokio::task::JoinSet;

use crate::bench::{enqueue, memory, start, until, until_state};
use crate::script::{Ledger, Script};

/// Longer than a lease, so that what is asked late is asked by somebody who has lost it.
const LATE: StoreFault = StoreFault::Delay(Duration::from_millis(400));
/// So many calls in a row go wrong.
const SOME: When = When::First(2);
/// What a worker asks of its store in the ordinary course of things.
const ASKED: [Verb; 5] = [Verb::Write, Verb::Claim, Verb::Reap, Verb::Announce, Verb::Retire];

/// Two workers, one of which stops half-way, do four jobs on a store of which one method fails; one job is cancelled.
async fn live(verb: Verb, fault: StoreFault) {
    let (inner, ledger) = (memory(), Arc::new(Ledger::default()));
    let faulty = FaultStore::new(Arc::clone(&inner));
    faulty.fault(verb, fault, SOME);
    let store: Arc<dyn Store> = faulty.clone();
    let a = start(&store, Script::new("A", &ledger), 4);
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(enqueue(&inner, json!({ "polls": 4, "every_ms": 40, "progress": 2, "deltas": 1 })).await);
    }
    let cancelled = enqueue(&inner, json!({ "polls": 10_000, "every_ms": 20 })).await;
    until("the job to be at the service", || async { inner.get(&cancelled).await.ok()??.service_job }).await;
    inner.cancel(&cancelled, "test", None).await.expect("the store answers");
    a.drain().await;
    let b = start(&store, Script::new("B", &ledger), 4);
    for id in &ids {
        let done = until_state(&inner, id, JobState::Succeeded).await;
        assert_eq!(done.attempt, 1, "{verb:?} {fault:?}");
        let events = inner.events(id, 0).await.expect("the store answers").expect("the job is there");
        let ends = events.iter().filter(|event| event.kind == EventKind::Succeeded).count();
        assert_eq!(
            (ends, events.last().map(|event| event.kind)),
            (1, Some(EventKind::Succeeded)),
            "{verb:?} {fault:?}"
        );
    }
    until_state(&inner, &cancelled, JobState::Cancelled).await;
    assert_eq!(ledger.accepted(), 4, "{verb:?} {fault:?}: submits that were paid for");
    b.drain().await;
    if ASKED.contains(&verb) {
        assert!(faulty.calls(verb) > 0, "{verb:?} was never asked");
    }
}

#[tokio::test]
async fn p21_whatever_method_fails_each_job_ends_once_and_is_paid_once() {
    let mut lives = JoinSet::new();
    for verb in Verb::ALL {
        for fault in [StoreFault::Before, StoreFault::After, LATE] {
            lives.spawn(live(*verb, fault));
        }
    }
    while let Some(ended) = lives.join_next().await {
        ended.expect("it holds");
    }
}
