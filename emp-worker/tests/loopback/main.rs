//! The worker with the engine, over HTTP on loopback: what a service is asked, and what it would have cost.

#![allow(clippy::expect_used, clippy::panic, reason = "clippy knows only test functions, not their helpers")]

mod custom;
mod site;
mod spec;

use std::time::{Duration, Instant};

use emp_core::job::{JobState, UpstreamCancel};
use serde_json::json;

use crate::site::{LEASE, Polled};

#[tokio::test]
async fn jobs_are_submitted_polled_and_finished() {
    let site = Polled::new(Duration::from_millis(100)).await;
    let ids = site.enqueue(vec![json!({}); 20]).await;
    let (task, stop) = site.worker(10);
    for id in &ids {
        let job = site.until(id, |job| job.state.terminal()).await;
        assert_eq!((job.state, job.attempt, job.deliveries), (JobState::Succeeded, 1, 1), "{:?}", job.error);
    }
    assert_eq!(site.fake.ledger().accepted(), 20);
    stop.cancel();
    task.await.expect("the worker returns");
}

#[tokio::test]
async fn p11_fifty_polled_jobs_are_handed_over_and_finished_by_the_next_worker() {
    let site = Polled::new(Duration::from_millis(800)).await;
    let ids = site.enqueue(vec![json!({}); 50]).await;
    let (task, stop) = site.worker(50);
    for id in &ids {
        site.until(id, |job| job.service_job.is_some()).await;
    }
    let asked = Instant::now();
    stop.cancel();
    task.await.expect("the worker returns");
    assert!(asked.elapsed() < Duration::from_secs(2), "{:?}", asked.elapsed());

    let (task, stop) = site.worker(50);
    for id in &ids {
        let job = site.until(id, |job| job.state.terminal()).await;
        assert_eq!((job.state, job.attempt, job.deliveries), (JobState::Succeeded, 1, 1), "{:?}", job.error);
    }
    assert_eq!(
        (site.fake.ledger().accepted(), site.fake.ledger().merged()),
        (50, 0),
        "nothing was submitted again"
    );
    stop.cancel();
    task.await.expect("the worker returns");
}

#[tokio::test]
async fn p01_workers_that_die_at_any_moment_pay_for_each_attempt_once() {
    let site = Polled::new(Duration::from_millis(300)).await;
    let ids = site.enqueue(vec![json!({}); 30]).await;
    // Killed while they claim, submit, store ids and poll.
    for lives in [3, 8, 15, 25, 40, 60, 90] {
        let (task, _stop) = site.worker(30);
        tokio::time::sleep(Duration::from_millis(lives)).await;
        task.abort();
        assert!(task.await.is_err());
        // Its claims lapse.
        tokio::time::sleep(LEASE / 2).await;
        tokio::time::sleep(LEASE / 2).await;
    }
    let (task, stop) = site.worker(30);
    let mut attempts = 0;
    for id in &ids {
        let job = site.until(id, |job| job.state.terminal()).await;
        assert_eq!(job.state, JobState::Succeeded, "{:?}", job.error);
        attempts += usize::try_from(job.attempt).expect("a count");
    }
    let ledger = site.fake.ledger();
    assert_eq!(ledger.accepted(), attempts, "what was paid for is what was counted");
    assert_eq!(ledger.accepted(), 30);
    assert_eq!(ledger.most_for_one_job(), 1);
    stop.cancel();
    task.await.expect("the worker returns");
}

#[tokio::test]
async fn p15_a_polled_job_is_cancelled_at_the_service() {
    let site = Polled::new(Duration::from_mins(1)).await;
    let ids = site.enqueue(vec![json!({}); 1]).await;
    let (task, stop) = site.worker(1);
    for id in &ids {
        site.until(id, |job| job.service_job.is_some()).await;
        site.store.cancel(id, "test", None).await.expect("the store answers");
        let job = site.until(id, |job| job.state.terminal()).await;
        assert_eq!(job.state, JobState::Cancelled);
        assert_eq!(job.cancel.and_then(|cancel| cancel.upstream), Some(UpstreamCancel::Confirmed));
    }
    assert_eq!(site.fake.unfinished(), 0);
    stop.cancel();
    task.await.expect("the worker returns");
}
