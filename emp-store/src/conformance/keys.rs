//! Idempotency keys (P14, P16).

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;

use super::{Bench, labels, new, success};
use crate::store::{Enqueued, ListQuery, NewJob};

fn keyed() -> NewJob {
    NewJob { idempotency_key: Some("order-17".to_owned()), ..new("svc") }
}

/// P14: whoever is refused learns by whom, and not for ever.
pub async fn p14_a_key_names_its_holder_and_is_freed_in_time(bench: Bench) {
    let holder = bench.add(keyed()).await;
    let other = || NewJob { payload: json!({ "other": true }), ..keyed() };
    let conflict = Enqueued::KeyConflict { job: holder.id.clone() };
    bench.clock.advance(Duration::from_hours(49));
    bench.store.reap().await.expect("reap");
    assert_eq!(bench.store.enqueue(other()).await.expect("enqueue"), conflict, "its job has not ended");
    let claimed = bench.claim_as("w").await.expect("the job");
    bench.write(&claimed, success()).await;
    let freed = bench.add(other()).await;
    assert_ne!(freed.id, holder.id);
    let claimed = bench.claim_as("w").await.expect("the job");
    bench.write(&claimed, success()).await;
    bench.clock.advance(Duration::from_hours(47));
    bench.store.reap().await.expect("reap");
    let conflict = Enqueued::KeyConflict { job: freed.id };
    assert_eq!(bench.store.enqueue(keyed()).await.expect("enqueue"), conflict, "kept 48 h");
    bench.clock.advance(Duration::from_hours(1));
    bench.store.reap().await.expect("reap");
    bench.add(keyed()).await;
}

/// P16, P6: a repeated enqueue answers the same job, whatever has become of it.
pub async fn p16_the_same_key_and_body_is_the_same_job(bench: Bench) {
    let job = bench.add(keyed()).await;
    // The order of an object's keys says nothing.
    let same = NewJob { payload: json!({ "n": 1, "prompt": "a lighthouse" }), ..keyed() };
    assert_eq!(bench.store.enqueue(same).await.expect("enqueue"), Enqueued::Replayed(job.clone()));
    let claimed = bench.claim_as("w").await.expect("the job");
    bench.write(&claimed, success()).await;
    let ended = bench.job(&job.id).await;
    assert_eq!(bench.store.enqueue(keyed()).await.expect("enqueue"), Enqueued::Replayed(ended));
    assert_eq!(bench.claim_as("w").await, None, "one job, done once");
}

/// P16: a key is for one body.
pub async fn p16_the_same_key_with_another_body_is_refused(bench: Bench) {
    let job = bench.add(keyed()).await;
    let others = [
        NewJob { payload: json!({ "prompt": "a lighthouse", "n": 2 }), ..keyed() },
        NewJob { service: "other".to_owned(), ..keyed() },
        NewJob { priority: 6, ..keyed() },
        NewJob { labels: labels(&[("gpu", "h100")]), ..keyed() },
    ];
    for other in others {
        let answer = bench.store.enqueue(other.clone()).await.expect("enqueue");
        assert_eq!(answer, Enqueued::KeyConflict { job: job.id.clone() }, "{other:?}");
    }
    let page = bench.store.list(ListQuery { limit: 10, ..ListQuery::default() }).await.expect("list");
    assert_eq!(page.jobs.len(), 1);
}

/// P16: also when they all come in the same moment.
pub async fn p16_one_key_from_many_at_once_makes_one_job(bench: Bench) {
    let answers = futures_util::future::join_all((0..20).map(|_| bench.store.enqueue(keyed()))).await;
    let mut new = 0;
    let mut ids = BTreeSet::new();
    for answer in answers {
        match answer.expect("enqueue") {
            Enqueued::New(job) => {
                new += 1;
                ids.insert(job.id);
            }
            Enqueued::Replayed(job) => {
                ids.insert(job.id);
            }
            other @ Enqueued::KeyConflict { .. } => panic!("the same body is no conflict: {other:?}"),
        }
    }
    assert_eq!((new, ids.len()), (1, 1));
}
