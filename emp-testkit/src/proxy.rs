//! A TCP proxy whose network is as bad as a test wants it: between a worker and its service, or between a worker and its store.
//!
//! ```no_run
//! # use std::time::Duration;
//! use emp_testkit::{FaultProxy, NetFaults};
//!
//! # async fn example(service: std::net::SocketAddr) -> std::io::Result<()> {
//! let proxy = FaultProxy::start(service).await?;
//! let url = format!("http://{}", proxy.address()); // what is asked in place of the service
//! proxy.set(NetFaults { cut_replies: true, ..NetFaults::default() });
//! // .. what is asked now arrives, and its answer never does ..
//! proxy.clear();
//! proxy.set(NetFaults { latency: Duration::from_millis(200), ..NetFaults::default() });
//! # Ok(())
//! # }
//! ```
//!
//! Faults hold for the connections that are open as well, from the moment they are set. There is a kernel's `netem` for some of this,
//! where there is one; this one needs no rights and runs on every machine. The crates that could do it are toxiproxy's own server
//! (a process and its HTTP API for each test) and `tokio-netem` (wrappers of one's own streams, which another process does not have).

mod door;
mod pump;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use self::door::Door;
use self::pump::{Cut, Pump, Way};

/// What is wrong with a network. Nothing, by default; several things may be at once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fault of its own, and all may be at once")]
pub struct NetFaults {
    /// What arrives is passed on so much later, in both directions.
    pub latency: Duration,
    /// The latency is longer or shorter by up to so much.
    pub jitter: Duration,
    /// So many bytes pass in a second, in each direction.
    pub bandwidth: Option<u32>,
    /// At most so many bytes are passed on at once, so that a reader sees them in pieces.
    pub slice: Option<usize>,
    /// A connection is closed when so many bytes of replies have come back on it.
    pub limit_data: Option<u64>,
    /// Nothing passes, and nobody is told: connections are accepted and stay silent, until the fault is taken back.
    pub blackhole: bool,
    /// Requests arrive; with the first byte of a reply the connection is closed and nothing of the reply passes.
    pub cut_replies: bool,
    /// Connections are refused, and open ones are closed.
    pub refuse: bool,
    /// When one side closes, the other is told so much later.
    pub slow_close: Duration,
    /// Whoever is cut off is told by a reset (RST) instead of an end (FIN).
    pub reset: bool,
}

/// What the proxy is to do.
#[derive(Clone, Debug)]
struct Wanted {
    faults: NetFaults,
    target: SocketAddr,
    /// Rises with every order to close what is open.
    cuts: u64,
}

/// A proxy on a free port of loopback. Dropped, it is gone, and so are its connections.
#[derive(Debug)]
pub struct FaultProxy {
    address: SocketAddr,
    wanted: Arc<watch::Sender<Wanted>>,
    accepted: Arc<AtomicU64>,
    server: JoinHandle<()>,
}

impl FaultProxy {
    /// Starts a proxy in front of an address, on the current tokio runtime.
    #[expect(clippy::unused_async, reason = "it spawns, so it must be called on a runtime")]
    pub async fn start(target: SocketAddr) -> io::Result<Self> {
        let door = Door::open()?;
        let address = door.address();
        let wanted = Arc::new(watch::Sender::new(Wanted { faults: NetFaults::default(), target, cuts: 0 }));
        let accepted = Arc::new(AtomicU64::new(0));
        let server = tokio::spawn(serve(door, wanted.subscribe(), Arc::clone(&accepted)));
        Ok(Self { address, wanted, accepted, server })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Has these faults from now on, and no others.
    pub fn set(&self, faults: NetFaults) {
        self.wanted.send_modify(|wanted| wanted.faults = faults);
    }

    /// Has no faults any more.
    pub fn clear(&self) {
        self.set(NetFaults::default());
    }

    /// Closes every connection that is open.
    pub fn cut(&self) {
        self.wanted.send_modify(|wanted| wanted.cuts += 1);
    }

    /// Leads to another address from now on, as a name does that was given to another machine: what is open is closed.
    pub fn lead_to(&self, target: SocketAddr) {
        self.wanted.send_modify(|wanted| {
            wanted.target = target;
            wanted.cuts += 1;
        });
    }

    /// How many connections it has accepted.
    pub fn accepted(&self) -> u64 {
        self.accepted.load(Ordering::Relaxed)
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// Accepts connections while they are not to be refused, until the proxy is dropped.
async fn serve(mut door: Door, mut wanted: watch::Receiver<Wanted>, accepted: Arc<AtomicU64>) {
    let mut connections = JoinSet::new();
    loop {
        let refuse = wanted.borrow_and_update().faults.refuse;
        door = match door.set(refuse) {
            Ok(door) => door,
            // Somebody else has the port: nobody can be served here any more.
            Err(_) => return,
        };
        tokio::select! {
            changed = wanted.changed() => if changed.is_err() { return },
            client = door.accept() => {
                accepted.fetch_add(1, Ordering::Relaxed);
                connections.spawn(connect(client, wanted.clone()));
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Joins a client with the target until one of them has closed, or both are cut off.
async fn connect(mut client: TcpStream, mut wanted: watch::Receiver<Wanted>) {
    let (target, cuts) = {
        let wanted = wanted.borrow_and_update();
        (wanted.target, wanted.cuts)
    };
    let mut orders = wanted.clone();
    let cut_off = orders.wait_for(|wanted| wanted.cuts != cuts || wanted.faults.refuse);
    let joined = async {
        // A silent network is silent before it is asked for anything, too.
        pump::audible(&mut wanted).await;
        let Ok(mut server) = TcpStream::connect(target).await else { return };
        let _ = (client.set_nodelay(true), server.set_nodelay(true));
        let ((from_client, to_client), (from_server, to_server)) = (client.split(), server.split());
        let requests = Pump::new(Way::Request, from_client, to_server, wanted.clone()).run();
        let replies = Pump::new(Way::Reply, from_server, to_client, wanted.clone()).run();
        // Both have closed when both are done; one that is cut off takes the other with it.
        let _: Result<((), ()), Cut> = tokio::try_join!(requests, replies);
    };
    tokio::select! {
        () = joined => {}
        _ = cut_off => {}
    }
    if orders.borrow().faults.reset {
        // It cannot fail but for a connection that is gone.
        let _ = client.set_zero_linger();
    }
}
