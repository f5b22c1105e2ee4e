//! The default store: one SQLite file, shared by the processes of one machine.
//!
//! ```text
//! enqueue, claim, write, .. -> channel -> one thread: BEGIN IMMEDIATE; all that waits; COMMIT (one fsync) -> answers
//! get, list, events, ..     -> blocking pool -> a connection that only reads
//! ```
//!
//! * **Durable.** WAL with `synchronous=FULL`: what was answered survives kill -9 and power loss (P31). A torn end of the log fails its
//!   checksum; it is cut back to the last commit when the store is opened, with a warning that says how much of it was cut.
//! * **Shared.** API, workers and CLI of one machine open the same directory; SQLite's locks order their commits. Many machines need
//!   Redis: the file must not lie on a network file system.
//! * **Full disk.** Four MiB are put by. New jobs are refused with `E_STORE_FULL`, and running ones end from the reserve.

mod deltas;
mod dir;
mod fault;
mod ledger;
mod log;
mod rows;
mod schema;
mod upkeep;
mod writer;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use async_trait::async_trait;
use emp_core::job::{Call, Event, Job, JobId, JobState, WorkerId};
use emp_core::{Clock, Timestamp};
use rusqlite::Connection;

use crate::embedded::dir::Reserve;
use crate::embedded::ledger::Ledger;
use crate::embedded::upkeep::PAGED;
use crate::embedded::writer::{Need, Wish, Writer, wish};
use crate::moment::{Hints, StoreTime};
use crate::store::{
    Answer, CancelAnswer, ClaimRequest, Enqueued, ListQuery, NewJob, Page, Store, StoreError, StoreOptions,
    WorkerStatus, Write,
};

/// Connections that are kept for reading.
const READERS: usize = 4;

/// Jobs in one file.
#[derive(Debug)]
pub struct EmbeddedStore {
    options: StoreOptions,
    time: Arc<StoreTime>,
    hints: Arc<Hints>,
    wishes: Option<Sender<Box<dyn Wish>>>,
    thread: Option<JoinHandle<()>>,
    readers: Arc<Readers>,
}

#[derive(Debug)]
struct Readers {
    file: PathBuf,
    idle: Mutex<Vec<Connection>>,
}

impl EmbeddedStore {
    /// Opens the store in a directory, and makes both when they are not there. Fails for a directory that is a symbolic link, belongs
    /// to somebody else or can be written by others, and for a file of another version.
    pub fn open(dir: &Path, options: StoreOptions, clock: Arc<dyn Clock>) -> Result<Self, StoreError> {
        let file = dir::prepare(dir)?;
        let connection = schema::writer(&file)?;
        let mut reserve = Reserve::new(dir);
        if !reserve.held() {
            tracing::warn!(dir = %dir.display(), "no room to put by: new jobs are refused until there is");
        }
        let time = Arc::new(StoreTime::new(clock));
        let hints = Arc::new(Hints::new());
        let (wishes, inbox) = mpsc::channel();
        let writer = Writer {
            connection,
            reserve,
            options: options.clone(),
            time: Arc::clone(&time),
            hints: Arc::clone(&hints),
        };
        let thread = std::thread::Builder::new()
            .name("emp-store".to_owned())
            .spawn(move || writer.run(&inbox))
            .map_err(|error| StoreError::Down(format!("cannot start the store's thread: {error}")))?;
        let readers = Arc::new(Readers { file, idle: Mutex::default() });
        Ok(Self { options, time, hints, wishes: Some(wishes), thread: Some(thread), readers })
    }

    async fn commit<T, F>(&self, need: Need, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnMut(&mut Ledger<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        let (wish, answer) = wish(need, work);
        let wishes = self.wishes.as_ref().ok_or_else(writer::gone)?;
        wishes.send(wish).map_err(|_| writer::gone())?;
        answer.await.map_err(|_| writer::gone())?
    }

    async fn read<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    {
        let readers = Arc::clone(&self.readers);
        tokio::task::spawn_blocking(move || readers.with(work)).await.map_err(|_| writer::gone())?
    }
}

impl Readers {
    fn with<T>(&self, work: impl FnOnce(&Connection) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let idle = self.idle().pop();
        let connection = match idle {
            Some(connection) => connection,
            None => schema::reader(&self.file)?,
        };
        let answer = work(&connection)?;
        // One that failed is not kept.
        let mut idle = self.idle();
        if idle.len() < READERS {
            idle.push(connection);
        }
        Ok(answer)
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for EmbeddedStore {
    /// Grants what was asked for before, then closes the file.
    fn drop(&mut self) {
        drop(self.wishes.take());
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has said so itself.
            let _ = thread.join();
        }
    }
}

#[async_trait]
impl Store for EmbeddedStore {
    async fn enqueue(&self, job: NewJob) -> Result<Enqueued, StoreError> {
        self.commit(Need::TakesIn, move |ledger| ledger.enqueue(&job)).await
    }

    async fn claim(&self, request: ClaimRequest) -> Result<Vec<Job>, StoreError> {
        self.commit(Need::GoesOn, move |ledger| ledger.claim(&request)).await
    }

    async fn write(&self, writes: Vec<Write>) -> Result<Vec<Answer>, StoreError> {
        self.commit(Need::GoesOn, move |ledger| ledger.write(&writes)).await
    }

    async fn cancel(&self, id: &JobId, by: &str, reason: Option<&str>) -> Result<CancelAnswer, StoreError> {
        let (id, by, reason) = (id.clone(), by.to_owned(), reason.map(str::to_owned));
        self.commit(Need::GoesOn, move |ledger| ledger.cancel(&id, &by, reason.as_deref())).await
    }

    async fn nudge(&self, id: &JobId, call: Option<Call>) -> Result<bool, StoreError> {
        let id = id.clone();
        self.commit(Need::GoesOn, move |ledger| ledger.nudge(&id, call.clone())).await
    }

    async fn reap(&self) -> Result<usize, StoreError> {
        let mut reaped = 0;
        loop {
            let page = self.commit(Need::GoesOn, |ledger| ledger.reap(PAGED)).await?;
            reaped += page;
            if page < PAGED {
                break;
            }
        }
        while self.commit(Need::GoesOn, |ledger| ledger.forget_ended(PAGED)).await? == PAGED {}
        Ok(reaped)
    }

    async fn get(&self, id: &JobId) -> Result<Option<Job>, StoreError> {
        let id = id.clone();
        self.read(move |db| rows::job(db, &id)).await
    }

    async fn list(&self, query: ListQuery) -> Result<Page, StoreError> {
        self.read(move |db| rows::list(db, &query)).await
    }

    async fn events(&self, id: &JobId, after: u64) -> Result<Option<Vec<Event>>, StoreError> {
        let id = id.clone();
        self.read(move |db| rows::events(db, &id, after)).await
    }

    async fn announce(&self, worker: WorkerStatus) -> Result<(), StoreError> {
        self.commit(Need::GoesOn, move |ledger| ledger.announce(&worker)).await
    }

    async fn retire(&self, worker: &WorkerId) -> Result<(), StoreError> {
        let worker = worker.clone();
        self.commit(Need::GoesOn, move |ledger| ledger.retire(&worker)).await
    }

    async fn workers(&self) -> Result<Vec<WorkerStatus>, StoreError> {
        let ttl = i64::try_from(self.options.worker_ttl.as_millis()).unwrap_or(i64::MAX);
        let since = Timestamp(self.time.now().0.saturating_sub(ttl));
        self.read(move |db| rows::workers(db, since)).await
    }

    async fn counts(&self) -> Result<BTreeMap<String, BTreeMap<JobState, u64>>, StoreError> {
        self.read(rows::counts).await
    }

    fn changed<'a, 'b>(&'a self) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send + 'b>>
    where
        'a: 'b,
        Self: 'b,
    {
        Box::pin(self.hints.next())
    }

    fn now(&self) -> Timestamp {
        self.time.now()
    }
}
