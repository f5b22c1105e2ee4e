//! The job record: one shape for the store, the worker and the API (`reliability.md` section 4).
//!
//! ```text
//! queued -claim-> running/prepared -intent-> running/submitting -id stored-> running/submitted -poll-> .. -> succeeded
//!   ^                  | release, lease lost     | no id, outcome unknown            | failed -> waiting -> queued
//!   +------------------+-------------------------+-> uncertain (settle rule)         | failed, cancelled, quarantined
//! ```

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::JobError;
use crate::time::Timestamp;

/// A job's id: a UUID of version 7, which tells when the job was made.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct JobId(String);

impl JobId {
    /// A new id.
    pub fn random() -> Self {
        Self(uuid::Uuid::now_v7().to_string())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for JobId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        uuid::Uuid::parse_str(text).map(|id| Self(id.to_string()))
    }
}

/// Where a job is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// Ready to be claimed.
    Queued,
    /// A worker has it.
    Running,
    /// Will be ready again at a time: a retry.
    Waiting,
    /// A submit was sent and nobody knows whether it was accepted.
    Uncertain,
    /// Done.
    Succeeded,
    /// Ended without a result.
    Failed,
    /// Ended by a cancel.
    Cancelled,
    /// Taken out because it ends its workers.
    Quarantined,
}

impl JobState {
    /// Every state.
    pub const ALL: [Self; 8] = [
        Self::Queued,
        Self::Running,
        Self::Waiting,
        Self::Uncertain,
        Self::Succeeded,
        Self::Failed,
        Self::Cancelled,
        Self::Quarantined,
    ];

    /// Nothing changes any more.
    pub fn terminal(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled | Self::Quarantined)
    }

    /// The word in the store, the CLI and the filters.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Uncertain => "uncertain",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Quarantined => "quarantined",
        }
    }

    /// The guide's word, as the API's `status` spells it: `pending, running, completed, failed, cancelled, unknown`.
    pub fn guide_word(self) -> &'static str {
        match self {
            Self::Queued | Self::Waiting => "pending",
            Self::Running => "running",
            Self::Succeeded => "completed",
            Self::Failed | Self::Quarantined => "failed",
            Self::Cancelled => "cancelled",
            Self::Uncertain => "unknown",
        }
    }
}

impl fmt::Display for JobState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How far the current attempt is: what a new owner resumes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Nothing was sent.
    Prepared,
    /// An intent is stored: bytes of a submit may have left.
    Submitting,
    /// The service job id is stored: only polling is left.
    Submitted,
}

/// The random number of one claim, 128 bits in hex. Every write carries it and the store compares for equality.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Nonce(String);

impl Nonce {
    /// A new nonce.
    pub fn random() -> Self {
        Self(uuid::Uuid::new_v4().simple().to_string())
    }

    /// The nonce as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The name of one start of one worker process; never reused.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct WorkerId(String);

impl WorkerId {
    /// An id from a worker's name (a label), this process and a random part.
    pub fn start(name: &str) -> Self {
        let random = uuid::Uuid::new_v4().simple().to_string();
        Self(format!("{name}-{}-{}", std::process::id(), &random[..12]))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for WorkerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

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

/// A change of a job, kept in order; the API's stream, the timeline and the history checker read this one list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Event {
    /// From 1, without gaps, within one job.
    pub seq: u64,
    /// When, by the store's clock.
    pub at: Timestamp,
    /// What happened.
    #[serde(rename = "type")]
    pub kind: EventKind,
    /// The state after it.
    pub state: JobState,
    /// Why, or what, in one line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The worker, where one did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker: Option<WorkerId>,
    /// The progress, where that is what changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<Progress>,
}

/// What happened to a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)] // the words are the documentation; DESIGN section 7 has the machine
pub enum EventKind {
    Queued,
    Claimed,
    Resumed,
    Submitting,
    NotSent,
    Submitted,
    Adopted,
    Progress,
    RetryScheduled,
    Released,
    LeaseLost,
    CancelRequested,
    Uncertain,
    Succeeded,
    Failed,
    Cancelled,
    Quarantined,
    OrphanKept,
}

impl EventKind {
    /// The word, as it stands in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Claimed => "claimed",
            Self::Resumed => "resumed",
            Self::Submitting => "submitting",
            Self::NotSent => "not_sent",
            Self::Submitted => "submitted",
            Self::Adopted => "adopted",
            Self::Progress => "progress",
            Self::RetryScheduled => "retry_scheduled",
            Self::Released => "released",
            Self::LeaseLost => "lease_lost",
            Self::CancelRequested => "cancel_requested",
            Self::Uncertain => "uncertain",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Quarantined => "quarantined",
            Self::OrphanKept => "orphan_kept",
        }
    }
}
