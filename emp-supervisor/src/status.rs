//! What runs on a machine now, as others see it.

use emp_core::Timestamp;
use emp_machine::supervise::State;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The version of [`MachineStatus`]'s shape: adding a field leaves it, taking one away raises it.
pub(crate) const SCHEMA_VERSION: u32 = 1;

/// What runs on a machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "EMP machine status")]
pub struct MachineStatus {
    /// The version of this shape.
    pub schema_version: u32,
    /// The run's mark, which all its processes have.
    pub run: String,
    /// The supervisor; `null` when it has gone and this is what it last said.
    pub pid: Option<u32>,
    /// When it began.
    pub since: Timestamp,
    /// Everything is being ended.
    pub stopping: bool,
    /// The processes, services first.
    pub processes: Vec<ProcessStatus>,
}

/// A process of a machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProcessStatus {
    /// Its name.
    pub name: String,
    /// `service` or `worker`.
    pub role: String,
    /// The worker that it belongs to.
    pub worker: String,
    /// Where it is.
    pub state: State,
    /// Whether it answers.
    pub health: Health,
    /// Its process.
    pub pid: Option<u32>,
    /// When that began, in seconds since 1970: with the pid it names one process only.
    pub began: Option<u64>,
    /// How often it was started again.
    pub restarts: u32,
    /// Since when it is where it is.
    pub since: Timestamp,
    /// Why it is not up, or what last went wrong.
    pub reason: Option<String>,
    /// Where it listens.
    pub ports: Vec<u16>,
    /// The GPU that it computes on.
    pub gpu: Option<u32>,
    /// How many jobs it has at once, when it has jobs.
    pub slots: Option<u32>,
}

/// Whether a process answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// It does.
    Healthy,
    /// It does not.
    Unhealthy,
    /// It has no way to say so.
    Unknown,
}

impl Health {
    /// Its word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Unhealthy => "unhealthy",
            Self::Unknown => "unknown",
        }
    }
}

impl MachineStatus {
    /// Everything is up.
    pub fn is_up(&self) -> bool {
        self.pid.is_some() && self.processes.iter().all(|process| process.state == State::Up)
    }
}
