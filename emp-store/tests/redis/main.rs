//! What the Redis store promises beside the conformance suite: to other tools, to other processes, and when its server fails.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "helpers of tests fail by panicking"
)]

mod failover;
mod failures;
mod lost;
mod outages;
mod proxy;
mod replicas;
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
    // The channel is listened to a moment after the store is opened, so jobs come until one is heard of.
    let mut heard = worker.changed();
    let mut others = 0;
    while tokio::time::timeout(Duration::from_millis(100), &mut heard).await.is_err() {
        add(&api).await;
        others += 1;
        assert!(others < 100, "nothing is heard for ten seconds");
    }
    let hint = worker.changed();
    let job = add(&api).await;
    tokio::time::timeout(Duration::from_secs(5), hint).await.expect("a hint");
    let claims = claim(&worker, others + 1).await;
    let claimed = claims.into_iter().find(|claimed| claimed.id == job.id).expect("the job");
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

/// P28: after the time of each, nothing is left of a job, nor of its key, its lane and its events.
#[tokio::test]
async fn p28_nothing_is_left_of_jobs_that_ended_long_ago() {
    let server = RedisBox::start().expect("a server");
    let clock = clock();
    let shared = Arc::<ManualClock>::clone(&clock);
    let store = RedisStore::open_with_clock(&server.url(), options(), shared).await.expect("a store");
    let keys = || {
        let all = server.command(&["KEYS", "*"]).expect("an answer").text();
        all.split(' ').map(str::to_owned).collect::<BTreeSet<_>>()
    };
    for index in 0..60 {
        let key = (index % 2 == 0).then(|| index.to_string());
        store.enqueue(NewJob { idempotency_key: key, ..new() }).await.expect("enqueue");
    }
    let claimed = claim(&store, 59).await;
    for job in &claimed {
        assert_eq!(write(&store, job, intent()).await, Answer::Ok);
        assert_eq!(write(&store, job, success()).await, Answer::Ok);
    }
    let first = &claimed[0].id;
    clock.advance(Duration::from_hours(25));
    store.reap().await.expect("reap");
    let kept = |job: &Job| job.idempotency_key.is_some();
    assert!(store.get(first).await.expect("get").is_some_and(|job| kept(&job)), "kept with its key");
    assert_eq!(store.get(&claimed[1].id).await.expect("get"), None);
    clock.advance(Duration::from_hours(24));
    // The keys go when their jobs have gone.
    store.reap().await.expect("reap");
    store.reap().await.expect("reap");
    let waiting = claim(&store, 5).await.pop().expect("the one that nobody had");
    assert_eq!(write(&store, &waiting, success()).await, Answer::Ok);
    clock.advance(Duration::from_hours(49));
    store.reap().await.expect("reap");
    let base = ["arrival", "clock", "lanes", "lanes:version"].map(|name| format!("emp:{{emp}}:{name}"));
    assert_eq!(keys(), BTreeSet::from(base));
}

/// DESIGN section 9: at 50 slots a job that is claimed and ended costs at most 10 commands, those within scripts counted, and 0.15 round
/// trips.
#[tokio::test]
async fn a_job_costs_few_commands_and_round_trips() {
    const SLOTS: usize = 50;
    let server = RedisBox::start().expect("a server");
    let store = open(&server).await;
    // Scripts and lanes are known.
    add(&store).await;
    assert_eq!(claim(&store, SLOTS).await.len(), 1);
    for _ in 0..2 * SLOTS {
        add(&store).await;
    }
    server.command(&["CONFIG", "RESETSTAT"]).expect("an answer");
    for _ in 0..2 {
        let claimed = claim(&store, SLOTS).await;
        let done = claimed.iter().map(|job| {
            let nonce = job.lease.as_ref().expect("a lease").nonce.clone();
            Write { claim: ClaimKey { job: job.id.clone(), nonce }, change: success() }
        });
        let answers = store.write(done.collect()).await.expect("write");
        assert_eq!(answers, [Answer::Ok; SLOTS]);
    }
    let stats = server.command(&["INFO", "commandstats"]).expect("an answer").text();
    let calls = |line: &str| -> usize {
        let number = line.split_once("calls=").and_then(|(_, rest)| rest.split(',').next());
        number.and_then(|number| number.parse().ok()).unwrap_or(0)
    };
    let commands: usize = stats.lines().map(calls).sum();
    let trips: usize = stats.lines().filter(|line| line.starts_with("cmdstat_evalsha")).map(calls).sum();
    println!("{commands} commands and {trips} round trips for {} jobs", 2 * SLOTS);
    assert!(commands <= 10 * 2 * SLOTS, "{commands}: {stats}");
    assert!(trips * 100 <= 15 * 2 * SLOTS, "{trips}: {stats}");
}

/// P22: a renewal is no news, or a worker that renews when it hears some would never rest.
#[tokio::test]
async fn p22_a_renewal_is_no_hint() {
    let server = RedisBox::start().expect("a server");
    let (store, other) = (open(&server).await, open(&server).await);
    add(&store).await;
    let claimed = claim(&store, 1).await.pop().expect("the job");
    let quiet = async |store: &RedisStore, hint| {
        tokio::time::timeout(Duration::from_millis(150), hint).await.is_err() && store.counts().await.is_ok()
    };
    // What was published before has been heard by then.
    tokio::time::sleep(Duration::from_millis(100)).await;
    let hints = (store.changed(), other.changed());
    assert_eq!(write(&store, &claimed, Change::Renew).await, Answer::Ok);
    assert!(quiet(&store, hints.0).await && quiet(&other, hints.1).await);
    let hint = other.changed();
    assert_eq!(write(&store, &claimed, success()).await, Answer::Ok);
    tokio::time::timeout(Duration::from_secs(5), hint).await.expect("a hint");
}
