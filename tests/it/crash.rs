//! A worker that dies at each phase: the next one goes on, and the service has accepted what was attempted.

use emp_core::job::JobState;

use crate::bench::{Bench, Resent, each, over_http, polled, resent};

#[tokio::test]
async fn f02_death_before_the_answer_to_a_submit() {
    each(over_http(), |entry| async move {
        let bench = Bench::new(entry, &["submit:timeout_after"]).await;
        bench.die().await;
        let ended = bench.finish().await;
        let name = entry.spec.name;
        let resent = resent(entry.spec);
        // What was accepted under an id of ours is found by it.
        let found = entry
            .spec
            .http()
            .is_some_and(|http| matches!(http.submit.settle, emp_core::spec::Settle::AssignId { .. }));
        let known = resent.is_some() || found;
        let state = if known { JobState::Succeeded } else { JobState::Uncertain };
        assert_eq!(ended.job.state, state, "{name}: {:?}", ended.job.error);
        let accepted = if resent == Some(Resent::Twice) { 2 } else { 1 };
        assert_eq!(
            (bench.fake.ledger().accepted(), ended.job.attempt, ended.job.deliveries),
            (accepted, 1, 2),
            "{name}"
        );
    })
    .await;
}

#[tokio::test]
async fn f02_death_before_a_submit_is_accepted() {
    each(over_http(), |entry| async move {
        let bench = Bench::new(entry, &["submit:timeout"]).await;
        bench.die().await;
        let ended = bench.finish().await;
        let (name, resent) = (entry.spec.name, resent(entry.spec).is_some());
        let state = if resent { JobState::Succeeded } else { JobState::Uncertain };
        assert_eq!(ended.job.state, state, "{name}: {:?}", ended.job.error);
        assert_eq!((bench.fake.ledger().accepted(), ended.job.attempt), (usize::from(resent), 1), "{name}");
    })
    .await;
}

#[tokio::test]
async fn f03_death_while_polling() {
    each(polled(), |entry| async move {
        let bench = Bench::new(entry, &["poll:timeout@2"]).await;
        bench.die().await;
        let ended = bench.finish().await;
        let name = entry.spec.name;
        assert_eq!(ended.job.state, JobState::Succeeded, "{name}: {:?}", ended.job.error);
        assert_eq!(
            (bench.fake.ledger().accepted(), ended.job.attempt, ended.job.deliveries),
            (1, 1, 2),
            "{name}"
        );
    })
    .await;
}

#[tokio::test]
async fn death_again_and_again_costs_nothing_more() {
    each(polled(), |entry| async move {
        let bench = Bench::new(entry, &["poll:timeout*5"]).await;
        for _ in 0..5 {
            bench.die().await;
        }
        let ended = bench.finish().await;
        assert_eq!(ended.job.state, JobState::Succeeded, "{}: {:?}", entry.spec.name, ended.job.error);
        assert_eq!((bench.fake.ledger().accepted(), ended.job.attempt, ended.job.deliveries), (1, 1, 6));
    })
    .await;
}
