//! Calls of services: a job has news. Who may call is told by the token in the URL; what a call says is believed as far as the job's
//! connector declares how it is proven.

use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use emp_core::Timestamp;
use emp_core::job::{Job, JobId};
use emp_engine::webhook::{Heard, Receivers, is_token};
use futures_util::StreamExt;

use crate::code::Code;
use crate::problem::Refusal;
use crate::state::{ApiState, Limits};

/// The beginning of the paths that services call; the token in them is who may.
pub(crate) const PREFIX: &str = "/api/webhooks/";

/// The same answer to a wrong token, an unknown job and a server that takes no calls: nothing is learnt by trying.
fn unknown() -> Refusal {
    Refusal::new(Code::NoSuchJob, "no job is waiting for a call at this URL")
}

/// Takes a call.
pub(crate) async fn receive(
    State(state): State<ApiState>,
    Path((id, token)): Path<(String, String)>,
    request: Request,
) -> Result<Response, Refusal> {
    let id: JobId = id.parse().map_err(|_| unknown())?;
    let key = state.webhook_key.as_ref().ok_or_else(unknown)?;
    if !is_token(key, &id, &token) {
        return Err(unknown());
    }
    let (head, body) = request.into_parts();
    let body = read(body, &state.limits).await?;
    // A call for a job that has ended is late and no mistake: services call more than once.
    if let Some(job) = state.store.get(&id).await? {
        let call = match heard(&state.receivers, &job, &head.headers, &body, state.store.now())? {
            Heard::Call(call) => Some(call),
            Heard::News => None,
            Heard::PassedOver => return Ok(StatusCode::NO_CONTENT.into_response()),
        };
        let told = state.store.nudge(&id, call).await?;
        tracing::debug!(job = %id, told, "a service has called");
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// What a call is, as the connector that has submitted the job declares it.
fn heard(
    receivers: &Receivers,
    job: &Job,
    headers: &HeaderMap,
    body: &[u8],
    now: Timestamp,
) -> Result<Heard, Refusal> {
    // Of a job that nobody has begun with, nothing is out.
    let connector = job.intent.as_ref().map(|intent| intent.connector.as_str());
    let receiver = connector.and_then(|connector| receivers.get(connector));
    receiver.map_or(Ok(Heard::News), |receiver| receiver.hear(headers, body, now)).map_err(|unproven| {
        tracing::warn!(job = %job.id, connector, %unproven, "a call that is not proven to be the service's is refused");
        Refusal::new(Code::NotProven, unproven.to_string())
    })
}

/// The body, within the limits of every request.
async fn read(body: Body, limits: &Limits) -> Result<Vec<u8>, Refusal> {
    let mut pieces = body.into_data_stream();
    let mut whole = Vec::new();
    let read = async {
        while let Some(Ok(piece)) = pieces.next().await {
            if whole.len() + piece.len() > limits.body {
                return None;
            }
            whole.extend_from_slice(&piece);
        }
        Some(())
    };
    match tokio::time::timeout(limits.body_timeout, read).await {
        Ok(Some(())) => Ok(whole),
        Ok(None) => Err(Refusal::new(Code::TooLarge, format!("a call may have {} bytes", limits.body))),
        Err(_) => Err(Refusal::new(Code::RequestTimeout, "the call did not end in time")),
    }
}
