//! What is wrong with a plan: all of it at once, each with a fix.

use std::fmt;

use emp_syntax::nearest;

use super::WorkerEntry;
use crate::connector::Registry;
use crate::mapping::Mapping;

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

    /// `WORKERS` asks for a worker that the mapping does not have.
    pub fn unknown_worker(entry: &WorkerEntry, mapping: &Mapping) -> Self {
        let names: Vec<&str> = mapping.workers.keys().map(String::as_str).collect();
        Self::new(
            WORKERS,
            format!("WORKERS column {}: the mapping has no worker `{}`", entry.column, entry.name),
            match nearest(&entry.name, names.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None if names.is_empty() => {
                    "the mapping has no workers at all: add one under `workers`".to_owned()
                }
                None => format!("it has `{}`", names.join("`, `")),
            },
        )
    }

    /// A worker names a connector that this binary does not have.
    pub fn unknown_connector(worker: &str, connector: &str, registry: &Registry) -> Self {
        let names = registry.entries().iter().map(|entry| entry.spec.name);
        Self::new(
            MAPPING,
            format!("worker `{worker}` needs connector `{connector}`, which this binary does not have"),
            match nearest(connector, names) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "put its file into `connectors/` and build again".to_owned(),
            },
        )
    }

    /// A worker that no job can ask for.
    pub fn no_service(worker: &str) -> Self {
        Self::new(
            MAPPING,
            format!("worker `{worker}` offers no service, so it would wait for ever"),
            "add an entry to its `service` list in the mapping",
        )
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
