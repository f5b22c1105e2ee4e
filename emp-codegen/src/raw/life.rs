//! What surrounds a job from its pace to its end, and the other ways to hear of it, as it was written.
#![allow(missing_docs, reason = "a field is the key of its attribute, and `parse::keys` documents every key")]

use std::time::Duration;

use emp_syntax::json::Json;
use emp_syntax::rule::{CodePattern, Predicate};
use emp_syntax::selector::Selector;
use proc_macro2::Span;

use super::{Given, RawPoll, RawRequest, RawStates};
use crate::spec::{CallBody, CancelScope, CancelStage, Capture, EventAt, Learn, Setting, Spanned, Verify};

/// `#[cancel(..)]`
#[derive(Clone, Debug, Default)]
pub struct RawCancel {
    pub request: RawRequest,
    pub when: Vec<Spanned<(CancelStage, RawRequest)>>,
    pub drop_connection: Option<Span>,
    pub scope: Given<CancelScope>,
    pub only_if: Given<()>,
    pub ok: Vec<CodePattern>,
    pub too_late: Vec<CodePattern>,
    pub gone: Vec<CodePattern>,
}

/// `#[cleanup(..)]`
#[derive(Clone, Debug, Default)]
pub struct RawCleanup {
    pub request: RawRequest,
    pub when: Given<Predicate>,
}

/// `#[pace(..)]`
#[derive(Clone, Debug, Default)]
pub struct RawPace {
    pub first: Given<Duration>,
    pub min: Given<Duration>,
    pub max: Given<Duration>,
    pub factor: Given<f64>,
    pub jitter: Given<f64>,
    pub while_queued: Given<Duration>,
    pub advice: Vec<Selector>,
    pub deadline: Given<Setting<Duration>>,
    pub queued: Given<Setting<Duration>>,
    pub running: Given<Setting<Duration>>,
    pub eta: Given<Vec<Selector>>,
    pub learn: Given<Learn>,
    pub max_unknown: Given<u32>,
}

/// `#[limits(..)]`
#[derive(Clone, Debug, Default)]
pub struct RawLimits {
    pub rate: Given<(u32, Duration)>,
    pub in_flight: Given<Setting<u32>>,
    pub attempts: Given<Setting<u32>>,
    pub max_body: Given<u64>,
    pub max_response: Given<u64>,
    pub max_file: Given<u64>,
    pub max_total: Given<u64>,
}

/// `#[health(..)]`
#[derive(Clone, Debug, Default)]
pub struct RawHealth {
    pub request: RawRequest,
    pub every: Given<Duration>,
    pub ready: Option<Predicate>,
    pub metrics: Vec<Capture>,
}

/// `#[stream(..)]`
#[derive(Clone, Debug, Default)]
pub struct RawStream {
    pub format: Given<RawStreamFormat>,
    pub when: Given<Predicate>,
    pub json: Given<Json>,
    pub delta: Vec<Selector>,
    pub done: Option<Predicate>,
    pub end: Option<String>,
    pub error: Vec<Selector>,
    pub idle_timeout: Given<Duration>,
}

/// Where a stream's events come from.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant, reason = "one of it lives for one expansion")]
pub enum RawStreamFormat {
    Sse,
    Ndjson,
    Chunks(RawChunks),
}

/// `chunks(..)`
#[derive(Clone, Debug, Default)]
pub struct RawChunks {
    pub request: RawRequest,
    pub items: Given<Selector>,
}

/// `#[webhook(..)]`
#[derive(Clone, Debug, Default)]
pub struct RawWebhook {
    pub verify: Given<Verify>,
    pub body: Given<CallBody>,
    pub events: Given<Vec<Spanned<String>>>,
    pub event: Given<EventAt>,
}

/// `#[websocket(..)]`
#[derive(Clone, Debug, Default)]
pub struct RawWebsocket {
    pub channel: RawPoll,
    pub job: Vec<Selector>,
    pub states: RawStates,
    pub delta: Vec<Selector>,
    pub idle_timeout: Given<Duration>,
}
