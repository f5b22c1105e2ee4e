//! Where a process is, what happens to it, and what is to be done.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where a process is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// What it needs is not there yet.
    Waiting,
    /// It runs and does not answer yet.
    Starting,
    /// It runs and answers.
    Up,
    /// It runs and has stopped answering.
    Sick,
    /// It has ended by itself, and is started again after a while.
    Delayed,
    /// It has been told to end.
    Stopping,
    /// It has ended as it was told to.
    Stopped,
    /// It has ended, and starting it again would not help.
    Failed,
}

impl State {
    /// Its word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Starting => "starting",
            Self::Up => "up",
            Self::Sick => "sick",
            Self::Delayed => "delayed",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
        }
    }

    /// There is a process.
    pub fn runs(self) -> bool {
        matches!(self, Self::Starting | Self::Up | Self::Sick | Self::Stopping)
    }

    /// Nothing will happen to it any more.
    pub fn rests(self) -> bool {
        matches!(self, Self::Stopped | Self::Failed)
    }
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// By itself, with a code.
    Code(i32),
    /// By a signal.
    Signal(i32),
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "it ended with exit code {code}"),
            Self::Signal(signal) => write!(f, "it was ended by signal {signal}"),
        }
    }
}

/// What has happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// What it needs is there.
    Go,
    /// It could not be started.
    NotStarted(String),
    /// It was asked whether it is well, and answered or did not.
    Asked(Result<(), String>),
    /// It has ended.
    Ended(Ending),
    /// Somebody wants it started again.
    Restart,
    /// Somebody wants it ended.
    Stop,
    /// Somebody wants it ended at once.
    Kill,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Start it.
    Start,
    /// Tell it to end.
    Terminate,
    /// End it.
    Kill,
}
