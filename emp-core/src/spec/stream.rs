//! Answers that come piece by piece.

use std::time::Duration;

use emp_syntax::json::Json;
use emp_syntax::rule::Predicate;
use emp_syntax::selector::Selector;

use super::RequestSpec;

/// How a job's output comes piece by piece. Every event is judged by the connector's `states`, as any answer is.
#[derive(Clone, Debug)]
pub struct Stream {
    /// Where the events come from.
    pub format: StreamFormat,
    /// Looks at the payload: whether this job is streamed. All are when absent.
    pub when: Option<Predicate>,
    /// Members that a streamed submit's body has more, and later than its own.
    pub body: Option<Json>,
    /// In an event: the text that it adds.
    pub delta: &'static [Selector],
    /// An event for which this holds is the last one.
    pub done: Option<Predicate>,
    /// An event with exactly this text is the end, and no data: `[DONE]`.
    pub end: Option<&'static str>,
    /// In an event: an error of the service, though the answer's code said success.
    pub error: &'static [Selector],
    /// Longest silence between two pieces.
    pub idle_timeout: Duration,
}

impl Stream {
    /// What `idle_timeout` is when nothing is said.
    pub const IDLE: Duration = Duration::from_mins(1);
}

/// Where the events of a stream come from.
#[derive(Clone, Debug)]
#[non_exhaustive]
#[allow(clippy::large_enum_variant)] // as `Protocol`
pub enum StreamFormat {
    /// The submit's answer is server-sent events; the data of each is an event.
    Sse,
    /// The submit's answer is lines; each is an event.
    Ndjson,
    /// A route beside the poll gives what is new since the last time.
    Chunks {
        /// The request.
        request: RequestSpec,
        /// The new pieces in its answer.
        items: Selector,
    },
}

impl StreamFormat {
    /// The submit's answer itself is the stream.
    pub fn of_submit(&self) -> bool {
        matches!(self, Self::Sse | Self::Ndjson)
    }
}
