//! A socket beside the poll.

use std::time::Duration;

use emp_syntax::selector::Selector;

use super::{Poll, States};

/// A socket on which the service tells how its jobs are, beside the poll.
///
/// What it says makes progress visible at once. The truth is the poll's: a final word makes it ask, and so does every connection
/// that comes or goes.
#[derive(Clone, Debug)]
pub struct Websocket {
    /// The request that opens it, and what an event tells of the progress, as a poll's answer does.
    pub channel: Poll,
    /// In an event: the service job that it is about. Events about others are passed over; those about none are everybody's.
    pub job: &'static [Selector],
    /// What an event says of the job. A word that nobody declared says nothing.
    pub states: States,
    /// In an event: text that it adds to the output.
    pub delta: &'static [Selector],
    /// Longest silence, answers to pings included; then the connection is made anew.
    pub idle_timeout: Duration,
}

impl Websocket {
    /// What `idle_timeout` is when nothing is said.
    pub const IDLE: Duration = Duration::from_mins(1);
}
