//! Calls of services: a job has news. What a call carries is thrown away; whoever has the job looks for itself.

use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use emp_core::job::JobId;
use emp_engine::webhook::is_token;
use futures_util::StreamExt;

use crate::code::Code;
use crate::problem::Refusal;
use crate::state::ApiState;

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
    // Read so that the caller can finish, within the limits of every request.
    let mut body = request.into_body().into_data_stream();
    let mut left = state.limits.body;
    let read = async {
        while let Some(Ok(piece)) = body.next().await {
            left = left.checked_sub(piece.len())?;
        }
        Some(())
    };
    match tokio::time::timeout(state.limits.body_timeout, read).await {
        Ok(Some(())) => {}
        Ok(None) => {
            let detail = format!("a call may have {} bytes", state.limits.body);
            return Err(Refusal::new(Code::TooLarge, detail));
        }
        Err(_) => return Err(Refusal::new(Code::RequestTimeout, "the call did not end in time")),
    }
    // A call for a job that has ended is late and no mistake: services call more than once.
    let told = state.store.nudge(&id).await?;
    tracing::debug!(job = %id, told, "a service has called");
    Ok(StatusCode::NO_CONTENT.into_response())
}
