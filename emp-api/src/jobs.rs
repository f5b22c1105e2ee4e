//! `/api/jobs`: looking at jobs and cancelling them.

use axum::Json;
use axum::extract::{FromRequestParts, Path, RawQuery, Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use emp_core::job::{Job, JobId, JobState};
use emp_store::CancelAnswer;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::body;
use crate::code::Code;
use crate::problem::{Refusal, Violation};
use crate::query::{self, Filter};
use crate::state::ApiState;
use crate::view::{JobPage, JobSummary, JobView};

/// Longest reason of a cancel, in characters.
const MAX_REASON: usize = 500;

/// The job that a path names, spelt exactly as the API spells it: an id has one URL.
pub(crate) struct JobPath(pub(crate) JobId);

impl<S: Send + Sync> FromRequestParts<S> for JobPath {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let text = Path::<String>::from_request_parts(parts, state).await.map_err(|_| no_such_job())?;
        text.parse().ok().filter(|id: &JobId| id.as_str() == *text).map(Self).ok_or_else(no_such_job)
    }
}

pub(crate) fn no_such_job() -> Refusal {
    Refusal::new(Code::NoSuchJob, "no job has this id; list the jobs with GET /api/jobs")
}

/// Why a job is cancelled.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CancelBody {
    /// In words, kept with the job.
    #[serde(default)]
    #[schemars(length(max = 500))]
    pub reason: Option<String>,
}

/// Lists jobs, newest first.
pub(crate) async fn list(
    State(state): State<ApiState>,
    RawQuery(query): RawQuery,
) -> Result<Json<JobPage>, Refusal> {
    let filter = Filter::parse(query.as_deref().unwrap_or_default())?;
    let Some(wanted) = filter.query.clone() else {
        return Ok(Json(JobPage { jobs: Vec::new(), next: None }));
    };
    let page = state.store.list(wanted).await?;
    let next = page.next.map(|before| filter.cursor(before));
    Ok(Json(JobPage { jobs: page.jobs.into_iter().map(JobSummary::from).collect(), next }))
}

/// Shows a job.
pub(crate) async fn get(
    State(state): State<ApiState>,
    JobPath(id): JobPath,
    RawQuery(query): RawQuery,
) -> Result<Json<JobView>, Refusal> {
    query::none(query.as_deref())?;
    Ok(Json(find(&state, &id).await?.into()))
}

/// Gives a job's result, and nothing else.
pub(crate) async fn result(
    State(state): State<ApiState>,
    JobPath(id): JobPath,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Refusal> {
    query::none(query.as_deref())?;
    let job = find(&state, &id).await?;
    match (job.state, job.result) {
        (JobState::Succeeded, result) => Ok(Json(result.unwrap_or(Value::Null))),
        (ended, _) if ended.terminal() => {
            let why = job.error.as_ref().map_or_else(|| format!("the job is {ended}"), ToString::to_string);
            let refusal = Refusal::new(Code::NotSucceeded, why).state(ended);
            Err(job.error.iter().fold(refusal, Refusal::because_of))
        }
        (state, _) => {
            let detail = format!("the job is {state}; wait for it with GET /api/jobs/{id}/events");
            Err(Refusal::new(Code::NotDone, detail).state(state))
        }
    }
}

/// Records a wish to cancel.
pub(crate) async fn cancel(
    State(state): State<ApiState>,
    JobPath(id): JobPath,
    request: Request,
) -> Result<Response, Refusal> {
    let reason = match body::read_optional_json(request, &state.limits).await? {
        Some(body) => reason(body)?,
        None => None,
    };
    match state.store.cancel(&id, "api", reason.as_deref()).await? {
        CancelAnswer::Recorded(job) => Ok((StatusCode::ACCEPTED, Json(JobView::from(job))).into_response()),
        CancelAnswer::TooLate(job) => {
            let detail = format!("the job is {} already", job.state);
            Err(Refusal::new(Code::TooLate, detail).state(job.state))
        }
        CancelAnswer::NotFound => Err(no_such_job()),
    }
}

async fn find(state: &ApiState, id: &JobId) -> Result<Job, Refusal> {
    state.store.get(id).await?.ok_or_else(no_such_job)
}

fn reason(body: Value) -> Result<Option<String>, Refusal> {
    let body: CancelBody = serde_json::from_value(body).map_err(|error| {
        Refusal::new(Code::Invalid, format!("{error}; send {{\"reason\": \"..\"}} or no body"))
    })?;
    match body.reason {
        Some(reason) if reason.chars().nth(MAX_REASON).is_some() => {
            let violation = Violation {
                pointer: "/reason".to_owned(),
                detail: format!("has {} characters", reason.chars().count()),
                expected: Some(format!("at most {MAX_REASON} characters")),
            };
            Err(Refusal::new(Code::Invalid, "the reason is too long").errors(vec![violation]))
        }
        reason => Ok(reason),
    }
}
