//! What happens to a job: pure functions from a job, a wish and a moment to the job after it, an answer and events.
//!
//! Every store applies these inside its own transaction, so that a promise is kept in one place. Nothing here reads a clock, a file
//! or a random number.
//!
//! | function | wish |
//! |---|---|
//! | [`enqueue`] | a client wants a job |
//! | [`claim`] | a worker takes it |
//! | [`apply`] | the holder of a claim writes |
//! | [`cancel`] | a client wants it ended |
//! | [`nudge`] | the service has called for it |
//! | [`lapse`] | its worker was not heard of |
//! | [`promote`] | its waiting time is over |
//! | [`expires`] | it has ended, and nobody asks for it any more |
//! | [`reassert`] | the store has forgotten what its holder knows |

mod cancel;
mod delta;
mod depth;
mod finish;
mod lease;
mod nudge;
mod pen;
mod poison;
mod reassert;
mod retention;
mod submit;

use emp_core::Timestamp;
use emp_core::job::{Event, EventKind, Job, JobState, Nonce, Progress, ServiceJob};

use crate::store::{Answer, Change, StoreOptions};

pub use cancel::{Cancelled, cancel};
pub use delta::{compact, crowded};
pub use lease::{claim, enqueue, lapse, promote};
pub use nudge::nudge;
pub use poison::Loss;
pub use reassert::reassert;
pub use retention::expires;

use pen::Pen;

/// What a write did to a job.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// What the writer is told.
    pub answer: Answer,
    /// What is to be appended to the job's events.
    pub events: Vec<Event>,
    /// The record is not what it was and must be stored.
    pub changed: bool,
}

impl Step {
    /// Nothing changed.
    fn refused(answer: Answer) -> Self {
        Self { answer, events: Vec::new(), changed: false }
    }
}

/// Applies what the holder of claim `nonce` wants, at moment `at` of the store's clock.
///
/// The nonce is compared for equality with the lease's (P5). Two writes of somebody else are heard nevertheless: a renewal of a lapsed
/// lease that nobody has taken since, and a service job that was bought in the meantime (P5b).
pub fn apply(job: &mut Job, nonce: &Nonce, change: Change, at: Timestamp, options: &StoreOptions) -> Step {
    let change = readable(change);
    let owner = job.lease.as_ref().is_some_and(|lease| lease.nonce == *nonce);
    if !owner {
        return not_owner(job, nonce, change, at, options);
    }
    match change {
        Change::Renew => lease::renew(job, at, options),
        Change::Intent(intent) => submit::intent(job, nonce, intent, at),
        Change::NotSent { reason } => submit::not_sent(job, &reason, at),
        Change::Submitted(service_job) => submit::submitted(job, service_job, at),
        Change::Progress(progress) => report(job, progress, at),
        Change::Delta(delta) => delta::tell(job, delta, at),
        Change::Finish(finish) => finish::finish(job, nonce, finish, at),
        Change::Release(release) => finish::release(job, nonce, &release, at),
    }
}

/// A service job without the facts that nobody could read again; its id is what was paid for.
fn readable(mut change: Change) -> Change {
    if let Change::Submitted(service_job) = &mut change {
        service_job.captured.retain(|_, fact| !depth::too_deep(fact));
    }
    change
}

fn not_owner(job: &mut Job, nonce: &Nonce, change: Change, at: Timestamp, options: &StoreOptions) -> Step {
    if let Some(word) = finish::word(&change)
        && job.closed.as_ref().is_some_and(|closed| closed.nonce == *nonce && closed.word == word)
    {
        return Step::refused(Answer::OkAlready);
    }
    match change {
        Change::Renew => lease::revive(job, nonce, at, options),
        Change::Submitted(service_job) => keep_bought(job, nonce, service_job, at),
        _ => Step::refused(Answer::Fenced),
    }
}

/// A service job that a fenced worker bought: adopted where the job still asks whether its submit was accepted, else kept.
fn keep_bought(job: &mut Job, nonce: &Nonce, bought: ServiceJob, at: Timestamp) -> Step {
    let known = job.service_job.iter().chain(&job.orphans).any(|known| known.id == bought.id);
    if known {
        return Step::refused(Answer::Fenced);
    }
    let unsettled = !job.state.terminal() && submit::open(job) && job.intent_by.as_ref() == Some(nonce);
    let mut pen = Pen::new(job, at);
    if unsettled {
        let detail = bought.id.clone();
        submit::settle(pen.job(), bought);
        if pen.job().state == JobState::Uncertain {
            pen.job().state = JobState::Queued;
            pen.job().error = None;
        }
        pen.note(EventKind::Adopted, Some(detail));
    } else {
        pen.orphan(bought);
    }
    pen.done(Answer::Fenced)
}

/// Progress never falls within an attempt (P30); what says nothing new is no event.
fn report(job: &mut Job, progress: Progress, at: Timestamp) -> Step {
    let answer = standing(job);
    let said = job.progress.clone().unwrap_or_default();
    let fraction =
        progress.fraction.filter(|fraction| !fraction.is_nan()).map(|fraction| fraction.clamp(0.0, 1.0));
    let merged = Progress {
        fraction: match (said.fraction, fraction) {
            (Some(before), Some(now)) => Some(before.max(now)),
            (before, now) => now.or(before),
        },
        eta_secs: progress.eta_secs.filter(|secs| secs.is_finite()),
        ..progress
    };
    if job.progress.as_ref() == Some(&merged) {
        return Step::refused(if answer == Answer::Ok { Answer::OkAlready } else { answer });
    }
    let mut pen = Pen::new(job, at);
    pen.job().progress = Some(merged.clone());
    pen.note_progress(merged);
    pen.done(answer)
}

/// What a holder whose claim goes on is told: to go on, or that a cancel is recorded.
fn standing(job: &Job) -> Answer {
    if job.cancel.is_some() { Answer::CancelRequested } else { Answer::Ok }
}
