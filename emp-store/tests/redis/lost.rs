//! When an answer, a read or a record is lost between the store and its server: nothing that somebody paid for goes with it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use emp_core::job::{Delta, Job, JobState};
use emp_core::time::ManualClock;
use emp_store::conformance::{clock, options};
use emp_store::{
    Answer, Change, ClaimKey, ClaimRequest, Enqueued, NewJob, RedisStore, Store as _, StoreError,
    StoreOptions, Write,
};
use emp_testkit::redis::RedisBox;

use crate::failover::forgetful;
use crate::failures::{by, soon};
use crate::proxy::Proxy;
use crate::{add, ask, claim, intent, new, open, submitted, success, write};

fn key(job: &Job) -> String {
    format!("emp:{{emp}}:job:{}", job.id)
}

async fn with_label(store: &RedisStore, value: &str) -> Job {
    let labels = BTreeMap::from([("gpu".to_owned(), value.to_owned())]);
    match store.enqueue(NewJob { labels, ..new() }).await.expect("enqueue") {
        Enqueued::New(job) => job,
        other => panic!("expected a new job, got {other:?}"),
    }
}

/// P18: the store has lost a job, and looking at it fails as well: the process still has the only copy of it afterwards.
#[tokio::test]
async fn p18_f10_a_job_that_could_not_be_put_back_at_once_is_put_back_later() {
    let server = RedisBox::start().expect("a server");
    // By a clock of our own no script reads with the command that is forbidden below.
    let shared: Arc<ManualClock> = clock();
    let store = RedisStore::open_with_clock(&server.url(), options(), shared).await.expect("a store");
    add(&store).await;
    let job = claim(&store, 1).await.pop().expect("the job");
    assert_eq!(write(&store, &job, intent()).await, Answer::Ok);
    assert_eq!(write(&store, &job, submitted("paid")).await, Answer::Ok);
    server.command(&["DEL", &key(&job)]).expect("an answer");
    server.command(&["ACL", "SETUSER", "default", "-hmget"]).expect("an answer");
    store.write(by(&job, Change::Renew)).await.expect_err("the look at the job fails");
    server.command(&["ACL", "SETUSER", "default", "+hmget"]).expect("an answer");
    assert_eq!(write(&store, &job, Change::Renew).await, Answer::Ok);
    let found = store.get(&job.id).await.expect("get").expect("the job");
    assert_eq!(found.service_job.map(|far| far.id), Some("paid".to_owned()));
    assert_eq!((found.state, found.payload), (JobState::Running, new().payload));
}

/// P6: a commit whose answer was lost was made all the same: it is not made once more, and answered as if nothing had been lost.
#[tokio::test]
async fn p06_a_commit_whose_answer_was_lost_is_made_once() {
    let server = RedisBox::start().expect("a server");
    let (proxy, other) = (Proxy::to(&server).await, open(&server).await);
    let store = RedisStore::open(&proxy.url(), options()).await.expect("a store");
    add(&store).await;
    let job = claim(&store, 1).await.pop().expect("the job");
    // From its memory, and as it is after somebody else's change.
    for round in 0..2 {
        proxy.lose_answer(1);
        let text = Change::Delta(Delta { start: false, text: format!("text {round}") });
        assert_eq!(write(&store, &job, text).await, Answer::Ok);
        assert!(proxy.has_lost_it());
    }
    assert_eq!(write(&store, &job, intent()).await, Answer::Ok);
    assert!(other.nudge(&job.id, None).await.expect("nudge"));
    // The first answer after somebody else's change is a refusal, the second one that of the look, and the third one counts.
    proxy.lose_answer(3);
    assert_eq!(write(&store, &job, Change::Renew).await, Answer::Nudged, "told once, and not lost");
    assert!(proxy.has_lost_it());
    let events = store.events(&job.id, 0).await.expect("events").expect("the job's");
    let texts: Vec<_> =
        events.iter().filter_map(|event| event.delta.as_ref()).map(|delta| &delta.text).collect();
    assert_eq!(texts, ["text 0", "text 1"]);
    assert_eq!(write(&store, &job, success()).await, Answer::Ok);
}

/// P18: whatever a worker asks first after an outage, all that it has is put back by it: others claim soon after.
#[tokio::test]
async fn p18_f10_all_jobs_of_a_worker_are_put_back_with_its_first_call() {
    for renews in [true, false] {
        let mut server = forgetful();
        let (worker, other) = (open(&server).await, open(&server).await);
        add(&worker).await;
        add(&worker).await;
        server.command(&["SAVE"]).expect("saved");
        let claimed = claim(&worker, 2).await;
        for job in &claimed {
            assert_eq!(write(&worker, job, intent()).await, Answer::Ok);
            assert_eq!(write(&worker, job, submitted("paid")).await, Answer::Ok);
        }
        server.restart().expect("a restart");
        if renews {
            let renewed =
                soon("a renewal", async || worker.write(by(&claimed[0], Change::Renew)).await).await;
            assert_eq!(renewed, [Answer::Ok]);
        } else {
            soon("a look for lapsed leases", async || worker.reap().await).await;
        }
        for job in &claimed {
            let found = other.get(&job.id).await.expect("get").expect("the job");
            assert_eq!((found.state, found.service_job.is_some()), (JobState::Running, true), "{renews}");
        }
    }
}

/// F18: one record that cannot be read does not keep the others from being renewed, whether this process has it or not.
#[tokio::test]
async fn f18_an_unreadable_record_keeps_no_other_job_from_being_renewed() {
    let server = RedisBox::start().expect("a server");
    let (store, late) = (open(&server).await, open(&server).await);
    for _ in 0..3 {
        add(&store).await;
    }
    let claimed = claim(&store, 3).await;
    let renewals: Vec<Write> = claimed.iter().flat_map(|job| by(job, Change::Renew)).collect();
    server.command(&["SET", &key(&claimed[0]), "mine"]).expect("an answer");
    server.command(&["HSET", &key(&claimed[1]), "rec", "{"]).expect("an answer");
    let answers = late.write(renewals.clone()).await.expect("write");
    assert_eq!(answers, [Answer::Gone, Answer::Gone, Answer::Ok]);
    // What this one has it can write anew, except where there is something foreign.
    assert_eq!(store.write(renewals).await.expect("write"), [Answer::Gone, Answer::Ok, Answer::Ok]);
    assert_eq!(server.command(&["GET", &key(&claimed[0])]).expect("an answer").text(), "mine", "left alone");
}

/// F18: something foreign where a job's events should be costs those events, and no half of a change.
#[tokio::test]
async fn f18_a_foreign_value_at_the_events_of_a_job_stops_nothing() {
    let server = RedisBox::start().expect("a server");
    let store = open(&server).await;
    let job = add(&store).await;
    for kind in ["events", "texts"] {
        server.command(&["SET", &format!("emp:{{emp}}:{kind}:{}", job.id), "mine"]).expect("an answer");
    }
    let claimed = claim(&store, 1).await.pop().expect("the job");
    let text = Change::Delta(Delta { start: false, text: "text".to_owned() });
    assert_eq!(write(&store, &claimed, text).await, Answer::Ok);
    assert_eq!(write(&store, &claimed, success()).await, Answer::Ok);
    let counts = store.counts().await.expect("counts");
    assert_eq!(counts["svc"], BTreeMap::from([(JobState::Succeeded, 1)]));
}

/// P17: what was claimed is not lost by an error that comes after it.
#[tokio::test]
async fn p17_claims_that_were_made_are_told_though_the_next_page_fails() {
    let server = RedisBox::start().expect("a server");
    let store = open(&server).await;
    for _ in 0..500 {
        add(&store).await;
    }
    store.enqueue(NewJob { service: "b".to_owned(), priority: 0, ..new() }).await.expect("enqueue");
    server.command(&["HSET", "emp:{emp}:counts", "queued b", "none"]).expect("an answer");
    let services = BTreeMap::from([("svc".to_owned(), 600), ("b".to_owned(), 1)]);
    let claimed = store.claim(ClaimRequest { services, ..ask(600) }).await.expect("claim");
    assert_eq!(claimed.len(), 500);
}

/// P28: one look forgets all that is due, not a page of it.
#[tokio::test]
async fn p28_one_look_forgets_all_that_is_due() {
    let server = RedisBox::start().expect("a server");
    let clock = clock();
    let shared = Arc::<ManualClock>::clone(&clock);
    let store = RedisStore::open_with_clock(&server.url(), options(), shared).await.expect("a store");
    for _ in 0..600 {
        add(&store).await;
    }
    let claimed = claim(&store, 600).await;
    let done = claimed.iter().map(|job| {
        let nonce = job.lease.as_ref().expect("a lease").nonce.clone();
        Write { claim: ClaimKey { job: job.id.clone(), nonce }, change: success() }
    });
    assert_eq!(store.write(done.collect()).await.expect("write").len(), 600);
    clock.advance(Duration::from_hours(25));
    store.reap().await.expect("reap");
    assert_eq!(store.counts().await.expect("counts"), BTreeMap::new());
}

/// F10: after a failover that lost a lane, the next one that comes does not pass for it.
#[tokio::test]
async fn f10_lanes_that_were_lost_do_not_pass_for_those_that_came_after() {
    let mut server = forgetful();
    let (store, other) = (open(&server).await, open(&server).await);
    add(&store).await;
    server.command(&["SAVE"]).expect("saved");
    with_label(&store, "lost").await;
    assert_eq!(claim(&other, 1).await.len(), 1, "it knows all lanes now");
    server.restart().expect("a restart");
    let after = soon("an enqueue", async || Ok(with_label(&open(&server).await, "new").await)).await;
    let labels = BTreeMap::from([("gpu".to_owned(), "new".to_owned())]);
    let request = ClaimRequest { labels, ..ask(5) };
    let claimed = soon("a claim", async || {
        let claimed = other.claim(request.clone()).await?;
        let nothing = || StoreError::Down("nothing is claimed".to_owned());
        claimed.into_iter().find(|job| job.id == after.id).ok_or_else(nothing)
    });
    claimed.await;
}

/// F9: a process that happens to start does not decide for those who have said that they go on with no empty store.
#[tokio::test]
async fn f09_a_process_that_starts_undoes_no_refusal() {
    let mut server = RedisBox::start().expect("a server");
    let strict = open(&server).await;
    add(&strict).await;
    server.restart_empty().expect("a restart");
    let beginner = open(&server).await;
    add(&beginner).await;
    let refused = strict.enqueue(new()).await;
    assert!(matches!(refused, Err(StoreError::Reset(_))), "{refused:?}");
    let accepting = StoreOptions { accept_empty: true, ..StoreOptions::default() };
    RedisStore::open(&server.url(), accepting).await.expect("a store");
    add(&strict).await;
    let counts = beginner.counts().await.expect("counts");
    assert_eq!(counts["svc"], BTreeMap::from([(JobState::Queued, 2)]));
}
