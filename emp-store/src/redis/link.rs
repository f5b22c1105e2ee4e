//! The connection to the server, watched: it is made when it is needed, dropped when it does not answer, and made again to whoever takes
//! writes by then (P20). One for all commands, and none of them blocks.
//!
//! Its traffic runs on a thread of its own: an executor that is kept busy by something else must not cost its jobs their leases (F7).

use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures_util::future::{BoxFuture, FutureExt as _, Shared};
use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::cluster_async::ClusterConnection;
use redis::cluster_routing::{Route, SingleNodeRoutingInfo};
use redis::{AsyncConnectionConfig, Cmd, Pipeline, RedisError, RedisResult, Value};

use crate::redis::address::Address;
use crate::redis::dial::Dial;
use crate::redis::fault::{self, Conduct, Refusal};
use crate::redis::outages::Outages;
use crate::redis::script::Script;
use crate::store::StoreError;

/// How long one answer is waited for. A server that is stopped says nothing at all (F14).
pub(super) const ANSWER: Duration = Duration::from_secs(2);
/// How long a call is tried over faults that pass, making connections included. After that the caller is told, and goes on with its own
/// patience.
const PATIENCE: Duration = Duration::from_secs(4);
/// How long making one connection may take in all, over several sentinels or nodes.
const DIALING: Duration = Duration::from_secs(15);
/// The wait between two tries: from, and at most.
const PAUSE: (Duration, Duration) = (Duration::from_millis(20), Duration::from_millis(500));

/// The connection to the server.
pub(super) struct Link {
    dial: Arc<Dial>,
    place: String,
    io: Option<tokio::runtime::Runtime>,
    line: Mutex<Line>,
    /// Connections made so far.
    made: AtomicU64,
    outages: Mutex<Outages>,
    patience: Duration,
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Link({})", self.place)
    }
}

/// How far the connection is.
enum Line {
    /// There is none.
    Cut,
    /// It is being made, for everybody who waits for it. That goes on when all of them have lost their patience.
    Dialing(Dialing),
    /// It is open.
    Open(Wire),
}

type Dialing = Shared<BoxFuture<'static, RedisResult<Connection>>>;

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
    /// To all of a cluster, and the way to the one of them that has the queue.
    Cluster(ClusterConnection, Route),
}

/// Something to ask that can be asked again.
pub(super) enum Ask<'a> {
    /// One command.
    Command(&'a Cmd),
    /// Several, in one go.
    Pipeline(&'a Pipeline),
}

impl Link {
    /// To a server; nothing is sent yet. A silence is an outage when somebody may have lost a lease by it.
    pub(super) fn to(address: &Address, lease: Duration) -> Result<Self, StoreError> {
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
            line: Mutex::new(Line::Cut),
            made: AtomicU64::new(0),
            outages: Mutex::new(Outages::of_at_least(lease / 3)),
            patience: PATIENCE,
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
        lock(&self.outages).ended_within(lease, Instant::now())
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

    /// Runs a script, and a command after it on the same connection. The answers of both.
    pub(super) async fn run_with(
        &self,
        script: &Script,
        args: &[Vec<u8>],
        clock: &str,
        then: Cmd,
    ) -> Result<Vec<Value>, StoreError> {
        let both = |first: Cmd| {
            let mut pipeline = redis::pipe();
            pipeline.ignore_errors().add_command(first).add_command(then.clone());
            pipeline
        };
        let answer = match self.ask(&Ask::Pipeline(&both(script.by_hash(clock, args))), None).await {
            Err(error) if fault::conduct(&error) == Conduct::Reload => {
                self.ask(&Ask::Pipeline(&both(script.by_text(clock, args))), None).await
            }
            other => other,
        };
        match answer {
            Ok(Some(Value::Array(answers))) => Ok(answers),
            Ok(_) => Err(crate::redis::reply::strange("a pipeline")),
            Err(error) => Err(fault::told(&error, &self.place)),
        }
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
        let until = Instant::now() + self.patience;
        let mut pause = PAUSE.0;
        loop {
            let asked = Instant::now();
            let (number, outcome) = match in_time(until, self.wire()).await {
                Ok(wire) if over.is_some_and(|over| over != wire.number) => return Ok(None),
                Ok(wire) => (wire.number, answer(wire.connection, ask).await),
                Err(error) => (0, Err(error)),
            };
            let error = match outcome {
                Ok(answer) => {
                    lock(&self.outages).answered(Instant::now());
                    return Ok(Some(answer));
                }
                Err(error) => error,
            };
            match fault::conduct(&error) {
                Conduct::Reconnect => self.cut(number),
                Conduct::Wait => {}
                Conduct::Reload | Conduct::Full | Conduct::Refuse(_) => return Err(error),
            }
            lock(&self.outages).failed(asked);
            if Instant::now() + pause > until {
                return Err(error);
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(PAUSE.1);
        }
    }

    /// The connection, made now if there is none.
    async fn wire(&self) -> RedisResult<Wire> {
        let dialing = {
            let mut line = lock(&self.line);
            match &*line {
                Line::Open(wire) => return Ok(wire.clone()),
                Line::Dialing(dialing) => dialing.clone(),
                Line::Cut => {
                    let dialing = self.dialing();
                    *line = Line::Dialing(dialing.clone());
                    dialing
                }
            }
        };
        let made = dialing.clone().await;
        let mut line = lock(&self.line);
        match &*line {
            // Somebody else who waited for it was here first.
            Line::Open(wire) => return Ok(wire.clone()),
            Line::Dialing(current) if current.ptr_eq(&dialing) => {}
            Line::Dialing(_) | Line::Cut => return Err(made.err().unwrap_or_else(gone)),
        }
        let connection = match made {
            Ok(connection) => connection,
            Err(error) => {
                *line = Line::Cut;
                return Err(error);
            }
        };
        let number = self.made.fetch_add(1, Ordering::Relaxed) + 1;
        if number > 1 {
            tracing::info!(store = self.place, "connected to the store again");
        }
        let wire = Wire { number, connection };
        *line = Line::Open(wire.clone());
        Ok(wire)
    }

    /// Begins to make a connection: on the thread of the traffic, because that is where it will be driven.
    fn dialing(&self) -> Dialing {
        let dial = Arc::clone(&self.dial);
        let task = self
            .io()
            .map(|io| io.spawn(async move { in_time(Instant::now() + DIALING, dial.connect()).await }));
        async move {
            match task {
                Some(task) => task.await.unwrap_or_else(|_| Err(gone())),
                None => Err(gone()),
            }
        }
        .boxed()
        .shared()
    }

    /// Drops the connection that failed, unless another one was made since.
    fn cut(&self, number: u64) {
        let mut line = lock(&self.line);
        if matches!(&*line, Line::Open(wire) if wire.number == number) {
            tracing::warn!(store = self.place, "the connection to the store failed");
            *line = Line::Cut;
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn gone() -> RedisError {
    std::io::Error::from(std::io::ErrorKind::NotConnected).into()
}

/// What is not there by then has failed.
pub(super) async fn in_time<T>(until: Instant, work: impl Future<Output = RedisResult<T>>) -> RedisResult<T> {
    match tokio::time::timeout_at(until.into(), work).await {
        Ok(outcome) => outcome,
        Err(_) => Err(std::io::Error::from(std::io::ErrorKind::TimedOut).into()),
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
        (Connection::Cluster(cluster, _), Ask::Command(command)) => cluster.req_packed_command(command).await,
        (Connection::One(one), Ask::Pipeline(pipeline)) => pipeline.query_async(one).await,
        // All keys of a queue are at one server, and so goes what has no key.
        (Connection::Cluster(cluster, queue), Ask::Pipeline(pipeline)) => {
            let way = SingleNodeRoutingInfo::SpecificNode(*queue);
            let answers = cluster.route_pipeline((*pipeline).clone(), 0, pipeline.len(), way);
            answers.await.map(Value::Array)
        }
    }?;
    let faults = match &answer {
        Value::Array(answers) if matches!(ask, Ask::Pipeline(_)) => answers.as_slice(),
        one => std::slice::from_ref(one),
    };
    // A server that is loading, or takes us for somebody else, says so in each of several answers. What a key holds is said of that key.
    let faults = faults.iter().filter_map(|answer| match answer {
        Value::ServerError(error) => Some(RedisError::from(error.clone())),
        _ => None,
    });
    let alone = matches!(ask, Ask::Command(_));
    let mut faults =
        faults.filter(|fault| alone || fault::conduct(fault) != Conduct::Refuse(Refusal::Foreign));
    faults.next().map_or(Ok(answer), Err)
}

/// How long is waited for a connection and for an answer.
pub(super) fn patience() -> AsyncConnectionConfig {
    AsyncConnectionConfig::new().set_connection_timeout(Some(ANSWER)).set_response_timeout(Some(ANSWER))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// F14: sentinels and nodes that say nothing take no longer than the patience that a call has.
    #[tokio::test]
    async fn f14_a_call_ends_in_time_while_a_connection_is_being_made() {
        let mute = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let at = mute.local_addr().unwrap();
        for url in [format!("redis+sentinel://{at},{at}/main"), format!("redis+cluster://{at}")] {
            let mut link = Link::to(&Address::parse(&url).unwrap(), Duration::from_secs(30)).unwrap();
            link.patience = Duration::from_millis(100);
            let silent = tokio::time::timeout(ANSWER / 2, link.command(&redis::cmd("PING"))).await;
            assert!(matches!(silent, Ok(Err(StoreError::Down(_)))), "{url}: {silent:?}");
        }
    }
}
