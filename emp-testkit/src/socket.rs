//! The fake's socket: tells how a job is whenever that has changed.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use emp_core::spec::{HttpProtocol, Websocket};
use emp_core::syntax::rule::StateVerdict;
use futures_util::{SinkExt, StreamExt};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::Role;

use crate::answer;
use crate::draft::Draft;
use crate::job::{View, VirtualJob};
use crate::state::Service;

/// Between two looks at the job, in real time.
const LOOK: Duration = Duration::from_millis(5);

/// What a socket that was opened tells.
#[derive(Clone, Debug)]
pub(crate) struct Telling {
    /// The job that it was opened for; the newest when the request names none.
    pub(crate) job: Option<String>,
    /// The connection breaks behind so many events.
    pub(crate) breaks_after: Option<usize>,
}

/// Tells until the client goes, the connection breaks or the fake ends.
pub(crate) async fn tell(upgrade: OnUpgrade, shared: Weak<Mutex<Service>>, telling: Telling) {
    let Ok(upgraded) = upgrade.await else { return };
    let mut socket = WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, None).await;
    let (mut last, mut told) = (None, 0);
    loop {
        let Some(shared) = shared.upgrade() else { return };
        let now = event(&shared, &telling, &mut last);
        if let Some(text) = now {
            if socket.send(Message::text(text)).await.is_err() {
                return;
            }
            told += 1;
            if telling.breaks_after.is_some_and(|most| told >= most) {
                return;
            }
        }
        drop(shared);
        tokio::select! {
            // Reading answers the client's pings.
            message = socket.next() => if !matches!(message, Some(Ok(_))) { return },
            () = tokio::time::sleep(LOOK) => {}
        }
    }
}

/// What has changed since the last time, as the declaration reads it.
fn event(shared: &Arc<Mutex<Service>>, telling: &Telling, last: &mut Option<View>) -> Option<String> {
    let service = shared.lock().unwrap_or_else(PoisonError::into_inner);
    let (http, job, view) = service.watched(telling.job.as_deref())?;
    if last
        .as_ref()
        .is_some_and(|last| last.verdict == view.verdict && (last.fraction - view.fraction).abs() < 0.05)
    {
        return None;
    }
    let text = of(http, http.websocket.as_ref()?, job, &view);
    *last = Some(view);
    text
}

fn of(http: &HttpProtocol, socket: &Websocket, job: &VirtualJob, view: &View) -> Option<String> {
    let mut draft = Draft { body: json!({}), ..Draft::new(200) };
    let said = draft.express(&socket.states, &view.verdict)
        || (view.verdict == StateVerdict::Queued && draft.express(&socket.states, &StateVerdict::Running));
    draft.put_first(socket.job, &job.id.as_str().into());
    if matches!(view.verdict, StateVerdict::Queued | StateVerdict::Running) {
        answer::progress(&socket.channel, view, &mut draft);
    } else if !said {
        return None;
    }
    if matches!(view.verdict, StateVerdict::Failed { .. }) {
        draft.put_first(http.errors.message, &"the fake service was told to fail this job".into());
    }
    Some(draft.text())
}
