//! Jobs that end their workers (P26).

use emp_core::ErrorCode;
use emp_core::job::JobState;

use super::{Bench, ask, new, options};
use crate::store::ClaimRequest;

/// P26: out of the queue, with what is known of it.
pub async fn p26_a_job_that_ends_its_workers_is_taken_out(bench: Bench) {
    let job = bench.add(new("svc")).await;
    let mut victims = Vec::new();
    for _ in 0..options().max_crashes {
        let claimed = bench.claim_as("victim").await.expect("the job");
        victims.extend(claimed.lease.map(|lease| lease.worker));
        bench.lapse().await;
    }
    assert_eq!(bench.claim_as("next").await, None);
    let job = bench.job(&job.id).await;
    let error = job.error.expect("an error");
    assert_eq!((job.state, error.code), (JobState::Quarantined, ErrorCode::EPoison));
    assert!(job.finished_at.is_some());
    assert_eq!(
        job.crashed.iter().map(|crash| &crash.worker).collect::<Vec<_>>(),
        victims.iter().collect::<Vec<_>>()
    );
    assert!(victims.iter().all(|worker| error.message.contains(worker.as_str())), "{}", error.message);
}

/// P26: a job that runs for weeks meets a few crashes that are not its fault.
pub async fn p26_crashes_of_long_ago_do_not_count(bench: Bench) {
    let job = bench.add(new("svc")).await;
    for _ in 0..2 * options().max_crashes {
        assert!(bench.claim_as("victim").await.is_some());
        bench.lapse().await;
        bench.clock.advance(options().crash_window / 2);
    }
    let job = bench.job(&job.id).await;
    assert_eq!((job.state, job.crashes), (JobState::Queued, 2 * options().max_crashes));
}

/// P26: the store was out of reach for most of them, so their jobs are not counted as having ended them.
pub async fn p26_a_fleet_that_loses_its_leases_at_once_was_not_ended_by_its_jobs(bench: Bench) {
    let mut jobs = Vec::new();
    for _ in 0..4 {
        jobs.push(bench.add(new("svc")).await);
    }
    for round in 0..=options().max_crashes {
        for index in 0..4 {
            let worker = bench.announced(&format!("w{round}{index}")).await;
            if index < 3 || round == 0 {
                let request = ClaimRequest { worker: worker.id, max: 1, ..ask("w", &[("svc", 1)], &[]) };
                assert_eq!(bench.store.claim(request).await.expect("claim").len(), 1);
            }
        }
        bench.lapse().await;
        // Who was lost is not heard of again.
        bench.clock.advance(options().worker_ttl);
        bench.store.reap().await.expect("reap");
    }
    for job in &jobs {
        let job = bench.job(&job.id).await;
        assert_eq!((job.state, job.crashes), (JobState::Queued, 0));
    }
}
