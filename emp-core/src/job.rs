//! The job record: one shape for the store, the worker and the API (`reliability.md` section 4).
//!
//! ```text
//! queued -claim-> running/prepared -intent-> running/submitting -id stored-> running/submitted -poll-> .. -> succeeded
//!   ^                  | release, lease lost     | no id, outcome unknown            | failed -> waiting -> queued
//!   +------------------+-------------------------+-> uncertain (settle rule)         | failed, cancelled, quarantined
//! ```

mod event;
mod id;
mod state;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::JobError;
use crate::time::Timestamp;

pub use event::{Delta, Event, EventKind};
pub use id::{JobId, Nonce, WorkerId};
pub use state::{JobState, Phase};

/// A claim on a job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// Who has it.
    pub worker: WorkerId,
    /// The claim's own random number.
    pub nonce: Nonce,
    /// When it lapses unless renewed, by the store's clock.
    pub until: Timestamp,
    /// When it was claimed.
    pub claimed_at: Timestamp,
}

/// A submit that is about to be sent. Stored before its first byte leaves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Intent {
    /// The connector that submits.
    pub connector: String,
    /// Fingerprint of its spec.
    pub fingerprint: u64,
    /// The idempotency key or the assigned id: the same for every send of one attempt.
    pub key: String,
    /// SHA-256 of method, URL and body, in hex: a resend must be the same bytes.
    pub digest: String,
    /// What the prepare steps captured, so that a resend has the same bytes.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub prepared: Map<String, Value>,
    /// When, by the store's clock; set by the store.
    #[serde(default)]
    pub at: Timestamp,
}

/// The job at the far side, as far as it is known here. Stored before the first poll.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ServiceJob {
    /// Its id there.
    pub id: String,
    /// Everything else that `capture(..)` took from the submit's answer.
    #[serde(default)]
    pub captured: Map<String, Value>,
    /// The connector that submitted it.
    pub connector: String,
    /// Fingerprint of the spec that submitted it.
    pub fingerprint: u64,
    /// When the answer came.
    pub submitted_at: Timestamp,
}

/// How far a job is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Progress {
    /// 0 to 1; never falls within an attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fraction: Option<f64>,
    /// A text for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// How many are ahead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue_position: Option<u64>,
    /// Seconds left, as the service estimates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eta_secs: Option<f64>,
    /// A picture of what there is so far: an https URL, or a data URL of at most 64 KiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preview: Option<String>,
    /// What there is of the result so far, at most 64 KiB of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub so_far: Option<Box<Value>>,
}

/// A wish to cancel, recorded. From then on the job can only end `cancelled`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CancelRequest {
    /// When.
    pub at: Timestamp,
    /// Who asked.
    pub by: String,
    /// Why, in the asker's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What became of it at the service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upstream: Option<UpstreamCancel>,
}

/// What became of a cancel at the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum UpstreamCancel {
    /// Nothing was at the service.
    NotNeeded,
    /// The service says that the job has ended.
    Confirmed,
    /// The connector declares no cancel.
    Unsupported,
    /// The service refused, or the job had ended.
    Refused,
    /// No certain answer.
    Unknown,
}

/// A job, whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// Version of this record's shape.
    pub schema: u16,
    /// Its id.
    pub id: JobId,
    /// Its place in the order of arrival, given by the store.
    pub arrival: u64,
    /// The number of its last event.
    pub seq: u64,
    /// Where it is in its life.
    pub state: JobState,
    /// How far the current attempt is; `None` until it is first claimed.
    pub phase: Option<Phase>,
    /// The service that it asks for.
    pub service: String,
    /// What it asks of the service.
    pub payload: Value,
    /// 0 to 9; 9 goes first.
    pub priority: u8,
    /// What a worker must have to claim it.
    pub labels: BTreeMap<String, String>,
    /// Submits so far: money.
    pub attempt: u32,
    /// Claims so far: crashes and hand-overs.
    pub deliveries: u32,
    /// Deliveries that ended by a lost lease.
    pub crashes: u32,
    /// Who has it.
    pub lease: Option<Lease>,
    /// The submit under way or done.
    pub intent: Option<Intent>,
    /// The job at the service.
    pub service_job: Option<ServiceJob>,
    /// Service jobs that a fenced worker bought: kept, never lost.
    pub orphans: Vec<ServiceJob>,
    /// How far it is.
    pub progress: Option<Progress>,
    /// The wish to cancel.
    pub cancel: Option<CancelRequest>,
    /// The result.
    pub result: Option<Value>,
    /// A result that came after a cancel.
    pub discarded_result: Option<Value>,
    /// Facts about the result that the connector declares: usage, cost.
    pub meta: Map<String, Value>,
    /// Why it failed, waits or is uncertain.
    pub error: Option<JobError>,
    /// Not before this moment.
    pub ready_at: Timestamp,
    /// When it came.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When it was first claimed.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// The client's key, if it gave one.
    pub idempotency_key: Option<String>,
    /// Its place in the line: when it came, or when its last retry fell due.
    #[serde(default)]
    pub queued_at: Timestamp,
    /// The claim that wrote the intent: only its service job can be the one that the intent was for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intent_by: Option<Nonce>,
    /// The claim that ended last by its own word, so that the word can be repeated (P6).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed: Option<ClosedClaim>,
    /// The lease that lapsed last, until somebody else claims the job: its holder may still renew it (P9).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lapsed: Option<Lease>,
    /// The workers that were lost while they had it, of late: too many of them and it is taken out (P26).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub crashed: Vec<Crash>,
    /// The service has called our webhook for it, and whoever has the job has not been told yet.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub nudged: bool,
    /// What that call said, when it was proven to be the service's and there was no other since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<Call>,
    /// The calls that were heard of late, so that none of them counts again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub heard: Vec<String>,
}

/// A worker was lost while it had a job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Crash {
    /// When that was found out.
    pub at: Timestamp,
    /// Which worker.
    pub worker: WorkerId,
    /// How far the job was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<Phase>,
}

/// A service's call whose signature was right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// What tells it from every other call: the same when it is sent again.
    pub id: String,
    /// What it says of the job, as JSON; `None` when it says only that there is news.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
}

impl Job {
    /// The connector that has begun it at the service: only that one knows how to go on. `None` while nothing was sent.
    pub fn begun_by(&self) -> Option<&str> {
        let service_job = self.service_job.as_ref().map(|known| known.connector.as_str());
        service_job.or_else(|| self.intent.as_ref().map(|intent| intent.connector.as_str()))
    }
}

/// A claim that ended by its holder's own word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClosedClaim {
    /// The claim's number.
    pub nonce: Nonce,
    /// The word, as the holder said it: `succeeded` even where a recorded cancel turned it into `cancelled`.
    pub word: EventKind,
}

/// Version of the record's shape that this code writes.
pub const JOB_SCHEMA: u16 = 1;
