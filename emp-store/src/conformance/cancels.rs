//! A cancel is final at the store (P15).

use std::time::Duration;

use emp_core::JobError;
use emp_core::error::{Billed, ErrorCode};
use emp_core::job::{EventKind, Job, JobId, JobState, Progress, UpstreamCancel};
use serde_json::json;

use super::{Bench, ask, bought, error, intent, release, retry, success};
use crate::store::{Answer, CancelAnswer, Change, Finish};

async fn cancel(bench: &Bench, id: &JobId) -> Job {
    match bench.store.cancel(id, "me", Some("changed my mind")).await.expect("cancel") {
        CancelAnswer::Recorded(job) => job,
        other => panic!("expected a recorded cancel, got {other:?}"),
    }
}

fn upstream(job: &Job) -> Option<UpstreamCancel> {
    job.cancel.as_ref().and_then(|cancel| cancel.upstream)
}

/// P15: queued, or waiting with nothing at the service.
pub async fn p15_a_cancel_of_what_nobody_works_on_ends_it_at_once(bench: Bench) {
    let queued = bench.add_one().await;
    let ended = cancel(&bench, &queued.id).await;
    assert_eq!((ended.state, upstream(&ended)), (JobState::Cancelled, Some(UpstreamCancel::NotNeeded)));
    assert_eq!(ended.cancel.as_ref().map(|cancel| cancel.by.as_str()), Some("me"));
    assert_eq!(bench.claim_as("w").await, None);
    assert_eq!(
        bench.kinds(&queued.id).await,
        [EventKind::Queued, EventKind::CancelRequested, EventKind::Cancelled]
    );
    let again = cancel(&bench, &queued.id).await;
    assert_eq!(again, ended, "a cancel can be repeated");

    let waiting = bench.claimed().await;
    bench.write(&waiting, retry(Duration::from_hours(1))).await;
    assert_eq!(cancel(&bench, &waiting.id).await.state, JobState::Cancelled);
}

/// P15: cancel first, then the result.
pub async fn p15_a_result_after_a_cancel_is_discarded_and_kept(bench: Bench) {
    let job = bench.submitted().await;
    let recorded = cancel(&bench, &job.id).await;
    assert_eq!((recorded.state, upstream(&recorded)), (JobState::Running, None));
    assert_eq!(bench.write(&job, success()).await, Answer::Ok);
    let ended = bench.job(&job.id).await;
    assert_eq!((ended.state, upstream(&ended)), (JobState::Cancelled, Some(UpstreamCancel::Refused)));
    assert_eq!((ended.result, ended.discarded_result), (None, Some(json!({ "ok": true }))));
}

/// P15: the result first, then the cancel.
pub async fn p15_a_cancel_after_the_end_is_too_late(bench: Bench) {
    let job = bench.claimed().await;
    bench.write(&job, success()).await;
    let ended = bench.job(&job.id).await;
    let answer = bench.store.cancel(&job.id, "me", None).await.expect("cancel");
    assert_eq!(answer, CancelAnswer::TooLate(ended.clone()));
    assert_eq!(bench.job(&job.id).await, ended);
}

/// P15: whatever the holder writes, it is told.
pub async fn p15_a_holder_hears_of_the_cancel_with_every_write(bench: Bench) {
    let job = bench.claimed().await;
    cancel(&bench, &job.id).await;
    let fraction = |fraction| Change::Progress(Progress { fraction: Some(fraction), ..Progress::default() });
    let writes = [
        Change::Renew,
        Change::Intent(intent("key")),
        Change::Intent(intent("key")),
        Change::Submitted(bought("far-1")),
        Change::Submitted(bought("far-1")),
        fraction(0.5),
        fraction(0.5),
    ];
    for write in writes {
        assert_eq!(bench.write(&job, write.clone()).await, Answer::CancelRequested, "{write:?}");
    }
    let confirmed = Change::Finish(Finish::Cancelled(UpstreamCancel::Confirmed));
    assert_eq!(bench.write(&job, confirmed).await, Answer::Ok);
    assert_eq!(upstream(&bench.job(&job.id).await), Some(UpstreamCancel::Confirmed));
    let job = bench.claimed().await;
    let uncalled = Change::Finish(Finish::Cancelled(UpstreamCancel::Confirmed));
    assert_eq!(bench.write(&job, uncalled).await, Answer::Conflict, "nobody asked for it");
}

/// P15: with something at the service and nobody working, the next worker carries the wish there, at once.
pub async fn p15_a_cancel_is_carried_to_the_service_by_a_worker(bench: Bench) {
    let job = bench.submitted().await;
    bench.write(&job, release(Duration::from_hours(1))).await;
    assert_eq!(cancel(&bench, &job.id).await.state, JobState::Queued);
    let carrier = bench.claim_as("carrier").await.expect("the job at once");
    assert!(carrier.cancel.is_some() && carrier.service_job.is_some());
    bench.lapse().await;
    let carrier = bench.claim_as("carrier").await.expect("the job again, its carrier died");
    let confirmed = Change::Finish(Finish::Cancelled(UpstreamCancel::Confirmed));
    assert_eq!(bench.write(&carrier, confirmed).await, Answer::Ok);
    assert_eq!(bench.job(&job.id).await.state, JobState::Cancelled);

    let unsettled = bench.claimed().await;
    bench.write(&unsettled, Change::Intent(intent("key"))).await;
    bench.write(&unsettled, Change::Finish(Finish::Uncertain(error()))).await;
    let ended = cancel(&bench, &unsettled.id).await;
    assert_eq!((ended.state, upstream(&ended)), (JobState::Cancelled, Some(UpstreamCancel::Unknown)));
}

/// P15: from the record on, the job can only end `cancelled`.
pub async fn p15_after_a_cancel_every_end_is_cancelled(bench: Bench) {
    let failed = JobError::new(ErrorCode::EServiceFailed, "it failed there").billed(Billed::Yes);
    let refused = JobError::new(ErrorCode::EServiceRejected, "no").billed(Billed::No);
    let ends = [
        (Change::Finish(Finish::Failed(failed)), UpstreamCancel::Confirmed),
        (Change::Finish(Finish::Failed(refused)), UpstreamCancel::NotNeeded),
        (Change::Finish(Finish::Uncertain(error())), UpstreamCancel::Unknown),
        (retry(Duration::ZERO), UpstreamCancel::Unknown),
    ];
    for (end, expected) in ends {
        let job = bench.claimed().await;
        bench.write(&job, Change::Intent(intent("key"))).await;
        cancel(&bench, &job.id).await;
        assert_eq!(bench.write(&job, end).await, Answer::Ok);
        let job = bench.job(&job.id).await;
        assert_eq!((job.state, upstream(&job)), (JobState::Cancelled, Some(expected)));
    }
    // Nothing at the service: given back or lost, it ends.
    let job = bench.claimed().await;
    cancel(&bench, &job.id).await;
    bench.write(&job, release(Duration::ZERO)).await;
    assert_eq!(bench.job(&job.id).await.state, JobState::Cancelled);
    let job = bench.claimed().await;
    cancel(&bench, &job.id).await;
    bench.lapse().await;
    assert_eq!(bench.job(&job.id).await.state, JobState::Cancelled);
    // A carrier that dies each time ends it too, and not as quarantined.
    let job = bench.submitted().await;
    cancel(&bench, &job.id).await;
    for _ in 0..2 {
        bench.lapse().await;
        assert!(bench.claim_as("w").await.is_some());
    }
    bench.lapse().await;
    assert_eq!(bench.job(&job.id).await.state, JobState::Cancelled);
}

/// P15: whichever commits first is the truth, for both.
pub async fn p15_cancel_and_finish_race_to_one_truth(bench: Bench) {
    futures_util::future::join_all((0..200).map(|_| bench.add_one())).await;
    let jobs = bench.store.claim(ask("w", &[("svc", 200)], &[])).await.expect("claim");
    assert_eq!(jobs.len(), 200);
    let races = jobs.iter().enumerate().map(|(index, job)| {
        let bench = &bench;
        async move {
            let finish = async { bench.write(job, success()).await };
            let cancel = async { bench.store.cancel(&job.id, "me", None).await.expect("cancel") };
            let (finished, cancelled) = if index % 2 == 0 {
                tokio::join!(finish, cancel)
            } else {
                let (cancelled, finished) = tokio::join!(cancel, finish);
                (finished, cancelled)
            };
            assert_eq!(finished, Answer::Ok);
            let truth = bench.job(&job.id).await;
            match cancelled {
                CancelAnswer::Recorded(_) => {
                    assert_eq!((truth.state, truth.result), (JobState::Cancelled, None));
                }
                CancelAnswer::TooLate(_) => {
                    assert_eq!((truth.state, truth.cancel), (JobState::Succeeded, None));
                }
                CancelAnswer::NotFound => panic!("the job is there"),
            }
        }
    });
    futures_util::future::join_all(races).await;
}
