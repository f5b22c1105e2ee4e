//! One job under the engine, on a store in memory and without waiting: what a connector does, tried against its fake.

mod calls;

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use emp_core::connector::Loaded;
use emp_core::job::{Call, Delta, Event, Intent, Job, JobId, Progress, ServiceJob, WorkerId};
use emp_core::time::ManualClock;
use emp_core::{Clock, Timestamp};
use emp_engine::gateway::{GatewayOptions, Patience};
use emp_engine::outputs::Outputs;
use emp_engine::port::{JobPort, Stop};
use emp_engine::run::{End, Next};
use emp_engine::{Engine, EngineOptions};
use emp_outputs::OutputStore;
use emp_store::{
    Answer, Change, ClaimKey, ClaimRequest, Enqueued, Finish, MemoryStore, NewJob, Release, Store,
    StoreError, StoreOptions, Write,
};
use serde_json::Value;
use tokio::sync::watch;
use url::Url;

use crate::kill::{Kill, Moment};

pub(crate) use self::calls::{Calling, Calls, Ear};

/// More steps than any job takes whose connector makes sense.
const MAX_STEPS: usize = 10_000;
/// For how long a cancel is followed. Its looks are by the manual clock, and only an answer that does not come costs real time.
const CANCEL_DEADLINE: Duration = Duration::from_secs(5);

/// One job under the engine. It is kept in a memory store, and whenever the engine waits, the clock is moved instead: the pauses
/// that a service asks for and those of the breaker, which its attempts share, are by that clock too.
///
/// The fake must age its jobs by the same clock, or they never end.
#[derive(Debug)]
pub struct Rig {
    connector: Arc<Loaded>,
    engine: Arc<Engine>,
    sockets: bool,
    store: Arc<MemoryStore>,
    clock: Arc<ManualClock>,
    job: JobId,
    service: String,
    progress: Arc<Mutex<Vec<Progress>>>,
    deltas: Arc<Mutex<Vec<Delta>>>,
    stop: watch::Sender<Option<Stop>>,
    kill: Arc<Kill>,
    outputs: Arc<OutputStore>,
    ear: Option<Arc<Ear>>,
}

/// How a job came to an end in a [`Rig`].
#[derive(Debug)]
pub struct Ended {
    /// The job, as the store has it.
    pub job: Job,
    /// Everything that happened to it.
    pub events: Vec<Event>,
    /// Every progress that was told.
    pub progress: Vec<Progress>,
    /// Every text that its stream brought.
    pub deltas: Vec<Delta>,
}

/// How a rig differs from the plain one.
#[derive(Debug)]
struct Making {
    gateway: GatewayOptions,
    outputs: OutputStore,
    sockets: bool,
    ear: Option<Ear>,
}

impl Default for Making {
    fn default() -> Self {
        Self { gateway: GatewayOptions::default(), outputs: OutputStore::memory(), sockets: false, ear: None }
    }
}

impl Rig {
    /// A new job for a loaded connector. The files of its result are kept in memory; declared sockets are not opened, since they wait
    /// in real time.
    pub async fn new(connector: Loaded, payload: Value, clock: Arc<ManualClock>) -> Result<Self, StoreError> {
        Self::made(connector, payload, clock, Making::default()).await
    }

    /// A new job for a loaded connector, with the patience of its worker: requests are sent in real time.
    pub async fn patient(
        connector: Loaded,
        payload: Value,
        clock: Arc<ManualClock>,
        patience: Patience,
    ) -> Result<Self, StoreError> {
        let gateway = GatewayOptions { patience, ..GatewayOptions::default() };
        Self::made(connector, payload, clock, Making { gateway, ..Making::default() }).await
    }

    /// As [`patient`](Self::patient), at an installation that its service can call.
    pub(crate) async fn called(
        connector: Loaded,
        payload: Value,
        clock: Arc<ManualClock>,
        patience: Patience,
        ear: Option<Ear>,
    ) -> Result<Self, StoreError> {
        let gateway = GatewayOptions { patience, ..GatewayOptions::default() };
        Self::made(connector, payload, clock, Making { gateway, ear, ..Making::default() }).await
    }

    /// As [`new`](Self::new), with private places (host and port) from which assets may be fetched, over plain http too.
    pub async fn vouching(
        connector: Loaded,
        payload: Value,
        clock: Arc<ManualClock>,
        allow: Vec<(String, u16)>,
    ) -> Result<Self, StoreError> {
        let gateway = GatewayOptions { allow, ..GatewayOptions::default() };
        Self::made(connector, payload, clock, Making { gateway, ..Making::default() }).await
    }

    /// A new job for a loaded connector, with a place for the files of its result.
    pub async fn with_outputs(
        connector: Loaded,
        payload: Value,
        clock: Arc<ManualClock>,
        outputs: OutputStore,
    ) -> Result<Self, StoreError> {
        Self::made(connector, payload, clock, Making { outputs, ..Making::default() }).await
    }

    /// As [`new`](Self::new), with the declared sockets open. While a step lasts, the clock runs on a hundred times as fast as time
    /// does.
    pub async fn with_sockets(
        connector: Loaded,
        payload: Value,
        clock: Arc<ManualClock>,
    ) -> Result<Self, StoreError> {
        Self::made(connector, payload, clock, Making { sockets: true, ..Making::default() }).await
    }

    async fn made(
        connector: Loaded,
        payload: Value,
        clock: Arc<ManualClock>,
        making: Making,
    ) -> Result<Self, StoreError> {
        let Making { gateway, outputs, sockets, ear } = making;
        let service = connector.spec.services.first().copied().unwrap_or_default().to_owned();
        let options =
            StoreOptions { max_crashes: u32::MAX, max_events: usize::MAX, ..StoreOptions::default() };
        let store = Arc::new(MemoryStore::new(options, Arc::<ManualClock>::clone(&clock)));
        let new = NewJob {
            service: service.clone(),
            payload,
            priority: 5,
            labels: BTreeMap::new(),
            idempotency_key: None,
        };
        let job = match store.enqueue(new).await? {
            Enqueued::New(job) | Enqueued::Replayed(job) => job.id,
            Enqueued::KeyConflict { job } => job,
        };
        let outputs = Arc::new(outputs);
        let engine = Engine::new(EngineOptions {
            gateway,
            webhooks: ear.as_ref().and_then(|_| Ear::webhooks()),
            cancel_deadline: CANCEL_DEADLINE,
            sockets,
            clock: Arc::<ManualClock>::clone(&clock),
            outputs: Some(Arc::<OutputStore>::clone(&outputs) as Arc<dyn Outputs>),
            ..EngineOptions::default()
        });
        Ok(Self {
            connector: Arc::new(connector),
            engine,
            sockets,
            store,
            clock,
            job,
            service,
            progress: Arc::default(),
            deltas: Arc::default(),
            stop: watch::Sender::new(None),
            kill: Arc::default(),
            outputs,
            ear: ear.map(Arc::new),
        })
    }

    /// The job's id.
    pub fn job_id(&self) -> &JobId {
        &self.job
    }

    /// The files of its result.
    pub fn outputs(&self) -> &OutputStore {
        &self.outputs
    }

    /// The clock of the job and its store.
    pub fn clock(&self) -> &ManualClock {
        &self.clock
    }

    /// Claims the job and works on it until this attempt ends, as a worker does. Dropping the future is the worker's death: the
    /// next call is another worker that takes over after the lease has lapsed. `None` when there is nothing (more) to claim.
    pub async fn attempt(&self) -> Result<Option<Job>, StoreError> {
        self.attempt_by(&self.connector).await
    }

    /// An attempt by a connector that believes its service elsewhere.
    pub(crate) async fn attempt_at(&self, base: Url) -> Result<Option<Job>, StoreError> {
        self.attempt_by(&Arc::new(Loaded { base: Some(base), ..Loaded::clone(&self.connector) })).await
    }

    async fn attempt_by(&self, connector: &Arc<Loaded>) -> Result<Option<Job>, StoreError> {
        let Some(job) = self.claim().await? else { return Ok(None) };
        let Some(lease) = &job.lease else { return Ok(None) };
        let desk = Arc::new(Desk {
            claim: ClaimKey { job: job.id.clone(), nonce: lease.nonce.clone() },
            store: Arc::clone(&self.store),
            progress: Arc::clone(&self.progress),
            deltas: Arc::clone(&self.deltas),
            clock: Arc::clone(&self.clock),
            kill: Arc::clone(&self.kill),
            stop: self.stop.subscribe(),
            ear: self.ear.clone(),
        });
        let port: Arc<dyn JobPort> = Arc::<Desk>::clone(&desk);
        let mut run = self.engine.start(job, Arc::clone(connector), port);
        for _ in 0..MAX_STEPS {
            let next = tokio::select! {
                next = self.engine.step(&mut run) => next,
                never = self.run_on() => match never {},
            };
            let end = match next {
                Next::Wait(wait) => {
                    self.kill.come_to(Moment::Waiting).await;
                    self.clock.advance(wait.max(Duration::from_millis(1)));
                    desk.listen().await?;
                    continue;
                }
                Next::End(end) => end,
                Next::Stopped(Stop::Cancel) => End::Cancelled(self.engine.cancel(&mut run).await),
                Next::Stopped(Stop::Fenced | Stop::HandOver) => return Ok(None),
            };
            self.kill.come_to(Moment::BeforeEnd).await;
            let succeeded = matches!(end, End::Succeeded { .. });
            let stored = desk.write(change_of(end)).await?;
            if succeeded && matches!(stored, Answer::Ok | Answer::OkAlready) {
                self.engine.clean_up(&mut run).await;
            }
            return self.store.get(&self.job).await;
        }
        Err(StoreError::Down(format!("the job did not end in {MAX_STEPS} steps")))
    }

    /// An attempt whose worker dies when it comes to a moment. Says whether it came to it.
    pub async fn die_at(&self, moment: Moment) -> Result<bool, StoreError> {
        self.kill.arm(moment);
        let died = self.die_when(self.kill.reached()).await;
        self.kill.disarm();
        died
    }

    /// An attempt whose worker dies as soon as something else has happened. Says whether it did before the attempt ended.
    pub async fn die_when(&self, happened: impl Future<Output = ()>) -> Result<bool, StoreError> {
        tokio::select! {
            biased;
            () = happened => Ok(true),
            attempt = self.attempt() => attempt.map(|_| false),
        }
    }

    /// Lets the clock run on for as long as nobody waits by it.
    async fn run_on(&self) -> Infallible {
        const TICK: Duration = Duration::from_millis(5);
        loop {
            tokio::time::sleep(TICK).await;
            if self.sockets {
                self.clock.advance(TICK * 100);
            }
        }
    }

    async fn claim(&self) -> Result<Option<Job>, StoreError> {
        let request = ClaimRequest {
            worker: WorkerId::start("rig"),
            services: BTreeMap::from([(self.service.clone(), 1)]),
            labels: BTreeMap::new(),
            connectors: BTreeSet::from([self.connector.spec.name.to_owned()]),
            max: 1,
        };
        let Some(job) = self.store.get(&self.job).await? else { return Ok(None) };
        let until = job.lease.as_ref().map_or(job.ready_at, |lease| lease.until);
        self.clock.advance(until.since(self.clock.now()) + Duration::from_millis(1));
        self.store.reap().await?;
        Ok(self.store.claim(request).await?.pop())
    }

    /// Works on the job, attempt after attempt, until it ends for good.
    pub async fn finish(&self) -> Result<Ended, StoreError> {
        for _ in 0..MAX_STEPS {
            match self.attempt().await? {
                Some(job) if !job.state.terminal() => {}
                _ => break,
            }
        }
        self.ended().await
    }

    /// The job as it stands.
    pub async fn ended(&self) -> Result<Ended, StoreError> {
        let gone = || StoreError::Corrupt(format!("the job {} is gone", self.job));
        Ok(Ended {
            job: self.store.get(&self.job).await?.ok_or_else(gone)?,
            events: self.store.events(&self.job, 0).await?.unwrap_or_default(),
            progress: self.progress.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            deltas: self.deltas.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        })
    }

    /// Lets the service say once more what it has said, and tells what became of all its calls.
    pub(crate) async fn called_again(&self) -> Result<Calls, StoreError> {
        let Some(ear) = &self.ear else { return Ok(Calls::default()) };
        if ear.calling == Calling::Twice {
            ear.listen_again(&self.store).await?;
        }
        Ok(ear.calls())
    }

    /// Records the wish to cancel; the engine sees it before its next effect.
    pub async fn cancel(&self) -> Result<(), StoreError> {
        self.store.cancel(&self.job, "rig", None).await?;
        self.stop.send_replace(Some(Stop::Cancel));
        Ok(())
    }
}

fn change_of(end: End) -> Change {
    match end {
        End::Succeeded { result, meta } => Change::Finish(Finish::Succeeded { result, meta }),
        End::Failed(error) => Change::Finish(Finish::Failed(error)),
        End::Retry { error, after } => Change::Finish(Finish::Retry { error, after }),
        End::Uncertain(error) => Change::Finish(Finish::Uncertain(error)),
        End::Cancelled(upstream) => Change::Finish(Finish::Cancelled(upstream)),
        End::GiveBack { reason, after } => Change::Release(Release { after, reason }),
    }
}

/// The claim's side.
#[derive(Debug)]
struct Desk {
    claim: ClaimKey,
    store: Arc<MemoryStore>,
    progress: Arc<Mutex<Vec<Progress>>>,
    deltas: Arc<Mutex<Vec<Delta>>>,
    clock: Arc<ManualClock>,
    kill: Arc<Kill>,
    stop: watch::Receiver<Option<Stop>>,
    ear: Option<Arc<Ear>>,
}

impl Desk {
    /// Takes the calls of the service that are due.
    async fn listen(&self) -> Result<(), StoreError> {
        match &self.ear {
            Some(ear) => ear.listen(&self.store).await,
            None => Ok(()),
        }
    }

    async fn write(&self, change: Change) -> Result<Answer, StoreError> {
        let write = Write { claim: self.claim.clone(), change };
        Ok(self.store.write(vec![write]).await?.pop().unwrap_or(Answer::Gone))
    }

    async fn persist(&self, change: Change) -> Result<(), Stop> {
        match self.write(change).await {
            Ok(answer) if answer.holds() => Ok(()),
            _ => Err(Stop::Fenced),
        }
    }
}

#[async_trait]
impl JobPort for Desk {
    async fn intent(&self, intent: Intent) -> Result<(), Stop> {
        self.kill.come_to(Moment::BeforeIntent).await;
        self.persist(Change::Intent(intent)).await?;
        self.kill.come_to(Moment::AfterIntent).await;
        Ok(())
    }

    async fn not_sent(&self, reason: &str) -> Result<(), Stop> {
        self.persist(Change::NotSent { reason: reason.to_owned() }).await
    }

    async fn submitted(&self, service_job: ServiceJob) -> Result<(), Stop> {
        self.kill.come_to(Moment::BeforeId).await;
        if self.ear.as_ref().is_some_and(|ear| ear.calling == Calling::First) {
            self.listen().await.map_err(|_| Stop::Fenced)?;
        }
        self.persist(Change::Submitted(service_job)).await?;
        self.kill.come_to(Moment::AfterId).await;
        Ok(())
    }

    fn progress(&self, progress: Progress) {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner).push(progress);
    }

    fn delta(&self, delta: Delta) {
        self.deltas.lock().unwrap_or_else(PoisonError::into_inner).push(delta);
    }

    async fn call(&self) -> Option<Call> {
        let told = self.write(Change::Renew).await.ok()?;
        (told == Answer::Nudged).then_some(())?;
        self.store.get(&self.claim.job).await.ok()??.call
    }

    fn stop(&self) -> Option<Stop> {
        *self.stop.borrow()
    }

    async fn stopped(&self) -> Stop {
        let mut stop = self.stop.clone();
        match stop.wait_for(Option::is_some).await.map(|stop| *stop) {
            Ok(Some(stop)) => stop,
            // The rig is gone, and nobody waits for this any more.
            _ => std::future::pending().await,
        }
    }

    fn now(&self) -> Timestamp {
        self.store.now()
    }

    /// The clock is moved instead; whoever else waits gets a turn.
    async fn sleep(&self, duration: Duration) {
        self.kill.come_to(Moment::Waiting).await;
        tokio::task::yield_now().await;
        self.clock.advance(duration);
    }
}
