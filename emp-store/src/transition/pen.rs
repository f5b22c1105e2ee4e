//! Writes a job's history while it changes the job.

use emp_core::Timestamp;
use emp_core::job::{Delta, Event, EventKind, Job, Progress, ServiceJob, WorkerId};

use crate::store::Answer;
use crate::transition::Step;

/// A job under change, and the events of it.
pub(super) struct Pen<'a> {
    job: &'a mut Job,
    at: Timestamp,
    events: Vec<Event>,
}

impl<'a> Pen<'a> {
    /// Opens a job for a change at a moment.
    pub(super) fn new(job: &'a mut Job, at: Timestamp) -> Self {
        job.updated_at = job.updated_at.max(at);
        Self { job, at, events: Vec::new() }
    }

    /// The job.
    pub(super) fn job(&mut self) -> &mut Job {
        self.job
    }

    /// Appends an event with the job's state as it is now.
    pub(super) fn note(&mut self, kind: EventKind, detail: Option<String>) {
        let worker = self.job.lease.as_ref().map(|lease| lease.worker.clone());
        self.push(kind, detail, worker, None);
    }

    /// Appends an event that a worker did which has no lease any more.
    pub(super) fn note_by(&mut self, kind: EventKind, detail: Option<String>, worker: Option<WorkerId>) {
        self.push(kind, detail, worker, None);
    }

    /// Appends a progress event.
    pub(super) fn note_progress(&mut self, progress: Progress) {
        let worker = self.job.lease.as_ref().map(|lease| lease.worker.clone());
        self.push(EventKind::Progress, None, worker, Some(progress));
    }

    /// Appends an event with text of the job's stream.
    pub(super) fn note_delta(&mut self, delta: Delta) {
        let worker = self.job.lease.as_ref().map(|lease| lease.worker.clone());
        self.push(EventKind::Delta, None, worker, None);
        if let Some(event) = self.events.last_mut() {
            event.delta = Some(delta);
        }
    }

    /// Keeps a service job that is not the job's own. A job that has ended gets no event any more.
    pub(super) fn orphan(&mut self, bought: ServiceJob) {
        let id = bought.id.clone();
        self.job.orphans.push(bought);
        if !self.job.state.terminal() {
            self.note(EventKind::OrphanKept, Some(id));
        }
    }

    /// Closes the change.
    pub(super) fn done(self, answer: Answer) -> Step {
        Step { answer, events: self.events, changed: true }
    }

    /// Closes a change that nobody waits for an answer to.
    pub(super) fn events(self) -> Vec<Event> {
        self.events
    }

    fn push(
        &mut self,
        kind: EventKind,
        detail: Option<String>,
        worker: Option<WorkerId>,
        progress: Option<Progress>,
    ) {
        self.job.seq += 1;
        let (seq, state) = (self.job.seq, self.job.state);
        self.events.push(Event { seq, at: self.at, kind, state, detail, worker, progress, delta: None });
    }
}
