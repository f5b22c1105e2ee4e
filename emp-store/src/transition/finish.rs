//! How a claim ends by its holder's word.

use emp_core::error::Billed;
use emp_core::job::{
    ClosedClaim, EventKind, Job, JobState, Nonce, Phase, Progress, UpstreamCancel, WorkerId,
};
use emp_core::{ErrorCode, JobError, Timestamp};

use crate::store::{Answer, Change, Finish, Release};
use crate::transition::depth::{DEEPEST, too_deep};
use crate::transition::{Pen, Step, cancel, nudge};

/// The word that ends a claim, if a change is one.
pub(super) fn word(change: &Change) -> Option<EventKind> {
    match change {
        Change::Finish(finish) => Some(finish_word(finish)),
        Change::Release(_) => Some(EventKind::Released),
        _ => None,
    }
}

fn finish_word(finish: &Finish) -> EventKind {
    match finish {
        Finish::Succeeded { .. } => EventKind::Succeeded,
        Finish::Failed(_) => EventKind::Failed,
        Finish::Cancelled(_) => EventKind::Cancelled,
        Finish::Uncertain(_) => EventKind::Uncertain,
        Finish::Retry { .. } => EventKind::RetryScheduled,
    }
}

/// The end, or the end of this attempt. With a cancel recorded the job ends `cancelled`, whatever the word (P15).
pub(super) fn finish(job: &mut Job, nonce: &Nonce, finish: Finish, at: Timestamp) -> Step {
    let fits = match &finish {
        Finish::Cancelled(_) => job.cancel.is_some(),
        Finish::Uncertain(_) => job.phase == Some(Phase::Submitting),
        _ => true,
    };
    if !fits {
        return Step::refused(Answer::Conflict);
    }
    let worker = close(job, nonce, finish_word(&finish));
    nudge::forget(job);
    let finish = readable(finish);
    let mut pen = Pen::new(job, at);
    if pen.job().cancel.is_some() {
        end_cancelled(&mut pen, finish, at);
    } else {
        end(&mut pen, finish, worker, at);
    }
    pen.done(Answer::Ok)
}

/// A result that nobody could read again is a failure of the service.
fn readable(finish: Finish) -> Finish {
    match finish {
        Finish::Succeeded { result, meta } if too_deep(&result) || meta.values().any(too_deep) => {
            let message = format!("the service's result is nested deeper than {DEEPEST} levels");
            Finish::Failed(JobError::new(ErrorCode::EBadResponse, message).billed(Billed::Yes))
        }
        finish => finish,
    }
}

/// Gives the job back: it keeps its place, its phase and its service job, and the delivery is not counted.
pub(super) fn release(job: &mut Job, nonce: &Nonce, release: &Release, at: Timestamp) -> Step {
    let worker = close(job, nonce, EventKind::Released);
    let mut pen = Pen::new(job, at);
    let job = pen.job();
    job.deliveries = job.deliveries.saturating_sub(1);
    job.ready_at = at.after(release.after);
    job.state = line(release.after, job.cancel.is_some());
    pen.note_by(EventKind::Released, Some(release.reason.clone()), worker);
    cancel::end_if_nothing_is_out(&mut pen, at);
    pen.done(Answer::Ok)
}

/// Ends the claim and remembers by which word.
fn close(job: &mut Job, nonce: &Nonce, word: EventKind) -> Option<WorkerId> {
    job.closed = Some(ClosedClaim { nonce: nonce.clone(), word });
    job.lease.take().map(|lease| lease.worker)
}

/// Where a job goes that is to be claimed again. A cancel does not wait: somebody has to carry it to the service.
fn line(after: std::time::Duration, cancelled: bool) -> JobState {
    if after.is_zero() || cancelled { JobState::Queued } else { JobState::Waiting }
}

fn end(pen: &mut Pen<'_>, finish: Finish, worker: Option<WorkerId>, at: Timestamp) {
    let job = pen.job();
    let (state, kind) = match finish {
        Finish::Succeeded { result, meta } => {
            job.result = Some(result);
            job.meta = meta;
            job.error = None;
            job.progress = Some(whole(job.progress.take()));
            (JobState::Succeeded, EventKind::Succeeded)
        }
        Finish::Failed(error) => {
            job.error = Some(error);
            (JobState::Failed, EventKind::Failed)
        }
        Finish::Uncertain(error) => {
            job.error = Some(error);
            (JobState::Uncertain, EventKind::Uncertain)
        }
        Finish::Retry { error, after } => {
            job.error = Some(error);
            job.phase = Some(Phase::Prepared);
            job.service_job = None;
            job.intent = None;
            job.intent_by = None;
            job.progress = None;
            job.ready_at = at.after(after);
            job.queued_at = job.ready_at;
            (line(after, false), EventKind::RetryScheduled)
        }
        // `finish` has sent this to `end_cancelled`: it fits only with a cancel recorded.
        Finish::Cancelled(_) => (JobState::Cancelled, EventKind::Cancelled),
    };
    job.state = state;
    if state.terminal() {
        job.finished_at = Some(at);
    }
    let detail = job.error.as_ref().map(ToString::to_string);
    pen.note_by(kind, detail, worker);
}

/// All of it is done: nothing is ahead and nothing is left to wait for.
fn whole(said: Option<Progress>) -> Progress {
    Progress { fraction: Some(1.0), message: said.and_then(|said| said.message), ..Progress::default() }
}

fn end_cancelled(pen: &mut Pen<'_>, finish: Finish, at: Timestamp) {
    let upstream = match &finish {
        Finish::Cancelled(upstream) => *upstream,
        // It ended by itself, with or without a result: the service cannot have been stopped.
        Finish::Succeeded { .. } => UpstreamCancel::Refused,
        Finish::Failed(error) | Finish::Retry { error, .. } | Finish::Uncertain(error) => ended_there(error),
    };
    match finish {
        Finish::Succeeded { result, meta } => {
            pen.job().discarded_result = Some(result);
            pen.job().meta = meta;
        }
        Finish::Failed(error) | Finish::Retry { error, .. } | Finish::Uncertain(error) => {
            pen.job().error = Some(error);
        }
        Finish::Cancelled(_) => {}
    }
    cancel::end(pen, upstream, at);
}

/// What a failure tells about the job at the service.
fn ended_there(error: &JobError) -> UpstreamCancel {
    match (error.billed, error.code) {
        (Billed::No, _) => UpstreamCancel::NotNeeded,
        (_, ErrorCode::EServiceFailed) => UpstreamCancel::Confirmed,
        _ => UpstreamCancel::Unknown,
    }
}
