//! `#[websocket]`.

use syn::parse::ParseStream;

use super::keys::WEBSOCKET;
use super::protocol::state_key;
use super::request;
use super::selector::selectors;
use super::value::{self, given};
use super::walk::{Context, items};
use crate::raw::RawWebsocket;

pub(super) fn websocket(input: ParseStream, context: &Context<'_>) -> RawWebsocket {
    let mut raw = RawWebsocket::default();
    items(input, &WEBSOCKET, &context.sink, |met, input| {
        let RawWebsocket { channel, job, states, delta, idle_timeout } = &mut raw;
        match met.name {
            "progress" => channel.progress = selectors(input, context)?,
            "progress_text" => channel.progress_text = selectors(input, context)?,
            "queue_position" => channel.queue_position = selectors(input, context)?,
            "eta" => channel.eta = selectors(input, context)?,
            "job" => *job = selectors(input, context)?,
            "delta" => *delta = selectors(input, context)?,
            "idle_timeout" => *idle_timeout = given(met, input, value::duration)?,
            _ if request::key(&mut channel.request, met, input, context)? => {}
            _ => state_key(states, met, input, context)?,
        }
        Ok(())
    });
    raw
}
