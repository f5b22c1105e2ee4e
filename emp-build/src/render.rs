//! Reports as texts: for people, for programs, for a forge.

mod github;
mod human;

pub use github::github;
pub use human::{SHOWN, human};

use crate::finding::Report;

/// The report as JSON, all of it: `{"schema_version":1,"findings":[..]}`.
pub fn json(report: &Report) -> String {
    // A report is texts and numbers, which always serialise.
    serde_json::to_string_pretty(report).unwrap_or_default()
}
