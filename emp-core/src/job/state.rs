//! Where a job is in its life, and how far its attempt is.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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

impl Phase {
    /// The word, as it stands in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Prepared => "prepared",
            Self::Submitting => "submitting",
            Self::Submitted => "submitted",
        }
    }
}
