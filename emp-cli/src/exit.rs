//! How a command ends: fixed exit codes, and errors that say what to do.

use std::process::ExitCode;

/// The exit codes, for scripts; they do not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done, and the answer is yes.
    Ok = 0,
    /// It ran, and the answer is no: a job failed, a test failed.
    No = 1,
    /// Wrong usage.
    Usage = 2,
    /// Configuration, mapping or environment not valid.
    Config = 3,
    /// Authentication or permission.
    Auth = 4,
    /// Not found.
    NotFound = 5,
    /// Wrong state, key used for another body, or generated files that are not fresh.
    Conflict = 6,
    /// The store or the API is not reachable; a retry may help.
    Unreachable = 7,
    /// Outcome uncertain: a submit may have been accepted and billed.
    Uncertain = 9,
    /// A mistake of ours.
    Bug = 70,
    /// The time given with `--timeout` is over; the job goes on.
    TimedOut = 124,
    /// Ended by Ctrl-C.
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a command could not do what it was asked: what, and one thing to do.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
}

impl Failure {
    pub(crate) fn new(exit: Exit, code: &str, message: impl Into<String>) -> Self {
        Self { exit, code: code.to_owned(), message: message.into(), help: None }
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Input or output of this process itself failed.
    pub(crate) fn io(what: &str, error: &std::io::Error) -> Self {
        Self::new(Exit::Config, "E_IO", format!("{what}: {error}"))
    }
}

impl From<emp_store::StoreError> for Failure {
    fn from(error: emp_store::StoreError) -> Self {
        use emp_store::StoreError;
        let text = error.to_string();
        let (code, message) = text.split_once(": ").unwrap_or(("E_STORE", &text));
        let exit = match error {
            StoreError::Url(_) | StoreError::Version(_) | StoreError::Unsafe(_) => Exit::Config,
            StoreError::Down(_)
            | StoreError::Full(_)
            | StoreError::Crowded(_)
            | StoreError::Unreplicated(_)
            | StoreError::Corrupt(_)
            | StoreError::Reset(_) => Exit::Unreachable,
        };
        Self::new(exit, code, message)
    }
}
