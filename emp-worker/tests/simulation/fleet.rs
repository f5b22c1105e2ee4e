//! Workers that start, freeze, stop and die.

use std::sync::Arc;
use std::time::Duration;

use emp_core::Clock;
use emp_core::connector::Loaded;
use emp_core::env::Settings;
use emp_core::spec::{ConnectorSpec, Limits, Pace, PayloadSchema, Protocol, SourceLocation};
use emp_store::store::Store;
use emp_worker::{Driver, PlannedWorker, Worker, WorkerOptions};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::chance::{below, draw, millis};
use crate::link::{Awake, Link};
use crate::service::{Service, SimDriver};
use crate::world::LEASE;

pub(crate) static SPEC: ConnectorSpec = ConnectorSpec {
    name: "SimConnector",
    services: &["sim"],
    version: "1.0.0",
    description: "Plays a service",
    source: SourceLocation { file: "sim.rs", line: 1, lines: 1 },
    fingerprint: 7,
    env: &[],
    payload: PayloadSchema::Any,
    output: None,
    pace: Pace::DEFAULT,
    limits: Limits::DEFAULT,
    openapi: None,
    protocol: Protocol::Custom,
};

/// What workers need.
pub(crate) struct Ground {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) hints: Arc<Notify>,
    pub(crate) service: Arc<Service>,
    pub(crate) clock: Arc<dyn Clock>,
}

struct Running {
    task: JoinHandle<()>,
    stop: CancellationToken,
    awake: Awake,
    cut: watch::Sender<bool>,
}

impl Running {
    fn start(ground: &Ground) -> Self {
        let (awake, cut) = (Awake::new(), watch::Sender::new(false));
        let link =
            Link::new(Arc::clone(&ground.store), Arc::clone(&ground.hints), awake.clone(), cut.subscribe());
        let driver = SimDriver { service: Arc::clone(&ground.service), awake: awake.clone() };
        let loaded = Loaded { spec: &SPEC, settings: Settings::default(), custom: None, base: None };
        let planned = vec![PlannedWorker {
            name: "sim".to_owned(),
            slots: 4,
            services: vec![("sim".to_owned(), Arc::new(loaded))],
            finishers: Vec::new(),
        }];
        let options = WorkerOptions {
            lease: LEASE,
            renew_every: LEASE / 3,
            reap_every: LEASE / 2,
            drain_timeout: Duration::from_secs(20),
            leases_on_a_thread: false,
            random: draw,
            ..WorkerOptions::default()
        };
        let driver: Arc<dyn Driver> = Arc::new(driver);
        let worker = Worker::new(options, Arc::new(link), driver, planned, Arc::clone(&ground.clock));
        let stop = CancellationToken::new();
        Self { task: tokio::spawn(worker.run(stop.clone())), stop, awake, cut }
    }

    async fn kill(self) {
        self.task.abort();
        let _ = self.task.await;
    }

    async fn stop(self) {
        self.stop.cancel();
        let _ = self.task.await;
    }
}

/// One worker's lives, one after the other, until `over`; the last one goes on untouched.
pub(crate) async fn live(ground: &Ground, mut over: watch::Receiver<bool>) {
    let mut running = Running::start(ground);
    while !*over.borrow() {
        let quiet = millis(500..9000);
        tokio::select! {
            biased;
            _ = over.wait_for(|over| *over) => break,
            () = tokio::time::sleep(quiet) => {}
        }
        match below(5) {
            0 | 1 => {
                running.kill().await;
                tokio::time::sleep(millis(0..3000)).await;
                running = Running::start(ground);
            }
            2 => {
                running.awake.set(false);
                tokio::time::sleep(millis(200..9000)).await;
                running.awake.set(true);
            }
            3 => {
                running.cut.send_replace(true);
                tokio::time::sleep(millis(200..6000)).await;
                running.cut.send_replace(false);
            }
            _ => {
                running.stop().await;
                running = Running::start(ground);
            }
        }
    }
    std::future::pending::<()>().await;
}
