//! What this process has: the records of the jobs that it has claimed, as it wrote them last. After a failover it may have the only copy.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use emp_core::Timestamp;
use emp_core::job::{Job, JobId, JobState, Lease, Nonce};
use serde_json::Value;

use crate::redis::record::Stored;

/// The records of the jobs that this process has claimed.
#[derive(Debug, Default)]
pub(super) struct Held(Mutex<HashMap<JobId, Kept>>);

/// A record, and its payload apart from it: it is needed only when the store has lost the job.
#[derive(Debug)]
struct Kept {
    stored: Stored,
    payload: Arc<Value>,
}

impl Kept {
    fn whole(&self) -> Stored {
        let payload = Value::clone(&self.payload);
        Stored { job: Job { payload, ..self.stored.job.clone() }, ..self.stored.clone() }
    }
}

impl Held {
    fn lock(&self) -> MutexGuard<'_, HashMap<JobId, Kept>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The record, if the job is ours.
    pub(super) fn get(&self, id: &JobId) -> Option<Stored> {
        self.lock().get(id).map(|kept| kept.stored.clone())
    }

    /// The record with its payload, if the job is ours.
    pub(super) fn whole(&self, id: &JobId) -> Option<Stored> {
        self.lock().get(id).map(Kept::whole)
    }

    /// Every record, with its payload.
    pub(super) fn all(&self) -> Vec<Stored> {
        self.lock().values().map(Kept::whole).collect()
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.lock().len()
    }

    /// Keeps a record as long as it shows the claim. One without its payload is a later one of a job that is known.
    pub(super) fn keep(&self, mut stored: Stored, claim: &Nonce) {
        let mut held = self.lock();
        let before = held.remove(&stored.job.id);
        let ours = stored.job.lease.as_ref().is_some_and(|lease| lease.nonce == *claim);
        if stored.job.state != JobState::Running || !ours {
            return;
        }
        let payload = match (stored.job.payload.take(), before) {
            (Value::Null, Some(before)) => before.payload,
            (payload, _) => Arc::new(payload),
        };
        held.insert(stored.job.id.clone(), Kept { stored, payload });
    }

    /// The store has a later record of a job that we have: it is ours as long as it shows our claim.
    pub(super) fn follow(&self, found: Stored) {
        let claim = self.lock().get(&found.job.id).and_then(|kept| nonce(&kept.stored));
        if let Some(claim) = claim {
            self.keep(found, &claim);
        }
    }

    /// Nothing can be made of what the store has of it.
    pub(super) fn forget(&self, id: &JobId) {
        self.lock().remove(id);
    }

    /// Forgets what has not been renewed for long: whoever had it has stopped.
    pub(super) fn forget_before(&self, moment: Timestamp) {
        let lives = |lease: &Lease| lease.until > moment;
        self.lock().retain(|_, kept| kept.stored.job.lease.as_ref().is_some_and(lives));
    }
}

/// The claim that a record shows.
pub(super) fn nonce(stored: &Stored) -> Option<Nonce> {
    stored.job.lease.as_ref().map(|lease| lease.nonce.clone())
}
