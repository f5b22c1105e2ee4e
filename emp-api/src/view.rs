//! A job as the API shows it. These types serialise the answers and describe them in OpenAPI.

use std::collections::BTreeMap;

use emp_core::JobError;
use emp_core::Timestamp;
use emp_core::job::{
    CancelRequest, Event, EventKind, Job, JobId, JobState, Phase, Progress, UpstreamCancel, WorkerId,
};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

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
}

impl From<Progress> for ProgressView {
    fn from(progress: Progress) -> Self {
        Self {
            // Two decimals: 0.29 is 29, not 28.999999999999996.
            progress: progress.fraction.map(|fraction| (fraction * 10_000.0).round() / 100.0),
            message: progress.message,
            queue_position: progress.queue_position,
            eta_secs: progress.eta_secs,
        }
    }
}

/// A job in a list.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct JobSummary {
    /// Its id.
    pub id: JobId,
    /// The service that it asks for.
    pub service: String,
    /// Where it is, in the guide's words.
    pub status: Status,
    /// Where it is, exactly.
    pub state: JobState,
    /// How far the current attempt is; `null` until it is first claimed.
    pub phase: Option<Phase>,
    /// How far it is.
    #[serde(flatten)]
    pub progress: ProgressView,
    /// Submits so far: money.
    pub attempt: u32,
    /// Claims so far.
    pub deliveries: u32,
    /// The job's id at the service.
    pub service_job_id: Option<String>,
    /// The connector that does it.
    pub connector: Option<String>,
    /// The worker that has it.
    pub worker: Option<WorkerId>,
    /// Why it failed, waits or is uncertain.
    pub error: Option<JobError>,
    /// 0 to 9; 9 goes first.
    pub priority: u8,
    /// What a worker must have to claim it.
    pub labels: BTreeMap<String, String>,
    /// When it came.
    pub created_at: Moment,
    /// When it last changed.
    pub updated_at: Moment,
    /// Not claimed before this moment, while it waits for its next attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ready_at: Option<Moment>,
    /// When it was first claimed.
    pub started_at: Option<Moment>,
    /// When it ended.
    pub finished_at: Option<Moment>,
    /// From the first claim to the end.
    pub processing_time_ms: Option<u64>,
}

/// A job, whole.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct JobView {
    /// What a list shows of it.
    #[serde(flatten)]
    pub summary: JobSummary,
    /// What it asks of the service.
    pub payload: Value,
    /// The result.
    pub result: Option<Value>,
    /// Facts about the result that the connector declares: usage, cost.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub meta: Map<String, Value>,
    /// The wish to cancel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cancel: Option<CancelView>,
    /// A result that came after the cancel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub discarded_result: Option<Value>,
    /// Jobs at the service that a worker bought after it had lost this one. They may have cost money.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub orphaned_service_job_ids: Vec<String>,
    /// The client's key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
}

/// A wish to cancel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CancelView {
    /// When.
    pub at: Moment,
    /// Who asked.
    pub by: String,
    /// Why, in the asker's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What became of it at the service; `null` while nobody knows.
    pub upstream: Option<UpstreamCancel>,
}

/// The receipt of a submitted job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Receipt {
    /// The job's id, by the guide's name.
    pub job_id: JobId,
    /// The job's id.
    pub id: JobId,
    /// The service that it asks for.
    pub service: String,
    /// Where it is, in the guide's words.
    pub status: Status,
    /// Where it is, exactly.
    pub state: JobState,
    /// When it came.
    pub created_at: Moment,
}

/// A page of jobs.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct JobPage {
    /// The jobs, newest first.
    pub jobs: Vec<JobSummary>,
    /// The `cursor` of the next page; `null` on the last.
    pub next: Option<String>,
}

/// Something that happened to a job.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct EventView {
    /// From 1, without gaps, within one job; the `id` of the stream's event.
    pub seq: u64,
    /// When.
    pub at: Moment,
    /// What happened; the `event` of the stream's event.
    #[serde(rename = "type")]
    pub kind: EventKind,
    /// The job's status after it, in the guide's words.
    pub status: Status,
    /// The job's state after it.
    pub state: JobState,
    /// How far the job is, where that is what changed.
    #[serde(flatten)]
    pub progress: ProgressView,
    /// Why, or what, in one line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The worker, where one did it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub worker: Option<WorkerId>,
}

impl From<Job> for JobView {
    fn from(mut job: Job) -> Self {
        Self {
            payload: job.payload.take(),
            result: job.result.take(),
            meta: std::mem::take(&mut job.meta),
            cancel: job.cancel.take().map(CancelView::from),
            discarded_result: job.discarded_result.take(),
            orphaned_service_job_ids: job.orphans.drain(..).map(|orphan| orphan.id).collect(),
            idempotency_key: job.idempotency_key.take(),
            summary: job.into(),
        }
    }
}

impl From<Job> for JobSummary {
    fn from(job: Job) -> Self {
        let connector = job.service_job.as_ref().map(|known| known.connector.clone());
        Self {
            id: job.id,
            service: job.service,
            status: job.state.into(),
            state: job.state,
            phase: job.phase,
            progress: job.progress.map(ProgressView::from).unwrap_or_default(),
            attempt: job.attempt,
            deliveries: job.deliveries,
            connector: connector.or_else(|| job.intent.map(|intent| intent.connector)),
            service_job_id: job.service_job.map(|known| known.id),
            worker: job.lease.map(|lease| lease.worker),
            error: job.error,
            priority: job.priority,
            labels: job.labels,
            created_at: Moment(job.created_at),
            updated_at: Moment(job.updated_at),
            ready_at: (job.state == JobState::Waiting).then_some(Moment(job.ready_at)),
            started_at: job.started_at.map(Moment),
            finished_at: job.finished_at.map(Moment),
            processing_time_ms: job
                .finished_at
                .zip(job.started_at)
                .map(|(finished, started)| finished.since(started).as_millis() as u64),
        }
    }
}

impl From<&Job> for Receipt {
    fn from(job: &Job) -> Self {
        Self {
            job_id: job.id.clone(),
            id: job.id.clone(),
            service: job.service.clone(),
            status: job.state.into(),
            state: job.state,
            created_at: Moment(job.created_at),
        }
    }
}

impl From<CancelRequest> for CancelView {
    fn from(request: CancelRequest) -> Self {
        Self { at: Moment(request.at), by: request.by, reason: request.reason, upstream: request.upstream }
    }
}

impl From<Event> for EventView {
    fn from(event: Event) -> Self {
        Self {
            seq: event.seq,
            at: Moment(event.at),
            kind: event.kind,
            status: event.state.into(),
            state: event.state,
            progress: event.progress.map(ProgressView::from).unwrap_or_default(),
            detail: event.detail,
            worker: event.worker,
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
