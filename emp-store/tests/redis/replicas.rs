//! Whether other servers have what a client was told (P18b).

use emp_core::job::JobState;
use emp_store::{CancelAnswer, Enqueued, NewJob, RedisStore, Store as _, StoreError, StoreOptions};
use emp_testkit::redis::{RedisBox, RedisCluster};

use crate::new;

fn careful() -> StoreOptions {
    StoreOptions { replicas: 1, ..StoreOptions::default() }
}

/// P18b: while the replica is silent nothing is acknowledged, and what was is not lost when it takes over.
#[tokio::test]
async fn p18b_what_is_acknowledged_is_at_a_replica() {
    let (primary, replica) = (RedisBox::start().expect("a server"), RedisBox::start().expect("a server"));
    replica.follow(&primary).expect("a replica");
    let store = RedisStore::open(&primary.url(), careful()).await.expect("a store");
    let keyed = |key: &str| NewJob { idempotency_key: Some(key.to_owned()), ..new() };
    let Enqueued::New(safe) = store.enqueue(keyed("safe")).await.expect("enqueue") else { panic!("new") };
    replica.freeze().expect("frozen");
    let refused = store.enqueue(keyed("late")).await;
    assert!(
        matches!(&refused, Err(StoreError::Unreplicated(text)) if text.contains("0 of 1")),
        "{refused:?}"
    );
    let refused = store.cancel(&safe.id, "me", None).await;
    assert!(matches!(refused, Err(StoreError::Unreplicated(_))), "{refused:?}");
    replica.thaw().expect("thawed");
    // The same job, and this time it is there.
    let Enqueued::Replayed(late) = store.enqueue(keyed("late")).await.expect("enqueue") else {
        panic!("replayed")
    };
    let cancelled = store.cancel(&safe.id, "me", None).await.expect("cancel");
    assert!(matches!(cancelled, CancelAnswer::Recorded(_)), "{cancelled:?}");
    drop(primary);
    replica.promote().expect("promoted");
    let after = RedisStore::open(&replica.url(), StoreOptions::default()).await.expect("a store");
    let state = async |id| after.get(id).await.expect("get").map(|job| job.state);
    assert_eq!(state(&safe.id).await, Some(JobState::Cancelled));
    assert_eq!(state(&late.id).await, Some(JobState::Queued));
}

/// P18b: in a cluster the server that has the queue is asked.
#[tokio::test]
async fn p18b_in_a_cluster_without_replicas_nothing_is_acknowledged() {
    let cluster = RedisCluster::start(3).expect("a cluster");
    let store = RedisStore::open(&cluster.url(), careful()).await.expect("a store");
    let refused = store.enqueue(new()).await;
    assert!(
        matches!(&refused, Err(StoreError::Unreplicated(text)) if text.contains("0 of 1")),
        "{refused:?}"
    );
}

/// P18b: a store that has no replicas does not promise any.
#[tokio::test]
async fn p18b_a_store_without_replicas_is_refused_with_what_to_do() {
    for url in ["memory:", "file:./unused"] {
        let Err(StoreError::Url(text)) = emp_store::open(url, careful()).await else {
            panic!("{url} has none")
        };
        assert!(text.contains("--store-replicas") && text.contains("redis://"), "{text}");
    }
}
