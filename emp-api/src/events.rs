//! `GET /api/jobs/{id}/events`: what happened to a job, as it happens or all at once.

use std::collections::VecDeque;
use std::convert::Infallible;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::sse::{self, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use emp_core::job::{Event, JobId};
use futures_util::{FutureExt, Stream, stream};
use tokio::sync::OwnedSemaphorePermit;

use crate::code::Code;
use crate::jobs::{JobPath, no_such_job};
use crate::problem::Refusal;
use crate::state::ApiState;
use crate::view::EventView;

/// Streams a job's events until it ends; or, when the client accepts only JSON, lists them.
pub(crate) async fn events(
    State(state): State<ApiState>,
    JobPath(id): JobPath,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let after = last_event_id(&headers)?;
    let Some(seen) = state.store.events(&id, after).await? else { return Err(no_such_job()) };
    if wants_json(&headers) {
        let events: Vec<EventView> = seen.into_iter().map(EventView::from).collect();
        return Ok(Json(events).into_response());
    }
    // 204 is how a server tells an EventSource that came back after the end to stay away.
    let ended = seen.is_empty() && state.store.get(&id).await?.is_none_or(|job| job.state.terminal());
    if ended {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let Ok(permit) = state.streams.clone().try_acquire_owned() else {
        return Err(
            Refusal::new(Code::Busy, "too many event streams are open; poll the job instead").retry_after(5)
        );
    };
    let keep_alive = KeepAlive::new().interval(state.limits.keep_alive);
    let follower = Follower { state, id, after, pending: seen.into(), ended: false, _permit: permit };
    Ok(Sse::new(follower.stream()).keep_alive(keep_alive).into_response())
}

/// One client that follows one job.
struct Follower {
    state: ApiState,
    id: JobId,
    /// The last event that was sent.
    after: u64,
    pending: VecDeque<Event>,
    ended: bool,
    _permit: OwnedSemaphorePermit,
}

impl Follower {
    fn stream(self) -> impl Stream<Item = Result<sse::Event, Infallible>> {
        stream::unfold(self, |mut follower| async move {
            let event = follower.next().await?;
            Some((Ok(event), follower))
        })
    }

    /// The next event; `None` after the terminal one, when the server stops, and when the store fails: the client comes back with
    /// the last id it saw and misses nothing.
    async fn next(&mut self) -> Option<sse::Event> {
        loop {
            if let Some(event) = self.pending.pop_front() {
                self.after = event.seq;
                self.ended = event.state.terminal();
                return sse::Event::default()
                    .id(event.seq.to_string())
                    .event(event.kind.as_str())
                    .json_data(EventView::from(event))
                    .ok();
            }
            if self.ended || self.state.stop.is_cancelled() {
                return None;
            }
            self.look().await?;
        }
    }

    /// Looks for news, and waits for some when there is none.
    async fn look(&mut self) -> Option<()> {
        let store = self.state.store.clone();
        // Armed before the look, so that a change between the look and the wait is not slept through.
        let mut changed = store.changed().fuse();
        let already = futures_util::poll!(&mut changed).is_ready();
        match store.events(&self.id, self.after).await {
            Ok(Some(events)) if !events.is_empty() => self.pending = events.into(),
            Ok(Some(_)) if already => {}
            Ok(Some(_)) => {
                tokio::select! {
                    () = &mut changed => {}
                    () = tokio::time::sleep(self.state.limits.look_again) => {}
                    () = self.state.stop.cancelled() => {}
                }
            }
            Ok(None) => return None,
            Err(error) => {
                tracing::warn!(job = %self.id, %error, "an event stream ends: the store does not answer");
                return None;
            }
        }
        Some(())
    }
}

fn last_event_id(headers: &HeaderMap) -> Result<u64, Refusal> {
    let Some(value) = headers.get("last-event-id") else { return Ok(0) };
    value.to_str().ok().and_then(|text| text.parse().ok()).ok_or_else(|| {
        Refusal::new(
            Code::BadHeader,
            "the header `Last-Event-ID` must be the `seq` of an event, a whole number",
        )
    })
}

fn wants_json(headers: &HeaderMap) -> bool {
    let accepts = |wanted: &str| {
        headers.get_all(header::ACCEPT).iter().filter_map(accepted).any(|list| list.contains(wanted))
    };
    accepts("application/json") && !accepts("text/event-stream")
}

fn accepted(value: &HeaderValue) -> Option<String> {
    value.to_str().ok().map(str::to_ascii_lowercase)
}
