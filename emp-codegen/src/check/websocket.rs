//! `#[websocket]`: beside a poll, and not without something to tell.

use super::{protocol, states, value};
use crate::catalogue::stream::SOCKET;
use crate::diag::{Diagnostic, Sink};
use crate::raw::RawSpec;
use crate::spec::{Poll, Spanned, Target, Websocket};

pub(super) fn websocket(raw: &RawSpec, sink: &Sink) -> Option<Websocket> {
    let given = raw.websocket.as_ref()?;
    let socket = &given.value;
    if raw.poll.is_none() {
        sink.report(
            Diagnostic::new(SOCKET, given.key, "a socket without a poll has nobody to ask for the truth")
                .help("declare `#[poll(get = \"/jobs/{job.id}\")]`, and take the result from its answer"),
        );
    }
    if let Some(Spanned { value: (_, Target::Captured(_)), span, .. }) = &socket.channel.request.target {
        sink.report(
            Diagnostic::new(SOCKET, *span, "a socket is opened at the base")
                .help("write a path below the base: `get = \"/ws\"`"),
        );
    }
    let tells = [
        &socket.channel.progress,
        &socket.channel.progress_text,
        &socket.channel.queue_position,
        &socket.channel.eta,
        &socket.delta,
    ];
    let silent = tells.iter().all(|selectors| selectors.is_empty());
    if silent && socket.states.sets.is_empty() && socket.states.rules.is_empty() {
        sink.report(
            Diagnostic::new(SOCKET, given.key, "nothing is taken from this socket's events")
                .help("add `progress = ..`, `rules(..)` or words such as `succeeded = [\"done\"]`"),
        );
    }
    let channel = Spanned { value: socket.channel.clone(), key: given.key, span: given.span };
    let channel: Poll = protocol::poll(&channel, sink)?;
    Some(Websocket {
        channel,
        job: socket.job.clone(),
        states: states::of_events(&socket.states, sink),
        delta: socket.delta.clone(),
        idle_timeout: value(socket.idle_timeout.as_ref()),
    })
}
