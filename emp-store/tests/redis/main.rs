//! What the Redis store promises beside the conformance suite: to other tools, to other processes, and when its server fails.
#![allow(clippy::expect_used, clippy::panic, reason = "helpers of tests fail by panicking")]

mod failures;
mod trust;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use emp_core::Timestamp;
use emp_core::job::{Intent, Job, ServiceJob, WorkerId};
use emp_core::time::{Clock as _, ManualClock};
use emp_store::conformance::{clock, options};
use emp_store::{
    Answer, Change, ClaimKey, ClaimRequest, Enqueued, Finish, NewJob, RedisStore, Store as _, StoreOptions,
    Write,
};
use emp_testkit::redis::RedisBox;
use serde_json::{Map, json};

async fn open(server: &RedisBox) -> RedisStore {
    RedisStore::open(&server.url(), StoreOptions::default()).await.expect("a store")
}

fn new() -> NewJob {
    NewJob {
        service: "svc".to_owned(),
        payload: json!({ "text": "a lighthouse" }),
        priority: 5,
        labels: BTreeMap::new(),
        idempotency_key: None,
    }
}

async fn add(store: &RedisStore) -> Job {
    match store.enqueue(new()).await.expect("enqueue") {
        Enqueued::New(job) => job,
        other => panic!("expected a new job, got {other:?}"),
    }
}

fn ask(count: usize) -> ClaimRequest {
    ClaimRequest {
        worker: WorkerId::start("w"),
        services: BTreeMap::from([("svc".to_owned(), count)]),
        labels: BTreeMap::new(),
        connectors: BTreeSet::from(["Fake".to_owned()]),
        max: count,
    }
}

async fn claim(store: &RedisStore, count: usize) -> Vec<Job> {
    store.claim(ask(count)).await.expect("claim")
}

async fn write(store: &RedisStore, job: &Job, change: Change) -> Answer {
    let nonce = job.lease.as_ref().expect("a claimed job").nonce.clone();
    let claim = ClaimKey { job: job.id.clone(), nonce };
    store.write(vec![Write { claim, change }]).await.expect("write")[0]
}

fn intent() -> Change {
    Change::Intent(Intent {
        connector: "Fake".to_owned(),
        fingerprint: 7,
        key: "key".to_owned(),
        digest: "digest".to_owned(),
        prepared: Map::new(),
        at: Timestamp::default(),
    })
}

fn submitted(id: &str) -> Change {
    Change::Submitted(ServiceJob {
        id: id.to_owned(),
        captured: Map::new(),
        connector: "Fake".to_owned(),
        fingerprint: 7,
        submitted_at: Timestamp(1),
    })
}

fn success() -> Change {
    Change::Finish(Finish::Succeeded { result: json!({ "ok": true }), meta: Map::new() })
}

/// The guide's promise: `HGET emp:{queue}:job:<id> service_job_id` shows it to any tool.
#[tokio::test]
async fn other_tools_read_the_service_job_id() {
    let server = RedisBox::start().expect("a server");
    let store = open(&server).await;
    let job = add(&store).await;
    let key = format!("emp:{{emp}}:job:{}", job.id);
    let shown = |field: &str| server.command(&["HGET", &key, field]).expect("an answer").text();
    assert_eq!(
        (shown("state"), shown("service"), shown("phase")),
        ("queued".into(), "svc".into(), String::new())
    );
    let claimed = claim(&store, 1).await.pop().expect("the job");
    assert_eq!(write(&store, &claimed, intent()).await, Answer::Ok);
    assert_eq!(shown("service_job_id"), "");
    assert_eq!(write(&store, &claimed, submitted("far-17")).await, Answer::Ok);
    assert_eq!((shown("service_job_id"), shown("phase")), ("far-17".into(), "submitted".into()));
    assert_eq!(shown("worker"), claimed.lease.as_ref().expect("a lease").worker.as_str());
    assert_eq!(write(&store, &claimed, success()).await, Answer::Ok);
    assert_eq!((shown("state"), shown("worker")), ("succeeded".into(), String::new()));
}

/// P5, P17: the processes of several machines share the jobs, see each other's changes and hear each other's hints.
#[tokio::test]
async fn p17_processes_hear_of_each_others_jobs_and_see_each_others_writes() {
    let server = RedisBox::start().expect("a server");
    let (api, worker) = (open(&server).await, open(&server).await);
    // The channel is listened to a moment after the store is opened; that moment is a hint by itself.
    let told = async |hint| tokio::time::timeout(Duration::from_secs(5), hint).await.expect("a hint");
    told(worker.changed()).await;
    let hint = worker.changed();
    let job = add(&api).await;
    told(hint).await;
    let claimed = claim(&worker, 5).await.pop().expect("the job");
    assert_eq!(api.get(&job.id).await.expect("get").as_ref(), Some(&claimed));
    api.cancel(&job.id, "me", None).await.expect("cancel");
    // The worker answers from what it has in memory, but not when somebody else has changed it.
    assert_eq!(write(&worker, &claimed, Change::Renew).await, Answer::CancelRequested);
    assert_eq!(write(&worker, &claimed, intent()).await, Answer::CancelRequested);
    assert_eq!(write(&worker, &claimed, intent()).await, Answer::CancelRequested);
}

/// P17: whoever takes jobs out of their lane and dies before it has claimed them has delivered nothing.
#[tokio::test]
async fn p17_a_job_that_was_taken_and_not_claimed_stands_in_line_again() {
    let server = RedisBox::start().expect("a server");
    let clock = clock();
    let shared = Arc::<ManualClock>::clone(&clock);
    let store = RedisStore::open_with_clock(&server.url(), options(), shared).await.expect("a store");
    let job = add(&store).await;
    // What the first step of a claim leaves behind.
    let lane = server.command(&["KEYS", "emp:{emp}:lane:*"]).expect("an answer").text();
    server.command(&["DEL", &lane]).expect("an answer");
    let until = (clock.now().0 + 5000).to_string();
    server.command(&["ZADD", "emp:{emp}:leases", &until, job.id.as_str()]).expect("an answer");
    assert_eq!(claim(&store, 1).await, []);
    clock.advance(Duration::from_secs(6));
    assert_eq!(store.reap().await.expect("reap"), 0, "no lease has lapsed");
    let claimed = claim(&store, 1).await.pop().expect("the job again");
    assert_eq!((claimed.id, claimed.deliveries, claimed.crashes), (job.id, 1, 0));
}
