//! Outages of every length and kind under load: nothing that was acknowledged is lost, nothing is bought twice (P20, F8, F14, F16).

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use emp_core::job::{Job, JobId, JobState};
use emp_store::{Answer, Change, NewJob, RedisStore, Store as _, StoreError, StoreOptions};
use emp_testkit::redis::{Program, RedisBox};
use tokio::sync::Mutex;

use crate::failures::{by, soon};
use crate::{add, ask, claim, intent, new, open, submitted, success, write};

/// Writes until the store answers, as a worker does.
async fn insist(store: &RedisStore, job: &Job, change: Change) -> Answer {
    loop {
        match store.write(by(job, change.clone())).await {
            Ok(answers) => return answers[0],
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

/// What was bought at the service: how often for each job.
type Bought = Mutex<BTreeMap<JobId, u32>>;

/// A worker that does one job after the other until it is told to stop and there is none left.
async fn work(store: RedisStore, stop: Arc<AtomicBool>, bought: Arc<Bought>) {
    loop {
        let stopping = stop.load(Ordering::SeqCst);
        let claimed = store.claim(ask(8)).await.unwrap_or_default();
        if claimed.is_empty() {
            if stopping && store.counts().await.is_ok_and(|counts| over(&counts)) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        for job in claimed {
            if job.service_job.is_none() && insist(&store, &job, intent()).await == Answer::Ok {
                *bought.lock().await.entry(job.id.clone()).or_default() += 1;
                insist(&store, &job, submitted(job.id.as_str())).await;
            }
            insist(&store, &job, success()).await;
        }
        // A worker looks for the jobs of those that were lost.
        let _ = store.reap().await;
    }
}

fn over(counts: &BTreeMap<String, BTreeMap<JobState, u64>>) -> bool {
    counts.values().flat_map(BTreeMap::keys).all(|state| state.terminal())
}

/// P20, F8: killed and started again fifty times while jobs come and are done.
#[tokio::test]
async fn p20_f08_fifty_restarts_under_load_lose_nothing_and_buy_nothing_twice() {
    let mut server = RedisBox::start().expect("a server");
    let (stop, bought) = (Arc::new(AtomicBool::new(false)), Arc::new(Bought::default()));
    let mut workers = Vec::new();
    for _ in 0..2 {
        workers.push(tokio::spawn(work(open(&server).await, Arc::clone(&stop), Arc::clone(&bought))));
    }
    let (client, ended) = (open(&server).await, Arc::clone(&stop));
    let clients = tokio::spawn(async move {
        let mut acknowledged = BTreeSet::new();
        for number in 0.. {
            if ended.load(Ordering::SeqCst) {
                break;
            }
            let keyed = || NewJob { idempotency_key: Some(format!("key-{number}")), ..new() };
            // Until it is acknowledged, with the same key, as the API says.
            let taken = loop {
                match client.enqueue(keyed()).await {
                    Ok(taken) => break taken,
                    Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
                }
            };
            match taken {
                emp_store::Enqueued::New(job) | emp_store::Enqueued::Replayed(job) => {
                    acknowledged.insert(job.id)
                }
                conflict @ emp_store::Enqueued::KeyConflict { .. } => panic!("{conflict:?}"),
            };
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        acknowledged
    });
    for round in 0..50 {
        server.restart().expect("a restart");
        // Every now and then it stays up long enough for claims: nobody claims before those who have jobs could say so.
        for _ in 0..if round % 10 == 9 { 14 } else { 1 } {
            tokio::time::sleep(Duration::from_millis(180)).await;
        }
    }
    stop.store(true, Ordering::SeqCst);
    let acknowledged = clients.await.expect("the clients");
    for worker in workers {
        tokio::time::timeout(Duration::from_mins(1), worker).await.expect("all is done").expect("a worker");
    }
    assert!(acknowledged.len() > 50, "{}", acknowledged.len());
    let (store, bought) = (open(&server).await, bought.lock().await);
    for id in &acknowledged {
        let job = store.get(id).await.expect("get").expect("an acknowledged job");
        assert_eq!((job.state, job.attempt, bought.get(id)), (JobState::Succeeded, 1, Some(&1)), "{id}");
    }
    assert_eq!(bought.len(), acknowledged.len());
}

/// P20, P9, F14: frozen for many leases, by which every lease has lapsed: whoever lives keeps its jobs, nobody is blamed, and the next
/// lease that lapses is that of somebody who is gone.
#[tokio::test]
async fn p20_f14_a_server_frozen_for_many_leases_costs_nobody_a_job() {
    let lease = Duration::from_secs(1);
    let options = || StoreOptions { lease, ..StoreOptions::default() };
    let server = RedisBox::start().expect("a server");
    let worker = RedisStore::open(&server.url(), options()).await.expect("a store");
    let other = Arc::new(RedisStore::open(&server.url(), options()).await.expect("a store"));
    for _ in 0..20 {
        add(&worker).await;
    }
    let claimed = claim(&worker, 20).await;
    for job in &claimed {
        assert_eq!(write(&worker, job, intent()).await, Answer::Ok);
    }
    assert_eq!(other.reap().await.expect("reap"), 0);
    server.freeze().expect("frozen");
    let began = Instant::now();
    let renewals = || claimed.iter().flat_map(|job| by(job, Change::Renew)).collect::<Vec<_>>();
    let (one, two) = tokio::join!(worker.write(renewals()), other.reap());
    assert!(one.is_err() && two.is_err() && began.elapsed() > lease * 3, "{one:?} {two:?}");
    server.thaw().expect("thawed");
    assert_eq!(
        soon("a look", async || other.reap().await).await,
        0,
        "a lapsed lease says nothing of its worker now"
    );
    let renewed = soon("renewals", async || worker.write(renewals()).await).await;
    assert_eq!(renewed, [Answer::Ok; 20]);
    for job in &claimed {
        let job = worker.get(&job.id).await.expect("get").expect("the job");
        assert_eq!((job.state, job.crashes, job.deliveries), (JobState::Running, 0, 1));
    }
    // From now on it is silent.
    let started = Instant::now();
    while other.reap().await.expect("reap") == 0 {
        assert!(started.elapsed() < lease * 8, "nobody takes the jobs of a worker that is gone");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// A small disk; gone with it.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    /// `None` where nobody may mount one.
    fn mount() -> Option<Self> {
        let dir = tempfile::tempdir().expect("a directory");
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", "size=6m", "none"]).arg(dir.path()).output();
        mounted.is_ok_and(|done| done.status.success()).then(|| Self(dir))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Leaves no room.
    fn fill(&self) {
        let fills = std::fs::File::create(self.path().join("full")).and_then(|mut file| {
            let block = [0_u8; 4096];
            loop {
                std::io::Write::write_all(&mut file, &block)?;
            }
        });
        // It ends when there is no room.
        let _: std::io::Result<()> = fills;
    }

    fn free(&self) {
        std::fs::remove_file(self.path().join("full")).expect("room");
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.path()).output();
    }
}

/// F16: the disk is full: nothing new is acknowledged, an outcome is kept by its worker until there is room, and all that was acknowledged
/// is there afterwards, also when the server starts anew.
#[tokio::test]
async fn p27_f16_a_full_disk_refuses_what_is_new_and_loses_nothing() {
    let Some(disk) = SmallDisk::mount() else {
        println!("not tested: nobody may mount a small disk here");
        return;
    };
    let dir = disk.path().display().to_string();
    let options = ["--appendonly", "yes", "--appendfsync", "everysec", "--dir", &dir];
    let mut server = RedisBox::start_with(Program::Redis, &options).expect("a server");
    let store = open(&server).await;
    let before = add(&store).await;
    add(&store).await;
    let claimed = claim(&store, 1).await.pop().expect("the job");
    disk.fill();
    let started = Instant::now();
    let mut acknowledged = vec![before.id];
    // What comes before the server notices is in its memory, and written when there is room.
    let refused = loop {
        match store.enqueue(new()).await {
            Ok(emp_store::Enqueued::New(job)) => acknowledged.push(job.id),
            Ok(other) => panic!("{other:?}"),
            Err(error) => break error,
        }
        assert!(started.elapsed() < Duration::from_secs(20), "the disk is not full");
    };
    assert!(matches!(refused, StoreError::Full(_)), "{refused:?}");
    let outcome = store.write(by(&claimed, success())).await;
    assert!(matches!(outcome, Err(StoreError::Full(_))), "{outcome:?}");
    disk.free();
    assert_eq!(soon("the outcome", async || store.write(by(&claimed, success())).await).await, [Answer::Ok]);
    acknowledged.push(add(&store).await.id);
    // Written to its file each second.
    let synced = Instant::now();
    while !server
        .command(&["INFO", "persistence"])
        .expect("an answer")
        .text()
        .contains("aof_last_write_status:ok")
    {
        assert!(synced.elapsed() < Duration::from_secs(10), "it does not write");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    server.restart().expect("a restart");
    for id in &acknowledged {
        assert!(soon("a look", async || store.get(id).await).await.is_some(), "an acknowledged job");
    }
}
