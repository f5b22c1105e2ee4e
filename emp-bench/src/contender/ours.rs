//! This project as `emp worker --store redis://..` runs it: the same store, engine, worker, counters and logs, with their defaults.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};
use std::time::Instant;

use emp_core::connector::{Entry, Registry};
use emp_core::{Connector, CustomConnector, JobContext, JobError, SystemClock};
use emp_engine::{Engine, EngineOptions};
use emp_metrics::{Metered, Metrics};
use emp_store::{NewJob, RedisStore, Store, StoreOptions};
use emp_worker::{PlannedWorker, Worker, WorkerOptions};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

use super::{How, Payload, Result, Tally, Words, pause, say, took};

/// The service that all jobs ask for.
const SERVICE: &str = "bench";
/// So many jobs are on their way into the store at once.
const AT_ONCE: usize = 256;

static TALLY: LazyLock<Tally> = LazyLock::new(Tally::from_env);

/// Reads its payload and is done.
#[derive(Connector)]
#[connector(custom, service = "bench", version = "1.0.0", unregistered)]
struct Noop {}

impl CustomConnector for Noop {
    async fn run(&self, job: JobContext<'_>) -> std::result::Result<Value, JobError> {
        TALLY.ran(&job.payload_as()?);
        Ok(Value::Null)
    }
}

pub(super) async fn run(url: &str, words: Words) -> Result {
    let store: Arc<dyn Store> = Arc::new(RedisStore::open(url, StoreOptions::default()).await?);
    match words {
        Words::Enqueue { how, jobs } => enqueue(store.as_ref(), how, jobs).await,
        Words::Worker { slots } => worker(store, slots).await,
        Words::Lone { jobs } => {
            for number in 0..jobs {
                store.enqueue(job(number)?).await?;
                tokio::time::sleep(pause(number)).await;
            }
            Ok(())
        }
    }
}

async fn enqueue(store: &dyn Store, how: How, jobs: u64) -> Result {
    let begun = Instant::now();
    let at_once = if how == How::Single { 1 } else { AT_ONCE };
    stream::iter(0..jobs)
        .map(|number| async move { Result::Ok(store.enqueue(job(number)?).await.map(drop)?) })
        .buffer_unordered(at_once)
        .try_for_each(|()| async { Ok(()) })
        .await?;
    took(begun);
    Ok(())
}

async fn worker(store: Arc<dyn Store>, slots: usize) -> Result {
    static REGISTRY: Registry = Registry::new(&[Entry::of::<Noop>()], None);
    // As a process of production logs that has no terminal.
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    logs.with_ansi(false).json().flatten_event(true).init();

    let entry = REGISTRY.get(Noop::SPEC.name).ok_or("the connector is not in its registry")?;
    let loaded =
        entry.load(&BTreeMap::<String, String>::new()).map_err(|_| "the connector cannot be made")?;
    let planned = PlannedWorker {
        name: SERVICE.to_owned(),
        slots,
        services: vec![(SERVICE.to_owned(), Arc::new(loaded))],
        finishers: Vec::new(),
    };
    let metrics = Arc::new(Metrics::new([SERVICE], env!("CARGO_PKG_VERSION")));
    let store: Arc<dyn Store> = Arc::new(Metered::new(store, metrics));
    let engine = Engine::new(EngineOptions::default());
    let worker = Worker::new(WorkerOptions::default(), store, engine, vec![planned], Arc::new(SystemClock));
    LazyLock::force(&TALLY);
    say("READY");
    worker.run(CancellationToken::new()).await;
    Ok(())
}

fn job(number: u64) -> Result<NewJob> {
    Ok(NewJob {
        service: SERVICE.to_owned(),
        payload: serde_json::to_value(Payload::of(number))?,
        priority: 5,
        labels: BTreeMap::new(),
        idempotency_key: None,
    })
}
