//! One life: a store, a service, three workers and their jobs.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use emp_core::job::{JobId, JobState};
use emp_core::{Clock, Timestamp};
use emp_store::memory::MemoryStore;
use emp_store::store::{CancelAnswer, Enqueued, NewJob, Store, StoreOptions};
use emp_testkit::history::{Fate, JobHistory, Resends};
use serde_json::json;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use crate::chance::{self, millis, once_in};
use crate::fleet::{self, Ground};
use crate::link::pass_hints;
use crate::service::{Service, Word};

/// How many jobs there are.
pub(crate) const JOBS: usize = 8;
/// A worker that is silent for so long has lost its jobs.
pub(crate) const LEASE: Duration = Duration::from_secs(3);
/// The moment at which every life begins.
pub(crate) const BEGINNING: Timestamp = Timestamp(1_700_000_000_000);

const WORKERS: usize = 3;
/// For so long things go wrong.
const TROUBLE: Duration = Duration::from_secs(40);
/// For so long jobs may take to come to rest after that.
const PATIENCE: Duration = Duration::from_mins(5);

/// The time of the runtime, which is not waited for.
#[derive(Debug)]
struct SimClock(Instant);

impl Clock for SimClock {
    fn now(&self) -> Timestamp {
        BEGINNING.after(self.0.elapsed())
    }

    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

/// The life of a seed.
pub(crate) fn live(seed: u64) -> Vec<JobHistory> {
    live_with(seed, Word::Kept)
}

/// The life of a seed, with a service that keeps its word or not.
pub(crate) fn live_with(seed: u64, word: Word) -> Vec<JobHistory> {
    chance::begin(seed);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    runtime.block_on(tell(word))
}

async fn tell(word: Word) -> Vec<JobHistory> {
    let clock: Arc<dyn Clock> = Arc::new(SimClock(Instant::now()));
    // Jobs are not to be taken out: here nobody is to blame but the world.
    let options = StoreOptions { lease: LEASE, max_crashes: u32::MAX, ..StoreOptions::default() };
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new(options, Arc::clone(&clock)));
    let service = Service::new(word);
    let (over, hints) = (watch::Sender::new(false), Arc::<Notify>::default());
    tokio::spawn(pass_hints(Arc::clone(&store), Arc::clone(&hints)));
    for _ in 0..WORKERS {
        let hints = Arc::clone(&hints);
        let ground = Ground {
            store: Arc::clone(&store),
            hints,
            service: Arc::clone(&service),
            clock: Arc::clone(&clock),
        };
        let over = over.subscribe();
        tokio::spawn(async move { fleet::live(&ground, over).await });
    }
    let clients: Vec<_> = (0..JOBS).map(|_| tokio::spawn(client(Arc::clone(&store)))).collect();
    tokio::time::sleep(TROUBLE).await;
    over.send_replace(true);
    let mut lives = Vec::new();
    for client in clients {
        let (id, cancelled) = client.await.expect("a client does not panic");
        lives.push((id, cancelled));
    }
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end && !all_rest(&store, &lives).await {
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let mut histories = Vec::new();
    for (id, cancelled) in lives {
        histories.push(history(&store, &service, &id, cancelled).await);
    }
    histories
}

/// Submits one job, and perhaps cancels it; gives its id, and whether the cancel was taken.
async fn client(store: Arc<dyn Store>) -> (JobId, bool) {
    tokio::time::sleep(millis(0..20_000)).await;
    let new = NewJob {
        service: "sim".to_owned(),
        payload: json!({ "settle": if once_in(3) { "once" } else { "merge" } }),
        priority: 0,
        labels: BTreeMap::new(),
        idempotency_key: None,
    };
    let id = match store.enqueue(new).await.expect("the store takes a job") {
        Enqueued::New(job) => job.id,
        other => panic!("a new job was expected: {other:?}"),
    };
    if !once_in(4) {
        return (id, false);
    }
    tokio::time::sleep(millis(0..15_000)).await;
    let answer = store.cancel(&id, "client", None).await.expect("the store answers");
    (id, matches!(answer, CancelAnswer::Recorded(_)))
}

async fn all_rest(store: &Arc<dyn Store>, lives: &[(JobId, bool)]) -> bool {
    for (id, _) in lives {
        let job = store.get(id).await.expect("the store answers").expect("the job is there");
        if !job.state.terminal() && job.state != JobState::Uncertain {
            return false;
        }
    }
    true
}

async fn history(store: &Arc<dyn Store>, service: &Service, id: &JobId, cancelled: bool) -> JobHistory {
    let job = store.get(id).await.expect("the store answers").expect("the job is there");
    let events = store.events(id, 0).await.expect("the store answers").expect("the job is there");
    JobHistory {
        cancelled,
        accepted: service.accepted(id),
        fate: Some(Fate { state: job.state, attempts: job.attempt, events }),
        ..JobHistory::acknowledged(id.as_str(), "sim", Resends::Never)
    }
}
