//! Who has a job: enqueue, claim, renewal, lapse.

use emp_core::Timestamp;
use emp_core::job::{Event, EventKind, JOB_SCHEMA, Job, JobId, JobState, Lease, Nonce, Phase, WorkerId};
use serde_json::Map;

use crate::store::{Answer, NewJob, StoreOptions};
use crate::transition::poison::{self, Loss};
use crate::transition::{Pen, Step, cancel, nudge, standing};

/// A new job, as it stands in the line.
pub fn enqueue(new: NewJob, id: JobId, arrival: u64, at: Timestamp) -> (Job, Vec<Event>) {
    let mut job = Job {
        schema: JOB_SCHEMA,
        id,
        arrival,
        seq: 0,
        state: JobState::Queued,
        phase: None,
        service: new.service,
        payload: new.payload,
        priority: new.priority.min(9),
        labels: new.labels,
        attempt: 0,
        deliveries: 0,
        crashes: 0,
        crashed: Vec::new(),
        lease: None,
        intent: None,
        service_job: None,
        orphans: Vec::new(),
        progress: None,
        cancel: None,
        result: None,
        discarded_result: None,
        meta: Map::new(),
        error: None,
        ready_at: at,
        created_at: at,
        updated_at: at,
        started_at: None,
        finished_at: None,
        idempotency_key: new.idempotency_key,
        queued_at: at,
        intent_by: None,
        closed: None,
        lapsed: None,
        nudged: false,
        call: None,
        heard: Vec::new(),
    };
    let mut pen = Pen::new(&mut job, at);
    pen.note(EventKind::Queued, None);
    let events = pen.events();
    (job, events)
}

/// A worker takes a queued job: a delivery more, and the phase stays what a worker before it left.
pub fn claim(
    job: &mut Job,
    worker: &WorkerId,
    nonce: Nonce,
    at: Timestamp,
    options: &StoreOptions,
) -> Vec<Event> {
    let resumes = matches!(job.phase, Some(Phase::Submitting | Phase::Submitted));
    let mut pen = Pen::new(job, at);
    let job = pen.job();
    job.state = JobState::Running;
    job.phase.get_or_insert(Phase::Prepared);
    job.deliveries += 1;
    job.started_at.get_or_insert(at);
    job.lapsed = None;
    // A new holder looks at once anyway, at what the last call said too.
    job.nudged = false;
    job.lease = Some(Lease { worker: worker.clone(), nonce, until: at.after(options.lease), claimed_at: at });
    pen.note(if resumes { EventKind::Resumed } else { EventKind::Claimed }, None);
    pen.events()
}

/// The waiting time of a job is over: it stands in the line again.
pub fn promote(job: &mut Job, at: Timestamp) -> Vec<Event> {
    if job.state != JobState::Waiting {
        return Vec::new();
    }
    let mut pen = Pen::new(job, at);
    pen.job().state = JobState::Queued;
    pen.note(EventKind::Queued, None);
    pen.events()
}

/// The worker of a running job was not heard of for a lease: the job goes back to its place in the line, or out of it when it has
/// ended too many workers. Nothing happens while the lease holds.
pub fn lapse(job: &mut Job, loss: Loss, at: Timestamp, options: &StoreOptions) -> Vec<Event> {
    if job.state != JobState::Running || job.lease.as_ref().is_none_or(|lease| lease.until > at) {
        return Vec::new();
    }
    let lease = job.lease.take();
    let worker = lease.as_ref().map(|lease| lease.worker.clone());
    let mut pen = Pen::new(job, at);
    let job = pen.job();
    job.state = JobState::Queued;
    poison::count(job, worker.as_ref(), loss, at, options);
    job.lapsed = lease;
    pen.note_by(EventKind::LeaseLost, loss.detail(), worker);
    if !cancel::end_if_nothing_is_out(&mut pen, at) {
        poison::quarantine(&mut pen, at, options);
    }
    pen.events()
}

/// The lease runs anew.
pub(super) fn renew(job: &mut Job, at: Timestamp, options: &StoreOptions) -> Step {
    if let Some(lease) = &mut job.lease {
        lease.until = lease.until.max(at.after(options.lease));
    }
    let answer = standing(job);
    Step { answer: nudge::told(job, answer), events: Vec::new(), changed: true }
}

/// The holder of a lapsed lease lives after all and nobody has taken its job: it goes on, and that was no crash.
pub(super) fn revive(job: &mut Job, nonce: &Nonce, at: Timestamp, options: &StoreOptions) -> Step {
    let untaken = job.state == JobState::Queued;
    let Some(mut lease) = job.lapsed.take_if(|lapsed| untaken && lapsed.nonce == *nonce) else {
        return Step::refused(Answer::Fenced);
    };
    let lapsed_at = lease.until;
    lease.until = at.after(options.lease);
    let answer = standing(job);
    let mut pen = Pen::new(job, at);
    let job = pen.job();
    poison::take_back(job, lapsed_at);
    job.state = JobState::Running;
    job.lease = Some(lease);
    pen.note(EventKind::Resumed, Some("the lapsed lease was renewed".to_owned()));
    pen.done(answer)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use emp_core::Timestamp;
    use emp_core::job::{JobId, JobState, Nonce, WorkerId};
    use serde_json::Value;

    use super::{Loss, claim, enqueue, lapse};
    use crate::store::{NewJob, StoreOptions};

    /// Whoever calls: an index that is late does not take a job from a worker that lives.
    #[test]
    fn p08_a_lease_that_holds_does_not_lapse() {
        let options = StoreOptions { lease: Duration::from_millis(100), ..StoreOptions::default() };
        let new = NewJob {
            service: "svc".to_owned(),
            payload: Value::Null,
            priority: 5,
            labels: std::collections::BTreeMap::new(),
            idempotency_key: None,
        };
        let (mut job, _) = enqueue(new, JobId::random(), 1, Timestamp(0));
        claim(&mut job, &WorkerId::start("w"), Nonce::random(), Timestamp(0), &options);
        assert!(lapse(&mut job, Loss::Crash, Timestamp(99), &options).is_empty());
        assert_eq!(job.state, JobState::Running);
        assert!(!lapse(&mut job, Loss::Crash, Timestamp(100), &options).is_empty());
        assert_eq!(job.state, JobState::Queued);
    }
}
