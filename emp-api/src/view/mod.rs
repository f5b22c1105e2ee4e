//! A job as the API shows it. These types serialise the answers and describe them in OpenAPI.

mod words;

use std::collections::BTreeMap;

use emp_core::JobError;
use emp_core::job::{
    CancelRequest, Delta, Event, EventKind, Job, JobId, JobState, Phase, UpstreamCancel, WorkerId,
};
use emp_engine::outcome::PARTIAL;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

pub use words::{Moment, ProgressView, Status};

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
    /// The result is some of what was asked for, and not all.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub partial: bool,
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
    /// From 1, rising within one job; the `id` of the stream's event. Gaps are where streamed text was put together.
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
    /// Text that the job's stream has brought, where that is what happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delta: Option<Delta>,
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
            meta: job.meta.clone(),
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
            partial: job.meta.get(PARTIAL) == Some(&Value::Bool(true)),
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
            delta: event.delta,
            detail: event.detail,
            worker: event.worker,
        }
    }
}
