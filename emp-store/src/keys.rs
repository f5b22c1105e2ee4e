//! Idempotency keys: the same key and body is the same job (P16).

use std::fmt::Write as _;
use std::time::Duration;

use emp_core::Timestamp;
use emp_core::job::JobId;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::store::NewJob;

/// How long a key is kept at least.
pub(crate) const KEPT: Duration = Duration::from_hours(48);

/// What a store remembers of a key.
#[derive(Clone, Debug)]
pub(crate) struct KeyRecord {
    /// The job that it made.
    pub(crate) job: JobId,
    /// Of the body that it came with.
    pub(crate) digest: String,
    /// When.
    pub(crate) at: Timestamp,
}

impl KeyRecord {
    /// The key may be used for something new: its time is over and its job has ended. So a key never blocks for ever, and one whose
    /// job still runs never makes a second (P14).
    pub(crate) fn free(&self, now: Timestamp, job_ended: bool) -> bool {
        job_ended && now.since(self.at) >= KEPT
    }
}

/// SHA-256 of what a client asked for, in hex. The order of an object's keys does not count.
pub(crate) fn digest(new: &NewJob) -> String {
    let mut canonical = String::new();
    write_canonical(&Value::String(new.service.clone()), &mut canonical);
    write_canonical(&new.payload, &mut canonical);
    for (name, value) in &new.labels {
        write_canonical(&Value::String(name.clone()), &mut canonical);
        write_canonical(&Value::String(value.clone()), &mut canonical);
    }
    canonical.push(char::from(b'0' + new.priority.min(9)));
    Sha256::digest(canonical.as_bytes()).iter().fold(String::with_capacity(64), |mut hex, byte| {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

fn write_canonical(value: &Value, out: &mut String) {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by_key(|(name, _)| *name);
            out.push('{');
            for (name, value) in entries {
                write_canonical(&Value::String(name.clone()), out);
                write_canonical(value, out);
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for item in items {
                write_canonical(item, out);
                out.push(',');
            }
            out.push(']');
        }
        scalar => {
            let _ = write!(out, "{scalar};");
        }
    }
}
