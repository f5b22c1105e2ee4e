//! How many jobs may wait (P27).

use std::time::Duration;

use super::{Bench, ask, new, release, success};
use crate::store::{Enqueued, NewJob, StoreError};

/// P27: what comes on top of them is refused and leaves nothing behind; what was taken in goes on, and so does every other service.
pub async fn p27_too_many_waiting_jobs_of_a_service_are_refused(bench: Bench) {
    let keyed = |key: &str| NewJob { idempotency_key: Some(key.to_owned()), ..new("bounded") };
    for key in ["a", "b", "c"] {
        bench.add(keyed(key)).await;
    }
    let before = bench.store.counts().await.expect("counts");
    let refused = bench.store.enqueue(keyed("d")).await;
    assert!(matches!(&refused, Err(StoreError::Crowded(text)) if text.contains("bounded")), "{refused:?}");
    assert_eq!(bench.store.counts().await.expect("counts"), before, "nothing is half stored");
    let again = bench.store.enqueue(keyed("a")).await.expect("enqueue");
    assert!(matches!(again, Enqueued::Replayed(_)), "it is in already: {again:?}");
    bench.add_one().await;
    let claimed = bench.store.claim(ask("w", &[("bounded", 3)], &[])).await.expect("claim");
    assert_eq!(claimed.len(), 3);
    // One that runs does not wait. The key of the job that was refused is free.
    bench.add(keyed("d")).await;
    for job in &claimed {
        assert!(bench.write(job, release(Duration::ZERO)).await.holds(), "what was taken in comes back");
    }
    assert!(matches!(bench.store.enqueue(keyed("e")).await, Err(StoreError::Crowded(_))));
    let claimed = bench.store.claim(ask("w", &[("bounded", 2)], &[])).await.expect("claim");
    for job in &claimed {
        assert!(bench.write(job, success()).await.holds());
    }
    bench.add(keyed("e")).await;
}
