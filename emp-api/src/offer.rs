//! Connectors, services and workers as the API shows them.

use std::collections::BTreeMap;

use emp_core::ConnectorSpec;
use emp_core::health::{Capabilities, Health, HealthStatus};
use emp_core::job::{JobId, JobState, WorkerId};
use emp_core::spec::{EnvField, Protocol};
use emp_store::{ServiceStatus, WorkerStatus};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::catalog::Service;
use crate::view::Moment;

/// A connector of this binary.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ConnectorView {
    /// The name by which the mapping refers to it.
    pub name: &'static str,
    /// The first of its services.
    pub service: &'static str,
    /// The services that it can do.
    pub services: &'static [&'static str],
    /// Its own version.
    pub version: &'static str,
    /// What it does.
    pub description: &'static str,
    /// How it speaks to the service.
    pub mode: Mode,
    /// The variables that it reads. Never their values.
    pub environment: Vec<VariableView>,
    /// What it can do beside running jobs, as its declaration says.
    pub capabilities: Capabilities,
    /// The JSON Schema of a payload.
    pub payload: Value,
    /// The JSON Schema of a result, where one is declared.
    pub output: Option<Value>,
}

/// How a connector speaks to its service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// One request gives the result.
    Sync,
    /// A submit, then polls.
    Poll,
    /// A protocol of its own.
    Custom,
}

/// A variable that a connector reads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct VariableView {
    /// Its name.
    pub variable: &'static str,
    /// Whether the connector does not start without it.
    pub required: bool,
    /// Whether it is a credential.
    pub secret: bool,
    /// What the declaration uses when it is not set.
    pub default: Option<&'static str>,
    /// What it is for.
    pub description: &'static str,
}

/// A service that jobs may ask for.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ServiceView {
    /// The name that a job gives as `service`.
    pub service: String,
    /// The connector that does it.
    pub connector: &'static str,
    /// Every connector that does it.
    pub connectors: Vec<&'static str>,
    /// The workers of the mapping that serve it, running or not.
    pub workers: Vec<String>,
    /// How many workers serve it now.
    pub workers_online: usize,
    /// How it is for the worker that sees it best: whether a job can be done.
    pub health: HealthView,
    /// How many jobs there are of it in each state.
    pub jobs: BTreeMap<JobState, u64>,
}

/// A service, with its schemas.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ServiceDetail {
    /// What a list shows of it.
    #[serde(flatten)]
    pub service: ServiceView,
    /// The JSON Schema of a payload.
    pub payload: Value,
    /// The JSON Schema of a result, where one is declared.
    pub output: Option<Value>,
}

/// A running worker.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct WorkerView {
    /// This start of it.
    pub id: WorkerId,
    /// Its entry in the mapping.
    pub name: String,
    /// Version of the software.
    pub version: String,
    /// The machine's name.
    pub host: String,
    /// The process.
    pub pid: u32,
    /// What it has for labels.
    pub labels: BTreeMap<String, String>,
    /// The services that it offers.
    pub services: Vec<WorkerServiceView>,
    /// How many jobs it can have.
    pub slots: usize,
    /// The jobs that it has.
    pub running: Vec<JobId>,
    /// It takes no more jobs.
    pub draining: bool,
    /// When it started.
    pub started_at: Moment,
    /// When it was last heard of.
    pub seen_at: Moment,
}

/// A service that a worker offers.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct WorkerServiceView {
    /// The service.
    pub service: String,
    /// The connector that it does it with.
    pub connector: String,
    /// Version of the connector.
    pub version: String,
    /// How it is, as this worker sees it.
    pub health: HealthView,
}

/// The health of a service.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct HealthView {
    /// What the last probe found.
    pub status: HealthStatus,
    /// Why it is not healthy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// When it was asked.
    pub checked_at: Option<Moment>,
    /// The probe's round trip.
    pub latency_ms: Option<u64>,
    /// The declared metrics.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub metrics: Map<String, Value>,
}

impl From<&'static ConnectorSpec> for ConnectorView {
    fn from(spec: &'static ConnectorSpec) -> Self {
        Self {
            name: spec.name,
            service: spec.services.first().copied().unwrap_or_default(),
            services: spec.services,
            version: spec.version,
            description: spec.description,
            mode: match &spec.protocol {
                Protocol::Http(http) if http.poll.is_some() => Mode::Poll,
                Protocol::Http(_) => Mode::Sync,
                _ => Mode::Custom,
            },
            environment: spec.env.iter().map(VariableView::from).collect(),
            capabilities: spec.capabilities(),
            payload: spec.payload.to_json_schema(),
            output: spec.output.map(|schema| schema()),
        }
    }
}

impl From<&'static EnvField> for VariableView {
    fn from(field: &'static EnvField) -> Self {
        Self {
            variable: field.variable,
            required: field.required,
            secret: field.secret(),
            default: field.default.filter(|_| !field.secret()),
            description: field.description,
        }
    }
}

impl ServiceView {
    pub(crate) fn new(
        name: &str,
        service: &Service,
        workers: &[WorkerStatus],
        jobs: BTreeMap<JobState, u64>,
    ) -> Self {
        let connectors: Vec<&'static str> =
            service.connectors.iter().map(|served| served.spec.name).collect();
        let offers =
            || workers.iter().filter_map(|worker| worker.services.iter().find(|offer| offer.service == name));
        let best = offers().map(|offer| &offer.health).min_by_key(|health| rank(health.status));
        Self {
            service: name.to_owned(),
            connector: connectors.first().copied().unwrap_or_default(),
            connectors,
            workers: service.workers.iter().cloned().collect(),
            workers_online: offers().count(),
            health: best.cloned().unwrap_or_else(Health::unknown).into(),
            jobs,
        }
    }
}

fn rank(status: HealthStatus) -> u8 {
    match status {
        HealthStatus::Healthy => 0,
        HealthStatus::Degraded => 1,
        HealthStatus::Unknown => 2,
        HealthStatus::Down => 3,
    }
}

impl From<WorkerStatus> for WorkerView {
    fn from(worker: WorkerStatus) -> Self {
        Self {
            id: worker.id,
            name: worker.name,
            version: worker.version,
            host: worker.host,
            pid: worker.pid,
            labels: worker.labels,
            services: worker.services.into_iter().map(WorkerServiceView::from).collect(),
            slots: worker.slots,
            running: worker.running,
            draining: worker.draining,
            started_at: Moment(worker.started_at),
            seen_at: Moment(worker.seen_at),
        }
    }
}

impl From<ServiceStatus> for WorkerServiceView {
    fn from(offer: ServiceStatus) -> Self {
        Self {
            service: offer.service,
            connector: offer.connector,
            version: offer.version,
            health: offer.health.into(),
        }
    }
}

impl From<Health> for HealthView {
    fn from(health: Health) -> Self {
        Self {
            status: health.status,
            detail: health.detail,
            checked_at: health.checked_at.map(Moment),
            latency_ms: health.latency_ms,
            metrics: health.metrics,
        }
    }
}
