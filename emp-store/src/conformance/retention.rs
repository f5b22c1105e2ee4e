//! How long jobs are kept that have ended (P28).

use std::time::Duration;

use emp_core::job::{Job, JobState};

use super::{Bench, error, intent, new, success};
use crate::store::{Change, Enqueued, Finish, ListQuery, NewJob};

async fn is_there(bench: &Bench, job: &Job) -> bool {
    bench.store.reap().await.expect("reap");
    let found = bench.store.get(&job.id).await.expect("get").is_some();
    let events = bench.store.events(&job.id, 0).await.expect("events").is_some();
    let page = bench.store.list(ListQuery { limit: 200, ..ListQuery::default() }).await.expect("list");
    let listed = page.jobs.iter().any(|listed| listed.id == job.id);
    assert_eq!((events, listed), (found, found), "a job is there, or nothing of it is");
    found
}

/// P28: each end has its time; what waits for a person has none.
pub async fn p28_a_job_that_ended_is_forgotten_after_its_time(bench: Bench) {
    let ends = [
        (success(), Duration::from_hours(24)),
        (Change::Finish(Finish::Failed(error())), Duration::from_hours(7 * 24)),
    ];
    for (end, kept) in ends {
        let job = bench.submitted().await;
        assert!(bench.write(&job, end).await.holds());
        bench.clock.advance(kept / 2);
        assert!(is_there(&bench, &job).await);
        bench.clock.advance(kept / 2);
        assert!(!is_there(&bench, &job).await);
    }
    assert!(bench.store.counts().await.expect("counts").is_empty(), "and no sum of it");
    let uncertain = bench.claimed().await;
    assert!(bench.write(&uncertain, Change::Intent(intent("key-1"))).await.holds());
    assert!(bench.write(&uncertain, Change::Finish(Finish::Uncertain(error()))).await.holds());
    bench.clock.advance(Duration::from_hours(365 * 24));
    assert!(is_there(&bench, &uncertain).await);
    assert_eq!(bench.job(&uncertain.id).await.state, JobState::Uncertain);
}

/// P28, P16: whoever sends the key again is shown what became of it, for as long as the key is kept.
pub async fn p28_a_job_is_kept_as_long_as_its_key(bench: Bench) {
    let keyed = || NewJob { idempotency_key: Some("order-17".to_owned()), ..new("svc") };
    let job = bench.add(keyed()).await;
    let claimed = bench.claim_as("w").await.expect("the job");
    assert!(bench.write(&claimed, success()).await.holds());
    bench.clock.advance(Duration::from_hours(47));
    assert!(is_there(&bench, &job).await);
    let again = bench.store.enqueue(keyed()).await.expect("enqueue");
    assert!(matches!(&again, Enqueued::Replayed(known) if known.id == job.id), "{again:?}");
    bench.clock.advance(Duration::from_hours(1));
    assert!(!is_there(&bench, &job).await);
    let anew = bench.store.enqueue(keyed()).await.expect("enqueue");
    assert!(matches!(&anew, Enqueued::New(other) if other.id != job.id), "{anew:?}");
}
