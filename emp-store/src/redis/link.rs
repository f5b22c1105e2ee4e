//! The connection to the server, watched: it is made when it is needed, dropped when it does not answer, and made again to whoever takes
//! writes by then (P20). One for all commands, and none of them blocks.
//!
//! Its traffic runs on a thread of its own: an executor that is kept busy by something else must not cost its jobs their leases (F7).

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::cluster_async::ClusterConnection;
use redis::{AsyncConnectionConfig, Cmd, Pipeline, RedisError, RedisResult, Value};
use tokio::sync::Mutex;

use crate::redis::address::Address;
use crate::redis::dial::Dial;
use crate::redis::fault::{self, Conduct};
use crate::redis::script::Script;
use crate::store::StoreError;

/// How long one answer is waited for. A server that is stopped says nothing at all (F14).
pub(super) const ANSWER: Duration = Duration::from_secs(2);
/// How long a call is tried over faults that pass. After that the caller is told, and goes on with its own patience.
const PATIENCE: Duration = Duration::from_secs(4);
/// The wait between two tries: from, and at most.
const PAUSE: (Duration, Duration) = (Duration::from_millis(20), Duration::from_millis(500));

/// The connection to the server.
pub(super) struct Link {
    dial: Arc<Dial>,
    place: String,
    io: Option<tokio::runtime::Runtime>,
    wire: Mutex<Option<Wire>>,
    /// Connections made so far.
    made: AtomicU64,
    health: std::sync::Mutex<Health>,
}

/// Whether the server answers, and since when it does again.
#[derive(Debug, Default)]
struct Health {
    failing: Option<Instant>,
    /// When the last outage ended, and how long it was.
    recovered: Option<(Instant, Duration)>,
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Link({})", self.place)
    }
}

/// An open connection and its number.
#[derive(Clone)]
struct Wire {
    number: u64,
    connection: Connection,
}

/// An open connection.
#[derive(Clone)]
pub(super) enum Connection {
    /// To one server.
    One(MultiplexedConnection),
    /// To all of a cluster; it follows MOVED and ASK by itself.
    Cluster(ClusterConnection),
}

/// Something to ask that can be asked again.
pub(super) enum Ask<'a> {
    /// One command.
    Command(&'a Cmd),
    /// Several, in one go.
    Pipeline(&'a Pipeline),
}

impl Link {
    /// To a server; nothing is sent yet.
    pub(super) fn to(address: &Address) -> Result<Self, StoreError> {
        let io = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("emp-redis")
            .enable_all()
            .build()
            .map_err(|error| StoreError::Down(format!("cannot start the store's thread: {error}")))?;
        Ok(Self {
            dial: Arc::new(Dial::new(address)?),
            place: address.shown(),
            io: Some(io),
            wire: Mutex::new(None),
            made: AtomicU64::new(0),
            health: std::sync::Mutex::default(),
        })
    }

    /// The server, for people.
    pub(super) fn place(&self) -> &str {
        &self.place
    }

    /// Which connection it is: another number says that the one before failed, and that the server may be another one.
    pub(super) fn number(&self) -> u64 {
        self.made.load(Ordering::Relaxed)
    }

    /// The server answers again since less than a lease, after so long a silence that nobody could renew.
    pub(super) fn recovered_within(&self, lease: Duration) -> bool {
        self.health().recovered.is_some_and(|(at, silence)| at.elapsed() < lease && silence > lease / 3)
    }

    fn health(&self) -> std::sync::MutexGuard<'_, Health> {
        self.health.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// How connections are made.
    pub(super) fn dial(&self) -> Arc<Dial> {
        Arc::clone(&self.dial)
    }

    /// Where the traffic runs.
    pub(super) fn io(&self) -> Option<&tokio::runtime::Handle> {
        self.io.as_ref().map(tokio::runtime::Runtime::handle)
    }

    /// Runs a script. `None`: not over the connection with the number that was asked for, because there is another one now.
    pub(super) async fn run(
        &self,
        script: &Script,
        args: &[Vec<u8>],
        clock: &str,
        over: Option<u64>,
    ) -> Result<Option<Value>, StoreError> {
        let known = script.by_hash(clock, args);
        match self.ask(&Ask::Command(&known), over).await {
            Err(error) if fault::conduct(&error) == Conduct::Reload => {
                let whole = script.by_text(clock, args);
                self.ask(&Ask::Command(&whole), over).await
            }
            other => other,
        }
        .map_err(|error| fault::told(&error, &self.place))
    }

    /// Sends a command.
    pub(super) async fn command(&self, command: &Cmd) -> Result<Value, StoreError> {
        let answer = self.ask(&Ask::Command(command), None).await;
        answer.map(Option::unwrap_or_default).map_err(|error| fault::told(&error, &self.place))
    }

    /// Sends several commands in one go. The answer to each of them, which may be an error of its own.
    pub(super) async fn pipeline(&self, pipeline: &Pipeline) -> Result<Vec<Value>, StoreError> {
        match self.ask(&Ask::Pipeline(pipeline), None).await {
            Ok(Some(Value::Array(answers))) => Ok(answers),
            Ok(_) => Err(crate::redis::reply::strange("a pipeline")),
            Err(error) => Err(fault::told(&error, &self.place)),
        }
    }

    /// Asks until there is an answer, or until a fault does not pass; over one connection only, where that is asked for.
    async fn ask(&self, ask: &Ask<'_>, over: Option<u64>) -> RedisResult<Option<Value>> {
        let until = Instant::now() + PATIENCE;
        let mut pause = PAUSE.0;
        loop {
            let (number, outcome) = match self.wire().await {
                Ok(wire) if over.is_some_and(|over| over != wire.number) => return Ok(None),
                Ok(wire) => (wire.number, answer(wire.connection, ask).await),
                Err(error) => (0, Err(error)),
            };
            let error = match outcome {
                Ok(answer) => {
                    let mut health = self.health();
                    if let Some(since) = health.failing.take() {
                        health.recovered = Some((Instant::now(), since.elapsed()));
                    }
                    return Ok(Some(answer));
                }
                Err(error) => error,
            };
            match fault::conduct(&error) {
                Conduct::Reconnect => self.drop_wire(number).await,
                Conduct::Wait => {}
                Conduct::Reload | Conduct::Full | Conduct::Refuse(_) => return Err(error),
            }
            self.health().failing.get_or_insert_with(Instant::now);
            if Instant::now() + pause > until {
                return Err(error);
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(PAUSE.1);
        }
    }

    /// The connection, made now if there is none. Whoever comes while it is being made waits for it.
    async fn wire(&self) -> RedisResult<Wire> {
        let mut wire = self.wire.lock().await;
        if let Some(wire) = &*wire {
            return Ok(wire.clone());
        }
        let dial = Arc::clone(&self.dial);
        let gone = || RedisError::from(std::io::Error::from(std::io::ErrorKind::NotConnected));
        // Made on the thread of the traffic, because that is where it will be driven.
        let connection = self.io().ok_or_else(gone)?.spawn(async move { dial.connect().await });
        let connection = connection.await.map_err(|_| gone())??;
        let number = self.made.fetch_add(1, Ordering::Relaxed) + 1;
        if number > 1 {
            tracing::info!(store = self.place, "connected to the store again");
        }
        let made = Wire { number, connection };
        *wire = Some(made.clone());
        Ok(made)
    }

    /// Drops the connection that failed, unless another one was made since.
    async fn drop_wire(&self, number: u64) {
        let mut wire = self.wire.lock().await;
        if wire.as_ref().is_some_and(|wire| wire.number == number) {
            tracing::warn!(store = self.place, "the connection to the store failed");
            *wire = None;
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        if let Some(io) = self.io.take() {
            io.shutdown_background();
        }
    }
}

async fn answer(mut connection: Connection, ask: &Ask<'_>) -> RedisResult<Value> {
    let answer = match (&mut connection, ask) {
        (Connection::One(one), Ask::Command(command)) => one.req_packed_command(command).await,
        (Connection::Cluster(cluster), Ask::Command(command)) => cluster.req_packed_command(command).await,
        (Connection::One(one), Ask::Pipeline(pipeline)) => pipeline.query_async(one).await,
        (Connection::Cluster(cluster), Ask::Pipeline(pipeline)) => pipeline.query_async(cluster).await,
    }?;
    match answer {
        Value::ServerError(error) => Err(error.into()),
        answer => Ok(answer),
    }
}

/// How long is waited for a connection and for an answer.
pub(super) fn patience() -> AsyncConnectionConfig {
    AsyncConnectionConfig::new().set_connection_timeout(Some(ANSWER)).set_response_timeout(Some(ANSWER))
}
