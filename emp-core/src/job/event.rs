//! What happens to a job.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{JobState, Progress, WorkerId};
use crate::time::Timestamp;

/// A change of a job, kept in order; the API's stream, the timeline and the history checker read this one list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Event {
    /// From 1, rising within one job; without gaps but for text that was put together.
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
    /// Text that the job's stream has brought, where that is what happened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delta: Option<Delta>,
}

/// Text that a job's stream has brought.
///
/// `start` makes a client's text right whatever it has seen: with it the text replaces all text before, without it the text is
/// appended. The first text of an attempt has it, so that what a submit said whose answer was lost does not stand before what the
/// next one says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Delta {
    /// This is the text from the beginning, and not more of it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub start: bool,
    /// The text.
    pub text: String,
}

impl Delta {
    /// Most bytes of text that are kept of one job while it runs; its result has all of it.
    pub const KEPT: usize = 256 << 10;

    /// Takes a later one in: together they are one. What is kept of the text is its end.
    pub fn push(&mut self, later: &Self) {
        if later.start {
            self.clone_from(later);
        } else {
            self.text.push_str(&later.text);
        }
        if self.text.len() > Self::KEPT {
            let cut = self.text.ceil_char_boundary(self.text.len() - Self::KEPT);
            self.text.drain(..cut);
            // What stood before has been thrown away here, so it must not be left standing elsewhere.
            self.start = true;
        }
    }
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
    Delta,
    RetryScheduled,
    Released,
    LeaseLost,
    CancelRequested,
    WebhookReceived,
    Uncertain,
    Succeeded,
    Failed,
    Cancelled,
    Quarantined,
    OrphanKept,
    Reasserted,
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
            Self::Delta => "delta",
            Self::RetryScheduled => "retry_scheduled",
            Self::Released => "released",
            Self::LeaseLost => "lease_lost",
            Self::CancelRequested => "cancel_requested",
            Self::WebhookReceived => "webhook_received",
            Self::Uncertain => "uncertain",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Quarantined => "quarantined",
            Self::OrphanKept => "orphan_kept",
            Self::Reasserted => "reasserted",
        }
    }
}
