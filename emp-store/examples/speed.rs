//! How fast the embedded store is: `cargo run --release -p emp-store --example speed`. Prints, and asserts nothing.
#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a measurement prints, and stops when it cannot measure"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use emp_core::SystemClock;
use emp_core::job::WorkerId;
use emp_store::{Change, ClaimKey, ClaimRequest, EmbeddedStore, Finish, NewJob, Store, StoreOptions, Write};
use futures_util::future::join_all;
use serde_json::{Map, json};

const TASKS: usize = 50;
const JOBS: usize = 20_000;
const BACKLOG: usize = 100_000;

#[tokio::main]
async fn main() {
    let dir = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| "./target/speed".to_owned()));
    let _ = std::fs::remove_dir_all(&dir);
    let store = EmbeddedStore::open(&dir, StoreOptions::default(), Arc::new(SystemClock)).expect("a store");
    let store: Arc<dyn Store> = Arc::new(store);
    let enqueue = timed("enqueue", JOBS, TASKS, &store, |store| async move {
        for _ in 0..JOBS / TASKS {
            store.enqueue(job()).await.expect("enqueue");
        }
    });
    enqueue.await;
    let one_by_one = timed("claim + complete, one by one", JOBS / 2, TASKS, &store, |store| async move {
        for _ in 0..JOBS / 2 / TASKS {
            claim_and_complete(&store, 1).await;
        }
    });
    one_by_one.await;
    let batched = timed("claim + complete, ten by ten", JOBS / 2, TASKS, &store, |store| async move {
        for _ in 0..JOBS / 2 / TASKS / 10 {
            claim_and_complete(&store, 10).await;
        }
    });
    batched.await;
    for lanes in [1, 1000] {
        behind_a_backlog(&store, lanes).await;
    }
    let _ = std::fs::remove_dir_all(&dir);
}

/// One job that can be served, behind many of the same service that cannot, in so many lanes.
async fn behind_a_backlog(store: &Arc<dyn Store>, lanes: usize) {
    let backlog = (0..BACKLOG).map(|index| {
        let needs = format!("{lanes}/{}", index % lanes);
        store.enqueue(NewJob { priority: 9, labels: BTreeMap::from([("needs".to_owned(), needs)]), ..job() })
    });
    for taken in join_all(backlog).await {
        taken.expect("enqueue");
    }
    let rounds = 20;
    let mut took = Vec::new();
    for _ in 0..rounds {
        store.enqueue(NewJob { priority: 0, ..job() }).await.expect("enqueue");
        let services = BTreeMap::from([("svc".to_owned(), 10)]);
        let request = ClaimRequest {
            worker: WorkerId::start("w"),
            services,
            labels: BTreeMap::new(),
            connectors: BTreeSet::new(),
            max: 10,
        };
        let started = Instant::now();
        assert_eq!(store.claim(request).await.expect("claim").len(), 1);
        took.push(started.elapsed());
    }
    took.sort();
    println!(
        "claim behind {BACKLOG} more in {lanes} lanes: median {:?}, most {:?}",
        took[rounds / 2],
        took[rounds - 1]
    );
}

fn job() -> NewJob {
    NewJob {
        service: "svc".to_owned(),
        payload: json!({ "prompt": "x".repeat(500) }),
        priority: 5,
        labels: BTreeMap::new(),
        idempotency_key: None,
    }
}

async fn claim_and_complete(store: &Arc<dyn Store>, count: usize) {
    let services = BTreeMap::from([("svc".to_owned(), count)]);
    let request = ClaimRequest {
        worker: WorkerId::start("w"),
        services,
        labels: BTreeMap::new(),
        connectors: BTreeSet::new(),
        max: count,
    };
    let jobs = store.claim(request).await.expect("claim");
    let writes = jobs.into_iter().filter_map(|job| {
        let claim = ClaimKey { job: job.id, nonce: job.lease?.nonce };
        let finish = Finish::Succeeded { result: json!("ok"), meta: Map::new() };
        Some(Write { claim, change: Change::Finish(finish) })
    });
    store.write(writes.collect()).await.expect("write");
}

async fn timed<F>(
    what: &str,
    jobs: usize,
    tasks: usize,
    store: &Arc<dyn Store>,
    work: impl Fn(Arc<dyn Store>) -> F,
) where
    F: Future<Output = ()> + Send + 'static,
{
    let started = Instant::now();
    let running = (0..tasks).map(|_| tokio::spawn(work(Arc::clone(store))));
    for done in join_all(running).await {
        done.expect("a task");
    }
    let took = started.elapsed();
    println!("{what}: {:.0} jobs/s ({tasks} at once)", jobs as f64 / took.as_secs_f64());
}
