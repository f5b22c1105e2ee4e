//! What happens to a job.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{JobState, Progress, WorkerId};
use crate::time::Timestamp;

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
