//! Health: what a connector can tell and do, derived from its declaration, and what its service answered.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::spec::{ConnectorSpec, Protocol};
use crate::time::Timestamp;

/// What a connector can do beside running jobs; the guide's words. Derived from the declaration, never claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[allow(clippy::struct_excessive_bools)] // the guide's own shape
pub struct Capabilities {
    /// `#[health]` is declared.
    pub supports_basic_health_check: bool,
    /// `#[poll]` is declared.
    pub supports_job_status_query: bool,
    /// `#[cancel]` is declared.
    pub supports_job_cancellation: bool,
    /// `#[restart]` is declared.
    pub supports_service_restart: bool,
    /// `#[queue]` is declared.
    pub supports_queue_introspection: bool,
}

impl ConnectorSpec {
    /// What the connector can do, as its declaration says.
    pub fn capabilities(&self) -> Capabilities {
        let (health, poll, cancel) = match &self.protocol {
            Protocol::Http(http) => (http.health.is_some(), http.poll.is_some(), http.cancel.is_some()),
            // A custom connector runs in this process: it is healthy when it loads, and it is cancelled through its context.
            Protocol::Custom => (true, false, true),
        };
        Capabilities {
            supports_basic_health_check: health,
            supports_job_status_query: poll,
            supports_job_cancellation: cancel,
            supports_service_restart: false,
            supports_queue_introspection: false,
        }
    }
}

/// What a probe found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HealthStatus {
    /// It answers as declared.
    Healthy,
    /// It answers, but is not ready.
    Degraded,
    /// It does not answer, or refuses.
    Down,
    /// Nobody has asked, or there is nothing to ask.
    Unknown,
}

/// The health of a service as one worker sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Health {
    /// What the probe found.
    pub status: HealthStatus,
    /// Why it is not healthy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// When it was asked.
    pub checked_at: Option<Timestamp>,
    /// The probe's round trip, milliseconds.
    pub latency_ms: Option<u64>,
    /// The declared metrics.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub metrics: serde_json::Map<String, serde_json::Value>,
}

impl Health {
    /// Nobody has asked yet.
    pub fn unknown() -> Self {
        Self {
            status: HealthStatus::Unknown,
            detail: None,
            checked_at: None,
            latency_ms: None,
            metrics: serde_json::Map::new(),
        }
    }
}
