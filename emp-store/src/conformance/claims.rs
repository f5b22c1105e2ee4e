//! Who has a job (P5 to P12, P26).

use std::collections::BTreeSet;
use std::time::Duration;

use emp_core::job::{EventKind, Job, JobState, Phase, Progress, UpstreamCancel, WorkerId};

use super::{Bench, ask, at_phase, bought, error, intent, options, release, retry, success};
use crate::store::{Answer, Change, ClaimRequest, Finish};

/// A lease of [`options`] but for a millisecond.
const JUST_BEFORE_LAPSE: Duration = Duration::from_millis(29_999);

fn every_verb() -> Vec<Change> {
    vec![
        Change::Renew,
        Change::Intent(intent("zombie")),
        Change::NotSent { reason: "zombie".into() },
        Change::Submitted(bought("far-1")),
        Change::Progress(Progress { fraction: Some(0.9), ..Progress::default() }),
        success(),
        Change::Finish(Finish::Failed(error())),
        Change::Finish(Finish::Cancelled(UpstreamCancel::Confirmed)),
        Change::Finish(Finish::Uncertain(error())),
        retry(Duration::ZERO),
        release(Duration::ZERO),
    ]
}

/// P5: the nonce is compared for equality, whatever the verb and whatever the job's state.
pub async fn p05_a_zombie_changes_nothing_by_any_verb(bench: Bench) {
    let zombie = bench.submitted().await;
    bench.lapse().await;
    let owner = bench.claim_as("b").await.expect("the job again");
    let untouched = |bench: Bench, zombie: Job| async move {
        let before = bench.job(&zombie.id).await;
        for verb in every_verb() {
            assert_eq!(bench.write(&zombie, verb.clone()).await, Answer::Fenced, "{verb:?}");
            assert_eq!(bench.job(&zombie.id).await, before, "{verb:?}");
        }
        (bench, zombie)
    };
    let (bench, zombie) = untouched(bench, zombie).await;
    assert_eq!(bench.write(&owner, release(Duration::ZERO)).await, Answer::Ok);
    let (bench, zombie) = untouched(bench, zombie).await;
    let owner = bench.claim_as("c").await.expect("the job again");
    assert_eq!(bench.write(&owner, success()).await, Answer::Ok);
    untouched(bench, zombie).await;
}

/// P5, P17: many workers that claim at once get different jobs.
pub async fn p05_one_job_has_one_owner_under_contention(bench: Bench) {
    for _ in 0..40 {
        bench.add_one().await;
    }
    let claims = (0..20).map(|_| bench.claim_n("w", 3));
    let claimed: Vec<Job> = futures_util::future::join_all(claims).await.into_iter().flatten().collect();
    let ids: BTreeSet<_> = claimed.iter().map(|job| job.id.clone()).collect();
    let nonces: BTreeSet<_> =
        claimed.iter().filter_map(|job| job.lease.as_ref()).map(|l| l.nonce.as_str()).collect();
    assert_eq!((claimed.len(), ids.len(), nonces.len()), (40, 40, 40));
}

/// P6: an answer may be lost, so whoever did not hear it says it again.
pub async fn p06_every_word_can_be_repeated(bench: Bench) {
    let words: Vec<fn() -> Change> = vec![
        success,
        || Change::Finish(Finish::Failed(error())),
        || Change::Finish(Finish::Uncertain(error())),
        || retry(Duration::from_secs(5)),
        || release(Duration::from_secs(5)),
    ];
    for word in words {
        let job = bench.claimed().await;
        assert_eq!(bench.write(&job, Change::Intent(intent("key"))).await, Answer::Ok);
        assert_eq!(bench.write(&job, word()).await, Answer::Ok);
        let stored = bench.job(&job.id).await;
        bench.clock.advance(Duration::from_secs(1));
        assert_eq!(bench.write(&job, word()).await, Answer::OkAlready);
        assert_eq!(bench.job(&job.id).await, stored, "nothing changed");
    }
    let job = bench.submitted().await;
    bench.store.cancel(&job.id, "me", None).await.expect("cancel");
    let word = || Change::Finish(Finish::Cancelled(UpstreamCancel::Confirmed));
    assert_eq!(bench.write(&job, word()).await, Answer::Ok);
    assert_eq!(bench.write(&job, word()).await, Answer::OkAlready);

    // Also when somebody else has it by now.
    let job = bench.claimed().await;
    bench.write(&job, release(Duration::ZERO)).await;
    let owner = bench.claim_as("b").await.expect("the job again");
    assert_eq!(bench.write(&job, release(Duration::ZERO)).await, Answer::OkAlready);
    assert_eq!(bench.job(&job.id).await.lease, owner.lease);
}

/// P6: only the same word is a repetition.
pub async fn p06_another_word_after_the_end_is_fenced(bench: Bench) {
    let job = bench.claimed().await;
    assert_eq!(bench.write(&job, success()).await, Answer::Ok);
    let ended = bench.job(&job.id).await;
    assert_eq!(bench.write(&job, Change::Finish(Finish::Failed(error()))).await, Answer::Fenced);
    assert_eq!(bench.write(&job, Change::Renew).await, Answer::Fenced);
    assert_eq!(bench.job(&job.id).await, ended);
}

/// P7: the lease is about the worker, not about the job.
pub async fn p07_a_renewed_job_runs_for_days_under_one_claim(bench: Bench) {
    let job = bench.claimed().await;
    for _ in 0..50 {
        bench.clock.advance(JUST_BEFORE_LAPSE);
        assert_eq!(bench.write(&job, Change::Renew).await, Answer::Ok);
        assert_eq!(bench.store.reap().await.expect("reap"), 0);
        assert_eq!(bench.claim_as("b").await, None);
    }
    let now = bench.job(&job.id).await;
    assert_eq!((now.deliveries, now.crashes), (1, 0));
    assert_eq!(now.lease.map(|lease| lease.nonce), job.lease.map(|lease| lease.nonce));
}

/// P8: not before the lease has lapsed, and at once after it.
pub async fn p08_work_of_a_dead_worker_is_back_after_one_lease(bench: Bench) {
    let job = bench.claimed().await;
    bench.clock.advance(JUST_BEFORE_LAPSE);
    assert_eq!(bench.store.reap().await.expect("reap"), 0);
    bench.clock.advance(Duration::from_millis(1));
    assert_eq!(bench.store.reap().await.expect("reap"), 1);
    let back = bench.job(&job.id).await;
    assert_eq!((back.state, back.crashes, back.lease), (JobState::Queued, 1, None));
    assert_eq!(bench.claim_as("b").await.map(|job| job.deliveries), Some(2));
    assert_eq!(bench.kinds(&job.id).await.get(2), Some(&EventKind::LeaseLost));
}

/// P8: a job that is at the service already is claimed by those alone who can go on with it there. Until one comes it keeps its place,
/// and hides nothing from the others; what nothing was sent of is anybody's.
pub async fn p08_a_begun_job_goes_only_to_a_worker_with_its_connector(bench: Bench) {
    let stranger = async || {
        let connectors = BTreeSet::from(["Other".to_owned()]);
        let request = ClaimRequest { connectors, ..ask("stranger", &[("svc", 10)], &[]) };
        let claimed = bench.store.claim(request).await.expect("claim");
        claimed.into_iter().map(|job| job.id).collect::<Vec<_>>()
    };
    let (polled, sent, held) = (bench.submitted().await, bench.claimed().await, bench.claimed().await);
    assert_eq!(bench.write(&sent, Change::Intent(intent("key-2"))).await, Answer::Ok);
    let later = bench.add_one().await;
    assert_eq!(bench.lapse().await, 3);
    assert_eq!(stranger().await, [held.id.clone(), later.id.clone()]);
    assert_eq!(stranger().await, []);
    assert_eq!(bench.lapse().await, 2);
    let own: Vec<_> = bench.claim_n("own", 10).await.into_iter().map(|job| job.id).collect();
    assert_eq!(own, [polled.id.clone(), sent.id, held.id, later.id], "in the order of their arrival");

    // Given back, and after a failed attempt: the first is still at the service, the second begins anew.
    let back = bench.job(&polled.id).await;
    assert_eq!(bench.write(&back, release(Duration::from_secs(1))).await, Answer::Ok);
    bench.clock.advance(Duration::from_secs(1));
    assert_eq!(stranger().await, []);
    let back = bench.claim_as("own").await.expect("the job again");
    assert_eq!(bench.write(&back, retry(Duration::from_secs(1))).await, Answer::Ok);
    bench.clock.advance(Duration::from_secs(1));
    assert_eq!(stranger().await, [polled.id]);
}

/// P8: all of them, also when they are many.
pub async fn p08_no_page_of_lapsed_leases_blocks_another(bench: Bench) {
    let jobs: Vec<_> = (0..1100).map(|_| bench.add_one()).collect();
    futures_util::future::join_all(jobs).await;
    assert_eq!(
        bench
            .store
            .claim(ClaimRequest { max: 2000, ..ask("a", &[("svc", 2000)], &[]) })
            .await
            .expect("claim")
            .len(),
        1100
    );
    assert_eq!(bench.lapse().await, 1100);
    assert_eq!(bench.claim_n("b", 10).await.len(), 10);
}

/// P9: after a jump of the clock, or a pause, a worker that lives goes on, as long as nobody has its job; that was no crash.
pub async fn p09_a_lapsed_lease_that_nobody_took_is_renewed(bench: Bench) {
    let job = bench.submitted().await;
    bench.clock.advance(options().lease * 2);
    assert_eq!(bench.write(&job, Change::Renew).await, Answer::Ok, "lapsed, not yet taken back");
    assert_eq!(bench.lapse().await, 1);
    assert_eq!(bench.write(&job, Change::Renew).await, Answer::Ok, "taken back, not yet taken");
    let now = bench.job(&job.id).await;
    assert_eq!((now.state, now.crashes, now.deliveries), (JobState::Running, 0, 1));
    assert_eq!(bench.claim_as("b").await, None);
    assert_eq!(bench.write(&job, success()).await, Answer::Ok);
}

/// P9: a clock that is set back changes neither the order of events nor lets leases stand still.
pub async fn p09_time_never_runs_backwards(bench: Bench) {
    let job = bench.claimed().await;
    let before = bench.store.now();
    bench.clock.advance_millis(-3_600_000);
    assert!(bench.store.now() >= before);
    let later = bench.add_one().await;
    assert!(later.created_at >= before, "{} < {}", later.created_at.0, before.0);
    bench.clock.advance(options().lease);
    assert_eq!(bench.store.reap().await.expect("reap"), 1, "a lease is as long as ever");
    assert_eq!(bench.job(&job.id).await.state, JobState::Queued);
}

/// P9: a clock that is set forward, or a machine that slept, ends no lease of a worker that lives: it has one lease to say so. The job
/// of one that died is back after that.
pub async fn p09_a_leap_of_the_clock_ends_no_live_lease(bench: Bench) {
    let (live, dead) = (bench.claimed().await, bench.claimed().await);
    bench.clock.leap_millis(3_600_000);
    assert_eq!(bench.store.reap().await.expect("reap"), 0, "not at once");
    bench.clock.advance(Duration::from_secs(10));
    assert_eq!(bench.store.reap().await.expect("reap"), 0, "not before the next renewal");
    assert_eq!(bench.write(&live, Change::Renew).await, Answer::Ok);
    bench.clock.advance(Duration::from_secs(20));
    assert_eq!(bench.store.reap().await.expect("reap"), 1, "the one that did not renew");
    assert_eq!(bench.job(&dead.id).await.state, JobState::Queued);
    let live = bench.job(&live.id).await;
    assert_eq!((live.state, live.crashes), (JobState::Running, 0));
    assert!(!bench.kinds(&live.id).await.contains(&EventKind::LeaseLost));
}

/// P10: a name is a label; every start is somebody else.
pub async fn p10_two_starts_of_one_name_are_two_workers(bench: Bench) {
    assert_ne!(WorkerId::start("gpu"), WorkerId::start("gpu"));
    bench.add_one().await;
    bench.add_one().await;
    let (one, two) =
        (bench.claim_as("gpu").await.expect("a job"), bench.claim_as("gpu").await.expect("a job"));
    bench.clock.advance(JUST_BEFORE_LAPSE);
    bench.write(&two, Change::Renew).await;
    bench.clock.advance(Duration::from_secs(2));
    assert_eq!(
        bench.store.reap().await.expect("reap"),
        1,
        "the life of the second does not keep the first's work"
    );
    assert_eq!(bench.job(&one.id).await.state, JobState::Queued);
    assert_eq!(bench.job(&two.id).await.state, JobState::Running);
}

/// P12: a submit, a claim and a crash are three numbers; a job given back was not delivered.
pub async fn p12_attempts_deliveries_and_crashes_are_counted_apart(bench: Bench) {
    let numbers = |job: &Job| (job.attempt, job.deliveries, job.crashes);
    let job = bench.claimed().await;
    assert_eq!(numbers(&job), (0, 1, 0));
    bench.write(&job, release(Duration::ZERO)).await;
    assert_eq!(numbers(&bench.job(&job.id).await), (0, 0, 0));
    let job = bench.claim_as("b").await.expect("the job again");
    bench.write(&job, Change::Intent(intent("key-1"))).await;
    bench.lapse().await;
    assert_eq!(numbers(&bench.job(&job.id).await), (1, 1, 1));
    let job = bench.claim_as("c").await.expect("the job again");
    assert_eq!(numbers(&job), (1, 2, 1));
    at_phase(&job, Phase::Submitting);
    bench.write(&job, retry(Duration::ZERO)).await;
    let job = bench.claim_as("d").await.expect("the job again");
    bench.write(&job, Change::Intent(intent("key-2"))).await;
    assert_eq!(numbers(&bench.job(&job.id).await), (2, 3, 1));
}

/// P12: next time and why.
pub async fn p12_a_retry_says_when_and_why(bench: Bench) {
    let job = bench.claimed().await;
    bench.write(&job, retry(Duration::from_secs(7))).await;
    let waiting = bench.job(&job.id).await;
    assert_eq!((waiting.state, waiting.error.as_ref()), (JobState::Waiting, Some(&error())));
    assert_eq!(waiting.ready_at, bench.store.now().after(Duration::from_secs(7)));
    bench.clock.advance(Duration::from_millis(6999));
    assert_eq!(bench.claim_as("b").await, None);
    bench.clock.advance(Duration::from_millis(1));
    assert!(bench.claim_as("b").await.is_some());
}
