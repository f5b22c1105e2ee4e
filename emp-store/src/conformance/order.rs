//! Whose turn it is (P13).

use std::time::Duration;

use emp_core::job::{Job, JobId, JobState};

use super::{Bench, ask, labels, new, options, release, retry};
use crate::store::{ClaimRequest, NewJob};

fn with_priority(priority: u8) -> NewJob {
    NewJob { priority, ..new("svc") }
}

fn ids(jobs: &[Job]) -> Vec<JobId> {
    jobs.iter().map(|job| job.id.clone()).collect()
}

/// P13: by arrival, also within one millisecond.
pub async fn p13_first_come_first_served_within_a_priority(bench: Bench) {
    let mut added = Vec::new();
    for index in 0..30 {
        added.push(bench.add_one().await);
        if index % 3 == 0 {
            bench.clock.advance_millis(1);
        }
    }
    let mut claimed = Vec::new();
    for count in [1, 4, 25] {
        claimed.extend(bench.claim_n("w", count).await);
    }
    assert_eq!(ids(&claimed), ids(&added));
}

/// P13: 9 goes first.
pub async fn p13_higher_priority_goes_first(bench: Bench) {
    for priority in [5, 0, 9, 4, 9] {
        bench.add(with_priority(priority)).await;
    }
    let claimed = bench.claim_n("w", 5).await;
    assert_eq!(claimed.iter().map(|job| job.priority).collect::<Vec<_>>(), [9, 9, 5, 4, 0]);
    let [first, second, ..] = claimed.as_slice() else { panic!("five jobs") };
    assert!(first.arrival < second.arrival);
}

/// P13: priority moves a job forward, by a bounded time.
pub async fn p13_nothing_waits_longer_than_max_wait_behind_later_ones(bench: Bench) {
    let low = bench.add(with_priority(0)).await;
    bench.clock.advance_millis(options().max_wait.as_millis() as i64 - 1000);
    let early = bench.add(with_priority(9)).await;
    bench.clock.advance(Duration::from_secs(2));
    let late = bench.add(with_priority(9)).await;
    let claimed = bench.claim_n("w", 3).await;
    assert_eq!(ids(&claimed), [early.id, low.id, late.id]);
}

/// P13: a retry stands where it would had it come when it fell due.
pub async fn p13_a_retry_rejoins_at_its_due_time(bench: Bench) {
    let job = bench.claimed().await;
    bench.write(&job, retry(Duration::from_secs(10))).await;
    bench.clock.advance(Duration::from_secs(5));
    let before = bench.add_one().await;
    bench.clock.advance(Duration::from_secs(10));
    let after = bench.add_one().await;
    assert_eq!(ids(&bench.claim_n("w", 3).await), [before.id, job.id, after.id]);
}

/// P13: a job that is given back loses nothing.
pub async fn p13_a_released_job_keeps_its_place(bench: Bench) {
    let job = bench.claimed().await;
    bench.clock.advance_millis(10);
    let other = bench.add_one().await;
    bench.write(&job, release(Duration::from_secs(1))).await;
    assert_eq!(bench.job(&job.id).await.state, JobState::Waiting);
    bench.clock.advance(Duration::from_secs(1));
    assert_eq!(ids(&bench.claim_n("w", 2).await), [job.id.clone(), other.id]);
}

/// P13: so many of each service, and so many in all.
pub async fn p13_a_claim_takes_what_was_asked_for_and_no_more(bench: Bench) {
    for service in ["x", "y", "z", "x", "y", "z", "x", "y", "z"] {
        bench.add(new(service)).await;
    }
    let take = async |services: &[(&str, usize)], max| -> Vec<String> {
        let request = ClaimRequest { max, ..ask("w", services, &[]) };
        let claimed = bench.store.claim(request).await.expect("claim");
        claimed.into_iter().map(|job| job.service).collect()
    };
    assert_eq!(take(&[("x", 2), ("y", 1), ("z", 0), ("none", 3)], 10).await, ["x", "y", "x"]);
    assert_eq!(take(&[("x", 9), ("y", 9), ("z", 9)], 2).await, ["z", "y"]);
    assert!(take(&[("x", 9)], 0).await.is_empty());
}

/// P13: the line of those that a worker cannot serve is another line.
pub async fn p13_a_backlog_that_a_worker_cannot_serve_hides_nothing(bench: Bench) {
    let gpu =
        |kind: &str| NewJob { labels: labels(&[("gpu", kind), ("zone", "eu")]), priority: 9, ..new("svc") };
    futures_util::future::join_all((0..200).map(|_| bench.add(gpu("h100")))).await;
    futures_util::future::join_all((0..50).map(|_| bench.add(new("other")))).await;
    let wanted = bench.add(gpu("a10")).await;
    let plain = bench.add(with_priority(0)).await;
    let request = ask("w", &[("svc", 5)], &[("gpu", "a10"), ("zone", "eu"), ("more", "yes")]);
    let claimed = bench.store.claim(request).await.expect("claim");
    assert_eq!(ids(&claimed), [wanted.id, plain.id]);
    let half = ask("w", &[("svc", 500)], &[("gpu", "h100")]);
    assert!(bench.store.claim(half).await.expect("claim").is_empty(), "every label is required");
}
