//! The store has forgotten what it answered: a failover lost the last changes, or it came back from an older copy. Whoever has a job
//! still knows (P18).

use emp_core::Timestamp;
use emp_core::job::{Event, EventKind, Job, JobState};

use crate::transition::Pen;

/// The job as its holder wrote it last, over what the store has of it now; `None` when that is newer than what the holder knows:
/// somebody else has claimed it since, or it has ended. A wish to cancel that came in between is kept, and so is what others bought.
pub fn reassert(held: &Job, found: Option<&Job>, at: Timestamp) -> Option<(Job, Vec<Event>)> {
    let nonce = &held.lease.as_ref().filter(|_| held.state == JobState::Running)?.nonce;
    let mut job = held.clone();
    if let Some(found) = found {
        let taken = found.lease.as_ref().is_some_and(|lease| lease.nonce != *nonce);
        if taken || found.state.terminal() || found.deliveries > held.deliveries {
            return None;
        }
        job.cancel = job.cancel.or_else(|| found.cancel.clone());
        let bought = found.orphans.iter().filter(|orphan| !held.orphans.contains(orphan));
        job.orphans.extend(bought.cloned());
        job.seq = job.seq.max(found.seq);
        if found.nudged {
            job.nudged = true;
            job.call.clone_from(&found.call);
        }
    }
    let mut pen = Pen::new(&mut job, at);
    pen.note(EventKind::Reasserted, None);
    let events = pen.events();
    Some((job, events))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use emp_core::job::{JobId, Nonce, WorkerId};
    use serde_json::Value;

    use super::*;
    use crate::store::{NewJob, StoreOptions};
    use crate::transition;

    #[test]
    fn p18_only_what_nobody_else_has_taken_since_is_put_back() {
        let options = StoreOptions::default();
        let new = NewJob {
            service: "svc".to_owned(),
            payload: Value::Null,
            priority: 5,
            labels: BTreeMap::new(),
            idempotency_key: None,
        };
        let (queued, _) = transition::enqueue(new, JobId::random(), 1, Timestamp(0));
        let claim = |worker: &str| {
            let mut job = queued.clone();
            transition::claim(&mut job, &WorkerId::start(worker), Nonce::random(), Timestamp(1), &options);
            job
        };
        let (held, other) = (claim("a"), claim("b"));
        let (job, events) = reassert(&held, None, Timestamp(2)).unwrap();
        assert_eq!((job.lease.as_ref(), events[0].kind), (held.lease.as_ref(), EventKind::Reasserted));
        assert!(reassert(&held, Some(&queued), Timestamp(2)).is_some(), "its claim was lost");
        assert!(reassert(&held, Some(&other), Timestamp(2)).is_none(), "somebody else has it");
        let mut ended = queued.clone();
        transition::cancel(&mut ended, "me", None, Timestamp(2));
        assert!(reassert(&held, Some(&ended), Timestamp(2)).is_none(), "it has ended");
        let mut wished = held.clone();
        transition::cancel(&mut wished, "me", None, Timestamp(2));
        let (job, _) = reassert(&held, Some(&wished), Timestamp(3)).unwrap();
        assert!(job.cancel.is_some(), "a wish is not lost");
        assert!(reassert(&queued, None, Timestamp(2)).is_none(), "nobody has it");
    }
}
