//! A driver that plays a service as the job's payload says, and a ledger of what the service was asked.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use emp_core::connector::Loaded;
use emp_core::health::{Health, HealthStatus};
use emp_core::job::{Delta, Intent, Job, JobId, Progress, ServiceJob, UpstreamCancel};
use emp_core::spec::{ConnectorSpec, Limits, Pace, PayloadSchema, Protocol, SourceLocation};
use emp_engine::port::JobPort;
use emp_engine::run::{End, Next, Run};
use emp_worker::Driver;
use serde_json::{Map, Value};
use tokio::sync::Notify;

pub(crate) static SPEC: ConnectorSpec = spec("ScriptConnector");

/// Another connector of the same service.
pub(crate) static OTHER: ConnectorSpec = spec("OtherConnector");

const fn spec(name: &'static str) -> ConnectorSpec {
    ConnectorSpec {
        name,
        services: &["script"],
        version: "1.0.0",
        description: "Plays a service",
        source: SourceLocation { file: "script.rs", line: 1, lines: 1 },
        fingerprint: 7,
        env: &[],
        payload: PayloadSchema::Any,
        output: None,
        pace: Pace::DEFAULT,
        limits: Limits::DEFAULT,
        openapi: None,
        protocol: Protocol::Custom,
    }
}

/// What the service was asked.
#[derive(Debug, Default)]
pub(crate) struct Ledger(Mutex<Asked>);

#[derive(Debug, Default)]
struct Asked {
    sends: usize,
    accepted: BTreeMap<String, JobId>,
    polls: BTreeMap<JobId, u64>,
    last_poll: BTreeMap<&'static str, Instant>,
    connectors: BTreeMap<JobId, BTreeSet<&'static str>>,
    cancelled: BTreeSet<JobId>,
}

impl Ledger {
    fn asked(&self) -> std::sync::MutexGuard<'_, Asked> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many submits the service accepted: what is paid for.
    pub(crate) fn accepted(&self) -> usize {
        self.asked().accepted.len()
    }

    /// How many submits arrived, merged ones too.
    pub(crate) fn sends(&self) -> usize {
        self.asked().sends
    }

    /// How often a job was asked after.
    pub(crate) fn polls(&self, job: &JobId) -> u64 {
        self.asked().polls.get(job).copied().unwrap_or(0)
    }

    /// The connectors that a job was sent or asked after with.
    pub(crate) fn connectors(&self, job: &JobId) -> Vec<&'static str> {
        self.asked().connectors.get(job).into_iter().flatten().copied().collect()
    }

    /// When this driver last asked after any job.
    pub(crate) fn last_poll(&self, driver: &str) -> Option<Instant> {
        self.asked().last_poll.get(driver).copied()
    }

    /// Whether a job was cancelled at the service.
    pub(crate) fn cancelled(&self, job: &JobId) -> bool {
        self.asked().cancelled.contains(job)
    }
}

/// A driver that plays the service. The payload says how: `polls` and `every_ms`, `submit_ms`, `progress`, `deltas`, `panic`, `freeze`, `block_ms`.
pub(crate) struct Script {
    pub(crate) name: &'static str,
    pub(crate) ledger: Arc<Ledger>,
    /// This driver stops for ever where the payload's `freeze` says.
    pub(crate) freezes: bool,
    /// Told when it does.
    pub(crate) frozen: Arc<Notify>,
}

impl Script {
    pub(crate) fn new(name: &'static str, ledger: &Arc<Ledger>) -> Arc<Self> {
        Arc::new(Self { name, ledger: Arc::clone(ledger), freezes: false, frozen: Arc::default() })
    }

    pub(crate) fn freezing(name: &'static str, ledger: &Arc<Ledger>) -> Arc<Self> {
        Arc::new(Self { name, ledger: Arc::clone(ledger), freezes: true, frozen: Arc::default() })
    }

    async fn freeze(&self, payload: &Value, point: &str) {
        if self.freezes && payload["freeze"] == point {
            self.frozen.notify_one();
            std::future::pending::<()>().await;
        }
    }

    async fn submit(&self, run: &mut Run) -> Next {
        let payload = run.job.payload.clone();
        assert!(payload["panic"] != "prepared", "the payload asked for it");
        let intent = if let Some(intent) = run.job.intent.clone() {
            intent
        } else {
            let key = format!("{}/{}", run.job.id, run.job.attempt + 1);
            let digest = "digest".to_owned();
            let intent = Intent {
                connector: run.connector.spec.name.to_owned(),
                fingerprint: 7,
                key,
                digest,
                prepared: Map::new(),
                at: run.port.now(),
            };
            if let Err(stop) = run.port.intent(intent.clone()).await {
                return Next::Stopped(stop);
            }
            run.job.attempt += 1;
            run.job.intent = Some(intent.clone());
            intent
        };
        self.freeze(&payload, "after_intent").await;
        assert!(payload["panic"] != "submitting", "the payload asked for it");
        // A submit is looked up by its key before it is sent again.
        tokio::time::sleep(Duration::from_millis(payload["submit_ms"].as_u64().unwrap_or(0))).await;
        {
            let mut asked = self.ledger.asked();
            asked.sends += 1;
            asked.accepted.insert(intent.key.clone(), run.job.id.clone());
        }
        self.freeze(&payload, "after_send").await;
        let service_job = ServiceJob {
            id: format!("service-{}", intent.key),
            captured: Map::new(),
            connector: run.connector.spec.name.to_owned(),
            fingerprint: 7,
            submitted_at: run.port.now(),
        };
        if let Err(stop) = run.port.submitted(service_job.clone()).await {
            return Next::Stopped(stop);
        }
        run.job.service_job = Some(service_job);
        Next::Wait(Duration::from_millis(payload["every_ms"].as_u64().unwrap_or(5)))
    }
}

#[async_trait]
impl Driver for Script {
    fn start(&self, job: Job, connector: Arc<Loaded>, port: Arc<dyn JobPort>) -> Run {
        Run::new(job, connector, port)
    }

    async fn step(&self, run: &mut Run) -> Next {
        if let Some(stop) = run.port.stop() {
            return Next::Stopped(stop);
        }
        let connector = run.connector.spec.name;
        self.ledger.asked().connectors.entry(run.job.id.clone()).or_default().insert(connector);
        if run.job.service_job.is_none() {
            return self.submit(run).await;
        }
        let payload = &run.job.payload;
        assert!(payload["panic"] != "submitted", "the payload asked for it");
        self.freeze(payload, "in_poll").await;
        let polls = {
            let mut asked = self.ledger.asked();
            asked.last_poll.insert(self.name, Instant::now());
            let polls = asked.polls.entry(run.job.id.clone()).or_default();
            *polls += 1;
            *polls
        };
        if let Some(millis) = payload["block_ms"].as_u64() {
            std::thread::sleep(Duration::from_millis(millis));
        }
        let last = payload["polls"].as_u64().unwrap_or(1);
        for step in 0..payload["progress"].as_u64().unwrap_or(0) {
            let fraction = (polls as f64 + step as f64 / 1000.0) / (last as f64 + 1.0);
            run.port.progress(Progress { fraction: Some(fraction.min(1.0)), ..Progress::default() });
        }
        for step in 0..payload["deltas"].as_u64().unwrap_or(0) {
            let start = step == 0 && polls <= 1;
            run.port.delta(Delta { start, text: format!("{polls}.{step} ") });
        }
        if polls >= last {
            return Next::End(End::Succeeded {
                result: serde_json::json!({ "polls": polls }),
                meta: Map::new(),
            });
        }
        Next::Wait(Duration::from_millis(payload["every_ms"].as_u64().unwrap_or(5)))
    }

    async fn cancel(&self, run: &mut Run) -> UpstreamCancel {
        if run.job.service_job.is_none() {
            return UpstreamCancel::NotNeeded;
        }
        self.ledger.asked().cancelled.insert(run.job.id.clone());
        UpstreamCancel::Confirmed
    }

    async fn health(&self, _connector: &Loaded) -> Health {
        Health { status: HealthStatus::Healthy, ..Health::unknown() }
    }

    fn paused(&self, _connector: &Loaded) -> Option<(Duration, String)> {
        None
    }
}
