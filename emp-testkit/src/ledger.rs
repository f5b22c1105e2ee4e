//! What a fake service has accepted: the far side's own count, to compare with the queue's.

use std::collections::HashMap;

use emp_core::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::fault::Step;

/// With this begins what a test writes into a payload to know its submit again, at a service that is not told the queue's id.
pub const MARK: &str = "emp-mark-";

/// The mark in a body, if there is one.
pub(crate) fn mark(body: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(body);
    let marked = &text[text.find(MARK)?..];
    Some(marked.chars().take_while(|sign| sign.is_ascii_alphanumeric() || *sign == '-').collect())
}

/// A submit that the service accepted, so one that would have cost money.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accepted {
    /// The service job's id.
    pub id: String,
    /// The idempotency key that it came with.
    pub key: Option<String>,
    /// The id that the client assigned.
    pub assigned_id: Option<String>,
    /// The queue's own job id, where the declaration sends it.
    pub queue_job_id: Option<String>,
    /// What begins with [`MARK`] in the body, up to the first sign that is no letter, digit or `-`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mark: Option<String>,
    /// SHA-256 of the body, in hex.
    pub digest: String,
    /// When, by the fake's clock.
    pub at: Timestamp,
    /// Resends that were merged into it: same key, same body.
    pub merged: u32,
}

/// A request of a prepare step that the service accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prepared {
    /// What the answer gave, by the names under which it is captured.
    pub captured: Map<String, Value>,
    /// SHA-256 of the body, in hex.
    pub digest: String,
    /// When, by the fake's clock.
    pub at: Timestamp,
}

/// The accepted submits, in order. Serialised at `/__fake/ledger`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    /// One entry for each accepted submit.
    pub entries: Vec<Accepted>,
    /// One entry for each request of a prepare step that was accepted; they cost nothing.
    #[serde(default)]
    pub prepared: Vec<Prepared>,
    /// Submits refused since their key came with another body.
    pub conflicts: u32,
}

impl Ledger {
    /// How many submits were accepted, that is paid for.
    pub fn accepted(&self) -> usize {
        self.entries.len()
    }

    /// How many resends were merged into an accepted submit.
    pub fn merged(&self) -> u32 {
        self.entries.iter().map(|entry| entry.merged).sum()
    }

    /// The submits that were accepted for one job of the queue; empty as well when the declaration does not send the queue's id.
    pub fn of_job(&self, queue_job_id: &str) -> impl Iterator<Item = &Accepted> {
        self.entries.iter().filter(move |entry| entry.queue_job_id.as_deref() == Some(queue_job_id))
    }

    /// The submits that were accepted with a mark in their body.
    pub fn of_mark(&self, mark: &str) -> impl Iterator<Item = &Accepted> {
        self.entries.iter().filter(move |entry| entry.mark.as_deref() == Some(mark))
    }

    /// The accepted submit with a service job id.
    pub fn get(&self, id: &str) -> Option<&Accepted> {
        self.entries.iter().find(|entry| entry.id == id)
    }

    /// The most submits that were accepted for any one job of the queue.
    pub fn most_for_one_job(&self) -> usize {
        let mut counts = HashMap::new();
        for job in self.entries.iter().filter_map(|entry| entry.queue_job_id.as_deref()) {
            *counts.entry(job).or_insert(0) += 1;
        }
        counts.into_values().max().unwrap_or(0)
    }
}

/// A request as it came. Headers and bodies are not kept: they may hold what nobody should see.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// The step it was taken for; `None` for a request that no part of the declaration makes.
    pub step: Option<Step>,
    /// `GET`, `POST`, …
    pub method: String,
    /// Path and query, as they came.
    pub target: String,
    /// The credential was there, in its place and of the declared shape.
    pub authorized: bool,
    /// SHA-256 of the body, in hex.
    pub digest: String,
    /// The status code of the answer; `None` when there was none (cut, timeout).
    pub answer: Option<u16>,
    /// When, by the fake's clock.
    pub at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_found_wherever_it_stands() {
        assert_eq!(mark(br#"{"a":["x","emp-mark-7-b"]}"#).as_deref(), Some("emp-mark-7-b"));
        assert_eq!(mark(b"a=1&text=emp-mark-12&b=2").as_deref(), Some("emp-mark-12"));
        assert_eq!(mark(b"{}"), None);
    }
}
