//! What is wrong with a plan: all of it at once, each with a fix.

use std::fmt;

/// Code of a fault in the text of `WORKERS`.
pub const WORKERS: &str = "E_WORKERS";
/// Code of a fault between the mapping and the registry of this binary.
pub const MAPPING: &str = "E_MAPPING";
/// Code of a fault of the environment.
pub const ENVIRONMENT: &str = "E_ENVIRONMENT";

/// One thing that keeps the workers from starting. Never holds the value of a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanFault {
    /// The stable code.
    pub code: &'static str,
    /// What is wrong and where.
    pub message: String,
    /// One fix.
    pub help: String,
}

impl PlanFault {
    /// A fault with its fix.
    pub fn new(code: &'static str, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { code, message: message.into(), help: help.into() }
    }
}

impl fmt::Display for PlanFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; {}", self.code, self.message, self.help)
    }
}

/// Why no worker can start: every fault of all of them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct PlanError(pub Vec<PlanFault>);

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            fault.fmt(f)?;
        }
        Ok(())
    }
}
