//! The API's own spelling of moments, states and progress.

use emp_core::Timestamp;
use emp_core::job::{JobState, Progress};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};
use serde_json::Value;

/// A moment, as RFC 3339 in UTC with milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment(pub Timestamp);

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.to_rfc3339())
    }
}

impl JsonSchema for Moment {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Moment".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "date-time" })
    }
}

/// The guide's word for where a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It waits, for a worker or for its next attempt.
    Pending,
    /// A worker has it.
    Running,
    /// It has a result.
    Completed,
    /// It ended without one.
    Failed,
    /// It was cancelled.
    Cancelled,
    /// A submit's answer was lost: it may have been accepted and billed.
    Unknown,
}

impl Status {
    /// Every word.
    pub const ALL: [Self; 6] =
        [Self::Pending, Self::Running, Self::Completed, Self::Failed, Self::Cancelled, Self::Unknown];

    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Unknown => "unknown",
        }
    }

    /// The states that it stands for.
    pub fn states(self) -> impl Iterator<Item = JobState> {
        JobState::ALL.into_iter().filter(move |state| Self::from(*state) == self)
    }
}

impl From<JobState> for Status {
    fn from(state: JobState) -> Self {
        match state {
            JobState::Queued | JobState::Waiting => Self::Pending,
            JobState::Running => Self::Running,
            JobState::Succeeded => Self::Completed,
            JobState::Failed | JobState::Quarantined => Self::Failed,
            JobState::Cancelled => Self::Cancelled,
            JobState::Uncertain => Self::Unknown,
        }
    }
}

/// How far a job is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct ProgressView {
    /// 0 to 100; never falls within an attempt.
    #[schemars(range(min = 0.0, max = 100.0))]
    pub progress: Option<f64>,
    /// What it is doing, in the service's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// How many are ahead at the service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue_position: Option<u64>,
    /// Seconds left, as the service estimates.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eta_secs: Option<f64>,
    /// A picture of what there is so far: an https URL, or a data URL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preview: Option<String>,
    /// What there is of the result so far, of a job that has not ended well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub so_far: Option<Value>,
}

impl From<Progress> for ProgressView {
    fn from(progress: Progress) -> Self {
        Self {
            // Two decimals: 0.29 is 29, not 28.999999999999996.
            progress: progress.fraction.map(|fraction| (fraction * 10_000.0).round() / 100.0),
            message: progress.message,
            queue_position: progress.queue_position,
            eta_secs: progress.eta_secs,
            preview: progress.preview,
            so_far: progress.so_far.map(|value| *value),
        }
    }
}

#[cfg(test)]
mod tests {
    use emp_core::job::{JobState, Progress};

    use super::{ProgressView, Status};

    #[test]
    fn the_status_words_are_the_guides() {
        for state in JobState::ALL {
            assert_eq!(Status::from(state).as_str(), state.guide_word());
            assert!(Status::from(state).states().any(|other| other == state));
        }
        for status in Status::ALL {
            assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
        }
    }

    #[test]
    fn progress_is_a_percentage_without_noise() {
        let percent = |fraction| {
            ProgressView::from(Progress { fraction: Some(fraction), ..Progress::default() }).progress
        };
        assert_eq!(percent(0.29), Some(29.0));
        assert_eq!(percent(1.0), Some(100.0));
        assert_eq!(percent(1.0 / 3.0), Some(33.33));
    }
}
