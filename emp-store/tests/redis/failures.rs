//! When the server fails: restarts, silence, failover, lost data, no room, foreign values.

use std::time::{Duration, Instant};

use emp_store::{
    Answer, Change, ClaimKey, Enqueued, RedisStore, Store as _, StoreError, StoreOptions, Write,
};
use emp_testkit::redis::{RedisBox, Sentinels};

use crate::{add, claim, intent, new, open, submitted, success, write};

/// Calls until it works; fails when that takes longer than 5 s, the time within which everything works again after an outage (P20).
pub(crate) async fn soon<T>(what: &str, mut call: impl AsyncFnMut() -> Result<T, StoreError>) -> T {
    let started = Instant::now();
    loop {
        match call().await {
            Ok(done) => return done,
            Err(error) if started.elapsed() > Duration::from_secs(5) => panic!("{what}: {error}"),
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

pub(crate) fn by(claimed: &emp_core::job::Job, change: Change) -> Vec<Write> {
    let nonce = claimed.lease.as_ref().expect("a lease").nonce.clone();
    vec![Write { claim: ClaimKey { job: claimed.id.clone(), nonce }, change }]
}

/// P20, F8, F20: killed and started again under a store that stays open, and made to forget its scripts.
#[tokio::test]
async fn p20_f08_after_a_restart_everything_goes_on() {
    let mut server = RedisBox::start().expect("a server");
    let store = open(&server).await;
    add(&store).await;
    let claimed = claim(&store, 1).await.pop().expect("the job");
    for round in 0..3 {
        server.restart().expect("a restart");
        let renewed = soon("a renewal", async || store.write(by(&claimed, Change::Renew)).await).await;
        assert_eq!(renewed, [Answer::Ok], "round {round}");
        server.command(&["SCRIPT", "FLUSH"]).expect("an answer");
        add(&store).await;
    }
    let started = Instant::now();
    while claim(&store, 5).await.is_empty() {
        assert!(started.elapsed() < Duration::from_secs(5), "nothing is claimed");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(write(&store, &claimed, success()).await, Answer::Ok);
}

/// P20, F14: a server that says nothing at all is given up in time, and found again.
#[tokio::test]
async fn p20_f14_a_frozen_server_is_an_outage_and_then_is_none() {
    let server = RedisBox::start().expect("a server");
    let store = open(&server).await;
    add(&store).await;
    server.freeze().expect("frozen");
    let started = Instant::now();
    let refused = store.enqueue(new()).await;
    assert!(matches!(refused, Err(StoreError::Down(_))), "{refused:?}");
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    server.thaw().expect("thawed");
    soon("an enqueue", async || store.enqueue(new()).await).await;
}

/// P20, F17: the sentinels name another primary, and the store follows.
#[tokio::test]
async fn p20_f17_the_store_follows_a_failover() {
    let mut sentinels = Sentinels::start().expect("servers");
    let store = RedisStore::open(&sentinels.url(), StoreOptions::default()).await.expect("a store");
    let before = add(&store).await;
    let first = sentinels.first.port();
    let key = format!("emp:{{emp}}:job:{}", before.id);
    while sentinels.second.command(&["EXISTS", &key]).expect("an answer").text() != "1" {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    sentinels.first.kill().expect("killed");
    let started = Instant::now();
    while sentinels.primary().expect("an answer") == first {
        assert!(started.elapsed() < Duration::from_secs(30), "no failover");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    soon("an enqueue", async || store.enqueue(new()).await).await;
    assert!(store.get(&before.id).await.expect("get").is_some());
}

/// F9: nothing goes on as if nothing had been there; unless somebody says so, and then what workers have is put back.
#[tokio::test]
async fn f09_a_server_without_its_data_is_refused_or_accepted_as_was_said() {
    let mut server = RedisBox::start().expect("a server");
    let strict = open(&server).await;
    let options = StoreOptions { accept_empty: true, ..StoreOptions::default() };
    let lax = RedisStore::open(&server.url(), options).await.expect("a store");
    let job = add(&strict).await;
    let claimed = claim(&strict, 1).await.pop().expect("the job");
    server.restart_empty().expect("a restart");
    let refused = strict.enqueue(new()).await;
    let told = |text: &str| text.contains("--on-empty accept");
    assert!(matches!(&refused, Err(StoreError::Reset(text)) if told(text)), "{refused:?}");
    let taken = soon("an enqueue", async || lax.enqueue(new()).await).await;
    assert!(matches!(taken, Enqueued::New(_)));
    // The store is a new one now, and the worker puts back what it has.
    assert_eq!(write(&strict, &claimed, Change::Renew).await, Answer::Ok);
    assert_eq!(lax.get(&job.id).await.expect("get").expect("the job").payload, new().payload);
    assert_eq!(write(&strict, &claimed, success()).await, Answer::Ok);
}

/// P27, F15: what is there can end when there is no memory for more.
#[tokio::test]
async fn p27_f15_a_full_server_takes_nothing_in_and_lets_jobs_end() {
    let server = RedisBox::start().expect("a server");
    let store = open(&server).await;
    for _ in 0..20 {
        add(&store).await;
    }
    server.fill().expect("filled");
    let refused = store.enqueue(new()).await;
    assert!(matches!(refused, Err(StoreError::Full(_))), "{refused:?}");
    let claimed = claim(&store, 20).await;
    assert_eq!(claimed.len(), 20);
    for job in &claimed {
        assert_eq!(write(&store, job, intent()).await, Answer::Ok);
        assert_eq!(write(&store, job, submitted("far")).await, Answer::Ok);
        assert_eq!(write(&store, job, success()).await, Answer::Ok);
    }
    server.unfill().expect("room");
    add(&store).await;
}

/// P27: before there is no memory at all, new jobs are refused, and taken in again when there is some.
#[tokio::test]
async fn p27_new_jobs_are_refused_before_the_memory_is_used_up() {
    let server = RedisBox::start().expect("a server");
    let used = || {
        let info = server.command(&["INFO", "memory"]).expect("an answer").text();
        let used = info.lines().find_map(|line| line.strip_prefix("used_memory:"));
        used.and_then(|used| used.trim().parse::<u64>().ok()).expect("a number")
    };
    let limit =
        |bytes: u64| server.command(&["CONFIG", "SET", "maxmemory", &bytes.to_string()]).expect("an answer");
    let store = open(&server).await;
    limit(used() * 10 / 9);
    let refused = store.enqueue(new()).await;
    let told = |text: &str| text.contains("% of its memory") && text.contains("maxmemory");
    assert!(matches!(&refused, Err(StoreError::Full(text)) if told(text)), "{refused:?}");
    limit(used() * 2);
    add(&store).await;
}

/// P19: a server that is told to throw keys away while it is used gets no more jobs, and those that it has go on.
#[tokio::test]
async fn p19_a_server_that_is_told_to_evict_takes_nothing_in() {
    let server = RedisBox::start().expect("a server");
    let (starter, store) = (open(&server).await, open(&server).await);
    add(&starter).await;
    server.command(&["CONFIG", "SET", "maxmemory-policy", "allkeys-lru"]).expect("an answer");
    let refused = store.enqueue(new()).await;
    assert!(matches!(refused, Err(StoreError::Unsafe(_))), "{refused:?}");
    let claimed = claim(&store, 1).await.pop().expect("the job");
    assert_eq!(write(&store, &claimed, success()).await, Answer::Ok);
    server.command(&["CONFIG", "SET", "maxmemory-policy", "noeviction"]).expect("an answer");
    add(&store).await;
}

/// F18: what is not ours does not stand in anybody's way.
#[tokio::test]
async fn f18_a_foreign_value_at_a_jobs_key_hides_no_other_job() {
    let server = RedisBox::start().expect("a server");
    let store = open(&server).await;
    let (foreign, broken, good) = (add(&store).await, add(&store).await, add(&store).await);
    let key = |job: &emp_core::job::Job| format!("emp:{{emp}}:job:{}", job.id);
    server.command(&["SET", &key(&foreign), "mine"]).expect("an answer");
    server.command(&["HSET", &key(&broken), "rec", "{"]).expect("an answer");
    let claimed = claim(&store, 5).await;
    assert_eq!(claimed.iter().map(|job| &job.id).collect::<Vec<_>>(), [&good.id]);
    assert_eq!(server.command(&["ZCARD", "emp:{emp}:leases"]).expect("an answer").text(), "1");
    assert!(matches!(store.get(&foreign.id).await, Err(StoreError::Corrupt(_))));
    assert_eq!(server.command(&["GET", &key(&foreign)]).expect("an answer").text(), "mine", "left alone");
}

/// P29: a record of a newer version is left to those who can read it.
#[tokio::test]
async fn p29_a_newer_record_is_left_alone() {
    let server = RedisBox::start().expect("a server");
    let store = open(&server).await;
    let (newer, own) = (add(&store).await, add(&store).await);
    let key = format!("emp:{{emp}}:job:{}", newer.id);
    let record = "{\"schema\":99,\"shape\":\"another\"}";
    server.command(&["HSET", &key, "rec", record]).expect("an answer");
    assert_eq!(claim(&store, 5).await.into_iter().map(|job| job.id).collect::<Vec<_>>(), [own.id]);
    assert!(matches!(store.get(&newer.id).await, Err(StoreError::Version(_))));
    store.reap().await.expect("reap");
    assert_eq!(server.command(&["HGET", &key, "rec"]).expect("an answer").text(), record);
    let stands = server.command(&["ZSCORE", "emp:{emp}:leases", newer.id.as_str()]).expect("an answer");
    assert!(!stands.text().is_empty(), "a newer process finds it there and puts it back into its line");
}
