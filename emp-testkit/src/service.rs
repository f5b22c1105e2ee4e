//! [`FakeService`]: the handle on a running fake.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use emp_core::spec::{ConnectorSpec, Protocol};
use emp_core::time::ManualClock;
use emp_core::{Clock, SystemClock};
use tokio::net::TcpSocket;
use tokio::task::JoinHandle;
use url::Url;

use crate::fault::{Fault, Step};
use crate::job::{Durations, Ending};
use crate::ledger::{Ledger, Recorded};
use crate::server::{self, Shared, lock};
use crate::state::Service;
use crate::webhooks::{self, FakeCall};

/// Connections that may wait to be accepted.
const BACKLOG: u32 = 1024;
/// Between two looks at the requests.
const LOOK: Duration = Duration::from_millis(2);

/// How a fake service behaves when nothing is wrong with it.
#[derive(Clone, Debug)]
pub struct FakeOptions {
    /// From the submit until a job runs.
    pub queued: Duration,
    /// For how long a job runs. A sync service holds its answer back for both.
    pub running: Duration,
    /// How its jobs end.
    pub ending: Ending,
    /// What goes wrong, from the start.
    pub faults: Vec<Fault>,
    /// The clock by which its jobs age.
    pub clock: Arc<dyn Clock>,
    /// A clock to move instead of holding a poll's answer back in real time; the one above, in a test.
    pub skip: Option<Arc<ManualClock>>,
    /// The port on loopback; 0 for any that is free.
    pub port: u16,
    /// Its calls wait for [`FakeService::calls`] instead of being sent.
    pub keeps_calls: bool,
    /// Connections are refused until [`FakeService::open`] (F24).
    pub closed: bool,
}

impl Default for FakeOptions {
    /// A job waits 300 ms and runs 1.2 s: long enough to be seen.
    fn default() -> Self {
        Self {
            queued: Duration::from_millis(300),
            running: Duration::from_millis(1200),
            ending: Ending::Succeeds,
            faults: Vec::new(),
            clock: Arc::new(SystemClock),
            skip: None,
            port: 0,
            keeps_calls: false,
            closed: false,
        }
    }
}

impl FakeOptions {
    /// A service that is done with a job as soon as it has it.
    pub fn instant() -> Self {
        Self { queued: Duration::ZERO, running: Duration::ZERO, ..Self::default() }
    }
}

/// A running fake of a connector's service: an HTTP server on loopback, made from the declaration alone. It ends when it is dropped.
#[derive(Debug)]
pub struct FakeService {
    spec: &'static ConnectorSpec,
    url: Url,
    shared: Shared,
    keeps_calls: bool,
    door: Mutex<Door>,
}

/// The port of a fake. Bound from the start, so that nobody else gets it; connections are accepted once it is open.
#[derive(Debug)]
enum Door {
    Closed(TcpSocket),
    Open(JoinHandle<()>, Option<JoinHandle<()>>),
    /// It could not be opened.
    Broken,
}

impl FakeService {
    /// Starts a fake on the current tokio runtime. Fails when the port is taken, and for a custom connector, which has no
    /// declared protocol.
    #[expect(clippy::unused_async, reason = "it spawns, so it must be called on a runtime")]
    pub async fn start(spec: &'static ConnectorSpec, options: FakeOptions) -> std::io::Result<Self> {
        let Protocol::Http(http) = &spec.protocol else {
            return Err(std::io::Error::other(format!(
                "{} is a custom connector: it declares no service",
                spec.name
            )));
        };
        let socket = TcpSocket::new_v4()?;
        // A port that was asked for may have been used a moment ago.
        socket.set_reuseaddr(options.port != 0)?;
        socket.bind((Ipv4Addr::LOCALHOST, options.port).into())?;
        let origin = format!("http://{}", socket.local_addr()?);
        let durations = Durations { queued: options.queued, running: options.running };
        let mut service =
            Service::new(spec, http, origin, options.clock, durations, options.ending, options.skip);
        options.faults.into_iter().for_each(|fault| service.arm(fault));
        let url = Url::parse(&service.base_url()).map_err(std::io::Error::other)?;
        let shared = Arc::new(Mutex::new(service));
        let fake = Self {
            spec,
            url,
            shared,
            keeps_calls: options.keeps_calls,
            door: Mutex::new(Door::Closed(socket)),
        };
        if !options.closed {
            fake.open()?;
        }
        Ok(fake)
    }

    /// Accepts connections from now on.
    pub fn open(&self) -> std::io::Result<()> {
        let mut door = self.door.lock().unwrap_or_else(PoisonError::into_inner);
        *door = match std::mem::replace(&mut *door, Door::Broken) {
            Door::Closed(socket) => {
                let listener = socket.listen(BACKLOG)?;
                let server = tokio::spawn(server::accept(listener, Arc::clone(&self.shared)));
                let caller =
                    (!self.keeps_calls).then(|| tokio::spawn(webhooks::call(Arc::clone(&self.shared))));
                Door::Open(server, caller)
            }
            other => other,
        };
        Ok(())
    }

    /// What it is made of.
    pub(crate) fn shared(&self) -> Shared {
        Arc::clone(&self.shared)
    }

    /// The calls that are due and were not taken yet.
    pub fn calls(&self) -> Vec<FakeCall> {
        lock(&self.shared).calls()
    }

    /// Completes when a request of a step has come; what it does has been done by then.
    pub async fn asked(&self, step: Step) {
        while !lock(&self.shared).requests.iter().any(|request| request.step == Some(step)) {
            tokio::time::sleep(LOOK).await;
        }
    }

    /// The declaration that it is made from.
    pub fn spec(&self) -> &'static ConnectorSpec {
        self.spec
    }

    /// What stands in for the declared base (`Loaded::base`, or the variable of `#[http(base = env.x)]`): the base's path is in it.
    pub fn base_url(&self) -> Url {
        self.url.clone()
    }
    /// Where another process asks for the ledger, as JSON.
    pub fn ledger_url(&self) -> Url {
        let mut url = self.url.clone();
        url.set_path("/__fake/ledger");
        url
    }

    /// The accepted submits.
    pub fn ledger(&self) -> Ledger {
        lock(&self.shared).books.ledger.clone()
    }

    /// The requests, oldest first; the last 100,000 are kept.
    pub fn requests(&self) -> Vec<Recorded> {
        lock(&self.shared).requests.iter().cloned().collect()
    }

    /// Sets a fault; it counts requests from now on. Of several that hit one request, the first set one wins.
    pub fn fault(&self, fault: Fault) {
        lock(&self.shared).arm(fault);
    }

    /// Takes all faults back.
    pub fn clear_faults(&self) {
        lock(&self.shared).disarm();
    }

    /// How many of its jobs were cancelled by the client, by whatever the connector declares.
    pub fn cancelled(&self) -> usize {
        lock(&self.shared).cancelled()
    }

    /// How many of its jobs have not ended.
    pub fn unfinished(&self) -> usize {
        lock(&self.shared).unfinished()
    }
}

impl Drop for FakeService {
    fn drop(&mut self) {
        if let Door::Open(server, caller) = self.door.get_mut().unwrap_or_else(PoisonError::into_inner) {
            server.abort();
            caller.iter().for_each(JoinHandle::abort);
        }
    }
}
