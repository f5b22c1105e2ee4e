//! `#[websocket]`, checked.

use std::time::Duration;

use emp_syntax::selector::Selector;

use super::{Poll, States};

/// A socket beside the poll.
#[derive(Clone, Debug)]
pub struct Websocket {
    /// The request that opens it, and what its events tell.
    pub channel: Poll,
    /// Whose an event is.
    pub job: Vec<Selector>,
    /// What an event says of the job.
    pub states: States,
    /// The text that an event adds.
    pub delta: Vec<Selector>,
    /// Longest silence.
    pub idle_timeout: Option<Duration>,
}
