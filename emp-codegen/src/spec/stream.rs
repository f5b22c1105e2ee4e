//! `#[stream]`, checked.

use std::time::Duration;

use emp_syntax::json::Json;
use emp_syntax::rule::Predicate;
use emp_syntax::selector::Selector;

use super::Request;

/// How the output comes piece by piece.
#[derive(Clone, Debug)]
pub struct Stream {
    /// Where the events come from.
    pub format: StreamFormat,
    /// Which jobs are streamed.
    pub when: Option<Predicate>,
    /// What the body of a streamed submit has more.
    pub body: Option<Json>,
    /// The text that an event adds.
    pub delta: Vec<Selector>,
    /// The last event.
    pub done: Option<Predicate>,
    /// The text that is the end.
    pub end: Option<String>,
    /// An error in an event.
    pub error: Vec<Selector>,
    /// Longest silence.
    pub idle_timeout: Option<Duration>,
}

/// Where the events of a stream come from.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant)] // one per connector, at compile time
pub enum StreamFormat {
    /// Server-sent events.
    Sse,
    /// Lines of JSON.
    Ndjson,
    /// A route beside the poll.
    Chunks {
        /// The request.
        request: Request,
        /// The new pieces.
        items: Selector,
    },
}
