//! How long a job that has ended is kept (P28).

use std::time::Duration;

use emp_core::Timestamp;
use emp_core::job::{Job, JobState};

use crate::keys;
use crate::store::Retention;

/// When a job that has ended may be forgotten; `None` while it has not. One with an idempotency key is kept as long as its key, so that
/// whoever sends the key again is shown what became of it.
pub fn expires(job: &Job, retention: &Retention) -> Option<Timestamp> {
    let kept = match job.state {
        JobState::Succeeded => retention.succeeded,
        JobState::Failed | JobState::Cancelled => retention.failed,
        JobState::Quarantined => retention.quarantined,
        JobState::Queued | JobState::Running | JobState::Waiting | JobState::Uncertain => return None,
    };
    let least = if job.idempotency_key.is_some() { keys::KEPT } else { Duration::ZERO };
    let ended = job.finished_at.unwrap_or(job.updated_at);
    Some(ended.after(kept).max(job.created_at.after(least)))
}
