//! Runs the plan of a machine: installs what must be installed, starts the services and the workers, starts them again when they end,
//! and ends them all.
//!
//! What is to be done when is decided in [`emp_machine::supervise`], which is pure; here is what does it: processes, pipes, files,
//! sockets. One supervisor runs in a [`Folder`], which holds what others ask it about and what it leaves behind:
//!
//! ```text
//! machine/lock          held while a supervisor runs, and free as soon as it is gone, however it went
//! machine/control.sock  `emp machine status | restart | down`
//! machine/state.json    what runs; read when nobody answers any more
//! machine/logs/*.log    what each process prints, with five older files of each
//! machine/installed/*   which version of what is installed
//! ```
//!
//! **Nothing is left behind.** Every process is started in a group of its own by a [guard], which has the kernel tell it to end
//! when the supervisor is gone. Every process also has a [mark](leftovers::MARK) in its environment, and so has whatever it starts:
//! when a process ends, everything with its mark is ended, and what a killed supervisor left is found by the next `up` or `down`.

mod child;
mod control;
mod folder;
pub mod guard;
mod install;
pub mod leftovers;
mod log;
mod operator;
mod probe;
mod process;
mod site;
mod status;
mod supervisor;

pub use control::{Reply, Request, ask};
pub use folder::Folder;
pub use install::Installation;
pub use log::{Follow, tail};
pub use site::Site;
pub use status::{Health, MachineStatus, ProcessStatus};
pub use supervisor::{Options, Outcome, up};

/// Why a machine cannot run, or could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another supervisor runs in this folder.
    #[error("a machine runs in {folder} already")]
    Runs {
        /// The folder.
        folder: String,
    },
    /// No supervisor runs in this folder.
    #[error("no machine runs in {folder}")]
    Rests {
        /// The folder.
        folder: String,
    },
    /// An installer failed.
    #[error("{0}")]
    Install(String),
    /// What is asked for has no such process.
    #[error("no process or worker is called `{name}`; there are {known}")]
    Unknown {
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
    /// Reading or writing failed.
    #[error("{what}: {error}")]
    Io {
        /// What was done.
        what: String,
        /// Why it failed.
        error: std::io::Error,
    },
}

impl Error {
    fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        |error| Self::Io { what: what.into(), error }
    }

    /// Its code, which stays.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Runs { .. } => "E_MACHINE_RUNS",
            Self::Rests { .. } => "E_MACHINE_RESTS",
            Self::Install(_) => "E_INSTALL",
            Self::Unknown { .. } => "E_UNKNOWN_PROCESS",
            Self::Io { .. } => "E_IO",
        }
    }
}
