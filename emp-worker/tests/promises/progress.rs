//! Progress is written seldom, for all jobs together.

use std::sync::Arc;
use std::time::Instant;

use emp_core::job::{EventKind, JobState};
use emp_store::store::{Change, Store, Write};
use emp_testkit::FaultStore;
use serde_json::json;

use crate::bench::{enqueue, memory, options, start, until_state};
use crate::script::{Ledger, Script};

#[tokio::test]
async fn p30_progress_is_coalesced_and_batched_for_all_jobs() {
    let (inner, ledger) = (memory(), Arc::new(Ledger::default()));
    let faults = FaultStore::new(Arc::clone(&inner));
    let store: Arc<dyn Store> = faults.clone();
    let begun = Instant::now();
    let mut ids = Vec::new();
    for _ in 0..10 {
        ids.push(enqueue(&inner, json!({ "polls": 50, "every_ms": 10, "progress": 20 })).await);
    }
    let a = start(&store, Script::new("A", &ledger), 10);
    for id in &ids {
        let done = until_state(&inner, id, JobState::Succeeded).await;
        assert!(done.progress.is_some());
    }
    let ticks = begun.elapsed().as_millis() / options().progress_every.as_millis() + 2;
    {
        let told = |writes: Vec<Write>| {
            writes.into_iter().filter(|write| matches!(write.change, Change::Progress(_))).count()
        };
        let calls: Vec<usize> = faults.written().into_iter().map(told).filter(|jobs| *jobs > 0).collect();
        assert!(calls.len() > 2, "it was written while the jobs ran");
        assert!(calls.len() as u128 <= ticks, "{} writes in {ticks} ticks", calls.len());
        assert!(calls.contains(&10), "all jobs in one write: {calls:?}");
    }
    a.drain().await;
    for id in &ids {
        let events = inner.events(id, 0).await.expect("the store answers").expect("the job is there");
        let told: Vec<_> = events.iter().filter_map(|event| event.progress.as_ref()?.fraction).collect();
        assert!(told.is_sorted(), "progress never falls: {told:?}");
        let end = events.iter().position(|event| event.state == JobState::Succeeded).expect("it has ended");
        assert!(
            events.iter().skip(end).all(|event| event.kind != EventKind::Progress),
            "nothing after the end"
        );
    }
}

#[tokio::test]
async fn m59_text_is_put_together_and_all_of_it_is_written_before_the_end() {
    let (store, ledger) = (memory(), Arc::new(Ledger::default()));
    let id = enqueue(&store, json!({ "polls": 20, "every_ms": 10, "deltas": 10 })).await;
    let a = start(&store, Script::new("A", &ledger), 10);
    until_state(&store, &id, JobState::Succeeded).await;
    a.drain().await;
    let events = store.events(&id, 0).await.expect("the store answers").expect("the job is there");
    let told: Vec<_> = events.iter().filter_map(|event| event.delta.as_ref()).collect();
    let text: String = told.iter().map(|delta| delta.text.as_str()).collect();
    assert_eq!(text.split_whitespace().count(), 200, "{text}");
    assert!(text.starts_with("1.0 1.1 ") && text.ends_with("20.9 "), "{text}");
    assert!((2..=20).contains(&told.len()), "200 pieces in {} events", told.len());
    assert!(told[0].start && told[1..].iter().all(|delta| !delta.start));
    assert_eq!(events.last().map(|event| event.kind), Some(EventKind::Succeeded), "nothing after the end");
}
