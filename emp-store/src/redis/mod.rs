//! The store of many machines: Redis 7 or newer, or Valkey; one server, Sentinel, or a cluster.
//!
//! ```text
//! read a job -> transition (the one that all stores apply) -> commit: replaced if it is still as it was read, else once more
//! ```
//!
//! * **One truth.** What a change does to a job is decided in Rust by [`crate::transition`]. The scripts know nothing of it:
//!   they compare a job's number of changes, put a new record in its place and move it between indexes, in one step. An index is a way
//!   to find jobs; what it says wrongly is put right by whoever reads the record.
//! * **Few round trips.** A process keeps the records that it has claimed, so most writes are one call, for all jobs together; a claim is
//!   two. Whoever changed the job in between makes the commit say so.
//! * **Time** is the server's (`moments`). A decision that was made for another moment is made again.
//! * **Lost answers.** Every call can be made again: what was done already is found in the record (P6).
//! * **Lost data.** What a process has it puts back where a server has forgotten it (`recovery`), and nobody takes an empty server for the
//!   one that there was (`epoch`).
//! * **Hints** come by a channel that is listened to on a connection of its own; losing all of them costs a second (P17).

pub(crate) mod address;
mod call;
mod claims;
mod dial;
pub mod doctor;
mod entry;
mod epoch;
mod fault;
mod fleet;
mod held;
mod intake;
mod link;
mod listen;
mod moments;
mod names;
mod outages;
pub mod preflight;
mod read;
mod record;
mod recovery;
mod replicas;
mod reply;
mod room;
mod script;
mod upkeep;
mod writes;

use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, RwLock};

use async_trait::async_trait;
use emp_core::job::{Call, Event, Job, JobId, JobState, WorkerId};
use emp_core::{Clock, Timestamp};

use crate::moment::{Hints, StoreTime};
use crate::redis::address::Address;
use crate::redis::claims::Lanes;
use crate::redis::held::Held;
use crate::redis::link::Link;
use crate::redis::moments::Moments;
use crate::redis::names::Names;
use crate::redis::recovery::Ramp;
use crate::redis::replicas::Replicas;
use crate::redis::room::Room;
use crate::store::{
    Answer, CancelAnswer, ClaimRequest, Enqueued, ListQuery, NewJob, Page, Store, StoreError, StoreOptions,
    WorkerStatus, Write,
};
use crate::transition;

/// A decision that is too late so many times in a row will always be.
const TOO_LATE: usize = 5;
/// At most so many jobs in one call of a script, so that nobody waits long behind it.
const PAGED: usize = 500;

/// Jobs in Redis.
#[derive(Debug)]
pub struct RedisStore {
    options: StoreOptions,
    link: Link,
    names: Names,
    moments: Moments,
    hints: Arc<Hints>,
    /// Which store was opened: a server that lost its data has another one, or none.
    epoch: RwLock<String>,
    /// This process, among those who publish.
    me: String,
    lanes: Lanes,
    held: Held,
    /// The last connection over which `held` was compared with what the server has.
    settled: AtomicU64,
    ramp: Mutex<Ramp>,
    room: Room,
    replicas: Option<Replicas>,
    _listener: listen::Listener,
}

impl RedisStore {
    /// Opens the store that a URL names: `redis://`, `rediss://`, `redis+sentinel://` or `redis+cluster://`.
    pub async fn open(url: &str, options: StoreOptions) -> Result<Self, StoreError> {
        Self::open_with(url, options, Moments::of_server()).await
    }

    /// Opens it with a clock that a test moves, instead of the server's.
    pub async fn open_with_clock(
        url: &str,
        options: StoreOptions,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StoreError> {
        Self::open_with(url, options, Moments::Given(StoreTime::new(clock))).await
    }

    async fn open_with(url: &str, options: StoreOptions, moments: Moments) -> Result<Self, StoreError> {
        let address = Address::parse(url)?;
        let names = Names::of(&address.queue);
        let link = Link::to(&address, options.lease)?;
        let replicas = Replicas::of(&address, &options)?;
        doctor::admit(&link, &address, options.allow_unsafe).await?;
        let epoch = RwLock::new(epoch::hello(&link, &names, &moments, options.accept_empty).await?);
        let me = JobId::random().to_string();
        let hints = Arc::new(Hints::new());
        let listener = listen::Listener::start(
            &link,
            names.key("news"),
            me.clone(),
            Arc::clone(&hints),
            listen::Silence::default(),
        );
        Ok(Self {
            options,
            link,
            names,
            moments,
            hints,
            epoch,
            me,
            lanes: Lanes::default(),
            held: Held::default(),
            settled: AtomicU64::default(),
            ramp: Mutex::default(),
            room: Room::default(),
            replicas,
            _listener: listener,
        })
    }
}

#[async_trait]
impl Store for RedisStore {
    async fn enqueue(&self, new: NewJob) -> Result<Enqueued, StoreError> {
        let taken = self.take_in(new).await?;
        if let (Some(replicas), Enqueued::New(job) | Enqueued::Replayed(job)) = (&self.replicas, &taken) {
            replicas.have(&self.names, &job.id).await?;
        }
        Ok(taken)
    }

    async fn claim(&self, request: ClaimRequest) -> Result<Vec<Job>, StoreError> {
        self.claim_jobs(&request).await
    }

    async fn write(&self, writes: Vec<Write>) -> Result<Vec<Answer>, StoreError> {
        self.write_all(writes).await
    }

    async fn cancel(&self, id: &JobId, by: &str, reason: Option<&str>) -> Result<CancelAnswer, StoreError> {
        let step = |job: &mut Job, at| match transition::cancel(job, by, reason, at) {
            transition::Cancelled::TooLate => (false, None),
            transition::Cancelled::Recorded(events) => {
                (true, Some(events).filter(|events| !events.is_empty()))
            }
        };
        let cancelled = self.change(id, step).await?;
        if let (Some(replicas), Some(_)) = (&self.replicas, &cancelled) {
            replicas.have(&self.names, id).await?;
        }
        Ok(match cancelled {
            None => CancelAnswer::NotFound,
            Some((job, true)) => CancelAnswer::Recorded(job),
            Some((job, false)) => CancelAnswer::TooLate(job),
        })
    }

    async fn nudge(&self, id: &JobId, call: Option<Call>) -> Result<bool, StoreError> {
        let step = |job: &mut Job, at| match transition::nudge(job, call.clone(), at) {
            None => (false, None),
            Some(step) => (true, step.changed.then_some(step.events)),
        };
        Ok(self.change(id, step).await?.is_some_and(|(_, told)| told))
    }

    async fn reap(&self) -> Result<usize, StoreError> {
        self.take_back().await
    }

    async fn get(&self, id: &JobId) -> Result<Option<Job>, StoreError> {
        self.job(id).await
    }

    async fn list(&self, query: ListQuery) -> Result<Page, StoreError> {
        self.page(&query).await
    }

    async fn events(&self, id: &JobId, after: u64) -> Result<Option<Vec<Event>>, StoreError> {
        self.events_after(id, after).await
    }

    async fn announce(&self, worker: WorkerStatus) -> Result<(), StoreError> {
        self.say_alive(&worker).await
    }

    async fn retire(&self, worker: &WorkerId) -> Result<(), StoreError> {
        self.forget_workers(&[worker.as_str().to_owned()]).await
    }

    async fn workers(&self) -> Result<Vec<WorkerStatus>, StoreError> {
        self.workers_seen().await
    }

    async fn counts(&self) -> Result<BTreeMap<String, BTreeMap<JobState, u64>>, StoreError> {
        self.count_jobs().await
    }

    fn changed<'a, 'b>(&'a self) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send + 'b>>
    where
        'a: 'b,
        Self: 'b,
    {
        Box::pin(self.hints.next())
    }

    fn now(&self) -> Timestamp {
        self.moments.now()
    }
}
