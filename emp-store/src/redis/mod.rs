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
//! * **Hints** come by a channel that is listened to on a connection of its own; losing all of them costs a second (P17).

pub(crate) mod address;
mod claims;
mod dial;
pub mod doctor;
mod entry;
mod fault;
mod link;
mod listen;
mod moments;
mod names;
pub mod preflight;
mod read;
mod record;
mod recovery;
mod reply;
mod script;
mod upkeep;
mod writes;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Instant;

use async_trait::async_trait;
use emp_core::job::{Call, Event, Job, JobId, JobState, WorkerId};
use emp_core::{Clock, Timestamp};
use redis::Value;

use crate::keys::{self, KeyRecord};
use crate::line::{Lane, Rank};
use crate::moment::{Hints, StoreTime};
use crate::redis::address::Address;
use crate::redis::claims::Lanes;
use crate::redis::entry::{Entry, Outcome};
use crate::redis::link::Link;
use crate::redis::moments::Moments;
use crate::redis::names::Names;
use crate::redis::recovery::Ramp;
use crate::redis::reply::Reply;
use crate::redis::script::Script;
use crate::redis::writes::Held;
use crate::store::{
    Answer, CancelAnswer, ClaimRequest, Enqueued, ListQuery, NewJob, Page, Store, StoreError, StoreOptions,
    WorkerStatus, Write,
};
use crate::transition;

/// Version of the keys and what they hold. Another one is kept out.
const FORMAT: &str = "1";
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
    ramp: Mutex<Ramp>,
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
        let link = Link::to(&address)?;
        doctor::admit(&link, &address, options.allow_unsafe).await?;
        let epoch = RwLock::new(hello(&link, &names, &moments).await?);
        let me = JobId::random().to_string();
        let hints = Arc::new(Hints::new());
        let listener = listen::Listener::start(&link, names.key("news"), me.clone(), Arc::clone(&hints));
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
            ramp: Mutex::default(),
            _listener: listener,
        })
    }

    /// Runs a script for a moment. `None` when that moment is not now by the server's clock: decide again.
    async fn run(
        &self,
        script: &Script,
        at: Timestamp,
        args: impl FnOnce(&mut Vec<Vec<u8>>),
    ) -> Result<Option<Reply>, StoreError> {
        self.run_over(None, script, at, args).await
    }

    /// Runs a script over one connection. `None` also when there is another one by now.
    async fn run_over(
        &self,
        connection: Option<u64>,
        script: &Script,
        at: Timestamp,
        args: impl FnOnce(&mut Vec<Vec<u8>>),
    ) -> Result<Option<Reply>, StoreError> {
        let head = [
            self.names.prefix().to_owned(),
            at.0.to_string(),
            self.moments.tolerance().to_string(),
            self.epoch.read().unwrap_or_else(PoisonError::into_inner).clone(),
            self.me.clone(),
        ];
        let mut list: Vec<Vec<u8>> = head.into_iter().map(String::into_bytes).collect();
        args(&mut list);
        let asked = Instant::now();
        let answer = self.link.run(script, &list, &self.names.key("clock"), connection).await?;
        let Some(answer) = answer else { return Ok(None) };
        let reply = Reply::read(answer)?;
        self.moments.heard(asked, reply.moment);
        match reply.word.as_str() {
            "late" => Ok(None),
            // Decided for a store that is not there any more: decide again.
            "reset" => self.follow(reply.rest.first().and_then(reply::text)).await.map(|()| None),
            _ => Ok(Some(reply)),
        }
    }

    /// A decision was too late [`TOO_LATE`] times in a row.
    fn too_late(&self) -> StoreError {
        StoreError::Down(format!(
            "the clock of the store at {} runs away from this machine's, or each of its answers takes longer than {:?}",
            self.link.place(),
            moments::TOLERANCE
        ))
    }

    /// Replaces jobs that are as they were read. One outcome for each; `None` when the moment has passed.
    async fn commit(&self, at: Timestamp, entries: Vec<Entry>) -> Result<Option<Vec<Outcome>>, StoreError> {
        if entries.is_empty() {
            return Ok(Some(Vec::new()));
        }
        let count = entries.len();
        let news = entries.iter().any(Entry::tells);
        let reply = self
            .run(&script::COMMIT, at, |args| {
                args.push(self.options.max_events.to_string().into_bytes());
                for entry in entries {
                    entry.write(args);
                }
            })
            .await?;
        let Some(reply) = reply else { return Ok(None) };
        let outcomes: Vec<Outcome> =
            reply.rest.iter().map(|code| Outcome::of(reply::number(code).unwrap_or(-2))).collect();
        if outcomes.len() != count {
            return Err(reply::strange("a script"));
        }
        // A renewal is none: it would bring the next one forward, for ever.
        if news {
            self.hints.give();
        }
        Ok(Some(outcomes))
    }

    async fn enqueue_at(
        &self,
        new: &NewJob,
        id: &JobId,
        prev: &str,
        at: Timestamp,
    ) -> Result<Option<Taken>, StoreError> {
        let (mut job, events) = transition::enqueue(new.clone(), id.clone(), 0, at);
        let digest = keys::digest(new);
        let lane = names::lane_name(&Lane::of(&job));
        let mut args = vec![
            id.to_string(),
            new.idempotency_key.clone().unwrap_or_default(),
            prev.to_owned(),
            key_record(&KeyRecord { job: id.clone(), digest: digest.clone(), at }),
            names::lane(&lane),
            lane,
            Rank::of(&job, &self.options).key.to_string(),
            names::in_state(job.state),
            names::counter(&job.service, job.state),
            events.first().map(record::event).transpose()?.unwrap_or_default(),
        ];
        args.extend(Entry::fields_of_new(&job)?);
        let reply = self
            .run(&script::ENQUEUE, at, |list| list.extend(args.into_iter().map(String::into_bytes)))
            .await?;
        let Some(reply) = reply else { return Ok(None) };
        match (reply.word.as_str(), reply.rest.first()) {
            ("ok", Some(arrival)) => {
                let arrival = reply::number(arrival).and_then(|arrival| u64::try_from(arrival).ok());
                job.arrival = arrival.ok_or_else(|| reply::strange("a script"))?;
                Ok(Some(Taken::In(Box::new(job))))
            }
            ("used", Some(used)) => {
                let used = reply::text(used).unwrap_or_default().to_owned();
                let record = parse_key(&used).ok_or_else(|| {
                    StoreError::Corrupt("an idempotency key of the store cannot be read".to_owned())
                })?;
                Ok(Some(Taken::Used { same: record.digest == digest, used, record }))
            }
            _ => Err(reply::strange("a script")),
        }
    }
}

/// What became of an attempt to take a job in.
enum Taken {
    /// It is in.
    In(Box<Job>),
    /// Its key has been used.
    Used { used: String, record: KeyRecord, same: bool },
}

/// Opens the store: its epoch. Keeps out one of another version.
async fn hello(link: &Link, names: &Names, moments: &Moments) -> Result<String, StoreError> {
    let args = [names.prefix(), JobId::random().as_str(), FORMAT].map(|arg| arg.as_bytes().to_vec());
    let asked = Instant::now();
    let answer = link.run(&script::OPEN, &args, &names.key("clock"), None).await?;
    let reply = Reply::read(answer.unwrap_or_default())?;
    moments.heard(asked, reply.moment);
    let told: Vec<&str> = reply.rest.iter().filter_map(reply::text).collect();
    match told.as_slice() {
        [epoch, FORMAT] => Ok((*epoch).to_owned()),
        [_, other] => Err(StoreError::Version(format!(
            "the store at {} has format {other}, this version of emp reads format {FORMAT}. Run the version that made it, or \
             name another queue: `?queue=NAME`",
            link.place()
        ))),
        _ => Err(reply::strange("a script")),
    }
}

fn key_record(record: &KeyRecord) -> String {
    format!("{} {} {}", record.job, record.at.0, record.digest)
}

fn parse_key(text: &str) -> Option<KeyRecord> {
    let mut words = text.split(' ');
    let (job, at, digest) = (words.next()?, words.next()?, words.next()?);
    Some(KeyRecord { job: job.parse().ok()?, at: Timestamp(at.parse().ok()?), digest: digest.to_owned() })
}

#[async_trait]
impl Store for RedisStore {
    async fn enqueue(&self, new: NewJob) -> Result<Enqueued, StoreError> {
        let id = JobId::random();
        let mut free = String::new();
        for _ in 0..TOO_LATE {
            match self.enqueue_at(&new, &id, &free, self.now()).await? {
                None => {}
                Some(Taken::In(job)) => {
                    self.hints.give();
                    return Ok(Enqueued::New(*job));
                }
                Some(Taken::Used { used, record, same }) => {
                    let job = self.get(&record.job).await?;
                    if record.free(self.now(), job.as_ref().is_none_or(|job| job.state.terminal())) {
                        free = used;
                        continue;
                    }
                    return Ok(match job {
                        Some(job) if same => Enqueued::Replayed(job),
                        _ => Enqueued::KeyConflict { job: record.job },
                    });
                }
            }
        }
        Err(self.too_late())
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
        Ok(match self.change(id, step).await? {
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
        let found = self.read(std::slice::from_ref(id), &record::WHOLE).await?.pop();
        Ok(found.map(|found| found.job(id)).transpose()?.flatten().map(|stored| stored.job))
    }

    async fn list(&self, query: ListQuery) -> Result<Page, StoreError> {
        self.page(&query).await
    }

    async fn events(&self, id: &JobId, after: u64) -> Result<Option<Vec<Event>>, StoreError> {
        self.events_after(id, after).await
    }

    async fn announce(&self, worker: WorkerStatus) -> Result<(), StoreError> {
        for _ in 0..TOO_LATE {
            let at = self.now();
            let record = record::json(&WorkerStatus { seen_at: at, ..worker.clone() })?;
            let id = worker.id.as_str().as_bytes().to_vec();
            let announced =
                self.run(&script::ANNOUNCE, at, |args| args.extend([id, record.into_bytes()])).await?;
            if announced.is_some() {
                return Ok(());
            }
        }
        Err(self.too_late())
    }

    async fn retire(&self, worker: &WorkerId) -> Result<(), StoreError> {
        self.forget_workers(&[worker.as_str().to_owned()]).await
    }

    async fn workers(&self) -> Result<Vec<WorkerStatus>, StoreError> {
        self.workers_seen().await
    }

    async fn counts(&self) -> Result<BTreeMap<String, BTreeMap<JobState, u64>>, StoreError> {
        let mut all = redis::cmd("HGETALL");
        all.arg(self.names.key("counts"));
        let mut counts = BTreeMap::<String, BTreeMap<JobState, u64>>::new();
        for (name, count) in reply::pairs(self.link.command(&all).await?) {
            let (word, service) = name.split_once(' ').unwrap_or_default();
            let state = JobState::ALL.into_iter().find(|state| state.as_str() == word);
            if let (Some(state), Ok(count)) = (state, count.parse()) {
                counts.entry(service.to_owned()).or_default().insert(state, count);
            }
        }
        Ok(counts)
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

impl RedisStore {
    /// Reads the records of some jobs, in their order.
    async fn read(&self, ids: &[JobId], fields: &[&str]) -> Result<Vec<record::Found>, StoreError> {
        let mut found = Vec::with_capacity(ids.len());
        for page in ids.chunks(PAGED) {
            let mut pipeline = redis::pipe();
            pipeline.ignore_errors();
            for id in page {
                pipeline.cmd("HMGET").arg(self.names.job(id)).arg(fields);
            }
            let answers: Vec<Value> = self.link.pipeline(&pipeline).await?;
            found.extend(page.iter().zip(&answers).map(|(id, answer)| record::Found::read(id, answer)));
        }
        Ok(found)
    }
}
