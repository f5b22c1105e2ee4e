//! The submit: what is known before and after it (P1 to P5b).

use std::time::Duration;

use emp_core::job::{EventKind, JobState, Phase};

use super::{Bench, at_phase, bought, error, intent, retry, success};
use crate::store::{Answer, Change, Finish};

/// P1: with a stored service job id, a new owner polls; no intent is taken any more.
pub async fn p01_a_stored_service_job_is_never_submitted_again(bench: Bench) {
    let first = bench.submitted().await;
    assert_eq!(bench.lapse().await, 1);
    let second = bench.claim_as("b").await.expect("the job again");
    assert_eq!(second.id, first.id);
    at_phase(&second, Phase::Submitted);
    assert_eq!(second.service_job.as_ref().map(|far| far.id.as_str()), Some("far-1"));
    for key in ["key-1", "key-2"] {
        assert_eq!(bench.write(&second, Change::Intent(intent(key))).await, Answer::Conflict);
    }
    assert_eq!(bench.write(&second, Change::NotSent { reason: "no".into() }).await, Answer::Conflict);
    let job = bench.job(&first.id).await;
    assert_eq!((job.attempt, job.phase), (1, Some(Phase::Submitted)));
    assert!(bench.kinds(&first.id).await.contains(&EventKind::Resumed));
}

/// P1: another submit needs a definite end of the one before.
pub async fn p01_only_a_retry_opens_a_new_attempt(bench: Bench) {
    let first = bench.submitted().await;
    assert_eq!(bench.write(&first, retry(Duration::ZERO)).await, Answer::Ok);
    let second = bench.claim_as("b").await.expect("the job again");
    at_phase(&second, Phase::Prepared);
    assert_eq!((&second.service_job, &second.intent), (&None, &None));
    assert_eq!(bench.write(&second, Change::Intent(intent("key-2"))).await, Answer::Ok);
    assert_eq!(bench.job(&first.id).await.attempt, 2);
}

/// P2: what a worker was about to send is durable before it is answered, and is what the next owner settles.
pub async fn p02_a_new_owner_finds_the_intent(bench: Bench) {
    let first = bench.claimed().await;
    assert_eq!(bench.write(&first, Change::Intent(intent("key-1"))).await, Answer::Ok);
    bench.lapse().await;
    let second = bench.claim_as("b").await.expect("the job again");
    at_phase(&second, Phase::Submitting);
    let stored = second.intent.as_ref().expect("the intent");
    assert_eq!((stored.key.as_str(), stored.digest.as_str()), ("key-1", "digest of key-1"));
    assert_eq!(stored.at, first.lease.as_ref().expect("a lease").claimed_at, "the store's own time");
    assert_eq!(second.attempt, 1, "a claim is no submit");
}

/// P2: what no rule settles waits for a person, not for a worker.
pub async fn p02_an_uncertain_job_is_not_claimed_again(bench: Bench) {
    let job = bench.claimed().await;
    bench.write(&job, Change::Intent(intent("key-1"))).await;
    assert_eq!(bench.write(&job, Change::Finish(Finish::Uncertain(error()))).await, Answer::Ok);
    bench.lapse().await;
    assert_eq!(bench.claim_as("b").await, None);
    let job = bench.job(&job.id).await;
    assert_eq!((job.state, job.phase), (JobState::Uncertain, Some(Phase::Submitting)));
    assert_eq!((job.error, job.lease), (Some(error()), None));
}

/// P3: within an attempt the key and the body stay the same.
pub async fn p03_one_attempt_has_one_key_and_one_body(bench: Bench) {
    let job = bench.claimed().await;
    assert_eq!(bench.write(&job, Change::Intent(intent("key-1"))).await, Answer::Ok);
    let stored = bench.job(&job.id).await;
    bench.clock.advance(Duration::from_secs(1));
    assert_eq!(bench.write(&job, Change::Intent(intent("key-1"))).await, Answer::OkAlready);
    assert_eq!(bench.write(&job, Change::Intent(intent("key-2"))).await, Answer::Conflict);
    let mut other_body = intent("key-1");
    other_body.digest.push('x');
    assert_eq!(bench.write(&job, Change::Intent(other_body)).await, Answer::Conflict);
    assert_eq!(bench.job(&job.id).await, stored, "no repetition changes the intent or counts as an attempt");
}

/// P4: before the first byte, or refused for certain: as if it had not been.
pub async fn p04_what_was_certainly_not_accepted_costs_no_attempt(bench: Bench) {
    let job = bench.claimed().await;
    bench.write(&job, Change::Intent(intent("key-1"))).await;
    let not_sent = || Change::NotSent { reason: "connection refused".into() };
    assert_eq!(bench.write(&job, not_sent()).await, Answer::Ok);
    assert_eq!(bench.write(&job, not_sent()).await, Answer::OkAlready);
    let after = bench.job(&job.id).await;
    assert_eq!((after.attempt, after.phase, after.intent), (0, Some(Phase::Prepared), None));
    assert_eq!(bench.write(&job, Change::Intent(intent("key-1"))).await, Answer::Ok);
    assert_eq!(bench.job(&job.id).await.attempt, 1);
}

/// P4: uncertain is only what may have been accepted.
pub async fn p04_nothing_sent_is_never_uncertain(bench: Bench) {
    let job = bench.claimed().await;
    assert_eq!(bench.write(&job, Change::Finish(Finish::Uncertain(error()))).await, Answer::Conflict);
    assert_eq!(bench.job(&job.id).await.state, JobState::Running);
}

/// P5b: the money is spent, so the id is kept, whoever brings it.
pub async fn p05b_a_service_job_that_a_zombie_bought_is_kept(bench: Bench) {
    let zombie = bench.claimed().await;
    bench.write(&zombie, Change::Intent(intent("key-1"))).await;
    bench.lapse().await;
    let owner = bench.claim_as("b").await.expect("the job again");
    assert_eq!(bench.write(&owner, Change::Submitted(bought("far-b"))).await, Answer::Ok);
    for _ in 0..2 {
        assert_eq!(bench.write(&zombie, Change::Submitted(bought("far-a"))).await, Answer::Fenced);
    }
    let job = bench.job(&owner.id).await;
    assert_eq!(job.service_job.map(|far| far.id), Some("far-b".to_owned()));
    assert_eq!(job.orphans.iter().map(|far| far.id.as_str()).collect::<Vec<_>>(), ["far-a"]);
    assert!(bench.kinds(&owner.id).await.contains(&EventKind::OrphanKept));
    assert_eq!(bench.write(&owner, success()).await, Answer::Ok);
    let ended = bench.job(&owner.id).await;
    assert_eq!(bench.write(&zombie, Change::Submitted(bought("far-late"))).await, Answer::Fenced);
    let job = bench.job(&owner.id).await;
    assert_eq!(job.orphans.len(), 2, "also after the end");
    assert_eq!((job.state, job.seq), (ended.state, ended.seq), "but that is no event");
}

/// P5b: the owner asks whether the submit was accepted, and here is the answer.
pub async fn p05b_a_service_job_that_a_zombie_bought_is_adopted_while_unsettled(bench: Bench) {
    let zombie = bench.claimed().await;
    bench.write(&zombie, Change::Intent(intent("key-1"))).await;
    bench.lapse().await;
    let owner = bench.claim_as("b").await.expect("the job again");
    assert_eq!(bench.write(&zombie, Change::Submitted(bought("far-a"))).await, Answer::Fenced);
    let job = bench.job(&owner.id).await;
    at_phase(&job, Phase::Submitted);
    assert_eq!((job.lease, job.orphans.len()), (owner.lease.clone(), 0));
    assert_eq!(job.service_job.map(|far| far.id), Some("far-a".to_owned()));
    assert_eq!(
        bench.write(&owner, Change::Intent(intent("key-1"))).await,
        Answer::Conflict,
        "nothing to resend"
    );
    assert!(bench.kinds(&owner.id).await.contains(&EventKind::Adopted));

    // The intent of a later attempt is not what an earlier zombie's service job answers.
    assert_eq!(bench.write(&owner, retry(Duration::ZERO)).await, Answer::Ok);
    let owner = bench.claim_as("b").await.expect("the job again");
    assert_eq!(bench.write(&owner, Change::Intent(intent("key-2"))).await, Answer::Ok);
    assert_eq!(bench.write(&zombie, Change::Submitted(bought("far-old"))).await, Answer::Fenced);
    let job = bench.job(&owner.id).await;
    at_phase(&job, Phase::Submitting);
    assert_eq!(job.orphans.iter().map(|far| far.id.as_str()).collect::<Vec<_>>(), ["far-old"]);
}

/// P5b: nobody has to look at the service's console any more.
pub async fn p05b_an_uncertain_job_is_settled_by_a_late_service_job(bench: Bench) {
    let zombie = bench.claimed().await;
    bench.write(&zombie, Change::Intent(intent("key-1"))).await;
    bench.lapse().await;
    let owner = bench.claim_as("b").await.expect("the job again");
    bench.write(&owner, Change::Finish(Finish::Uncertain(error()))).await;
    assert_eq!(bench.write(&zombie, Change::Submitted(bought("far-a"))).await, Answer::Fenced);
    let next = bench.claim_as("c").await.expect("a job to poll");
    at_phase(&next, Phase::Submitted);
    assert_eq!((next.attempt, next.error), (1, None));
}

/// P5b: two service jobs for one attempt: the second is kept, and the owner goes on with the first.
pub async fn p05b_a_second_service_job_of_the_owner_is_kept_and_refused(bench: Bench) {
    let job = bench.submitted().await;
    assert_eq!(bench.write(&job, Change::Submitted(bought("far-1"))).await, Answer::OkAlready);
    for _ in 0..2 {
        assert_eq!(bench.write(&job, Change::Submitted(bought("far-2"))).await, Answer::Conflict);
    }
    let job = bench.job(&job.id).await;
    assert_eq!(job.service_job.map(|far| far.id), Some("far-1".to_owned()));
    assert_eq!(job.orphans.len(), 1);
}
