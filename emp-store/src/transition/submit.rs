//! The submit: an intent before it, a service job id after it.

use emp_core::Timestamp;
use emp_core::job::{EventKind, Intent, Job, Nonce, Phase, ServiceJob};

use crate::store::Answer;
use crate::transition::{Pen, Step, standing};

/// A submit was sent and nobody has said what became of it.
pub(super) fn open(job: &Job) -> bool {
    job.phase == Some(Phase::Submitting) && job.service_job.is_none()
}

/// The submit was accepted, as this job.
pub(super) fn settle(job: &mut Job, service_job: ServiceJob) {
    job.service_job = Some(service_job);
    job.phase = Some(Phase::Submitted);
}

/// A submit is about to be sent. The same intent again is a resend within one attempt; another one is refused until the first is
/// settled, and any at all once the service job is known (P1).
pub(super) fn intent(job: &mut Job, nonce: &Nonce, mut intent: Intent, at: Timestamp) -> Step {
    match job.phase {
        Some(Phase::Submitted) => return Step::refused(Answer::Conflict),
        Some(Phase::Submitting) => {
            let same = job
                .intent
                .as_ref()
                .is_some_and(|stored| stored.key == intent.key && stored.digest == intent.digest);
            return Step::refused(match (same, standing(job)) {
                (false, _) => Answer::Conflict,
                (true, Answer::Ok) => Answer::OkAlready,
                (true, answer) => answer,
            });
        }
        Some(Phase::Prepared) | None => {}
    }
    intent.at = at;
    let answer = standing(job);
    let mut pen = Pen::new(job, at);
    let job = pen.job();
    job.attempt += 1;
    job.phase = Some(Phase::Submitting);
    job.progress = None;
    job.intent = Some(intent);
    job.intent_by = Some(nonce.clone());
    pen.note(EventKind::Submitting, None);
    pen.done(answer)
}

/// The submit was certainly not accepted: as if it had not been.
pub(super) fn not_sent(job: &mut Job, reason: &str, at: Timestamp) -> Step {
    match (job.phase, standing(job)) {
        (Some(Phase::Submitted), _) => return Step::refused(Answer::Conflict),
        (Some(Phase::Prepared) | None, Answer::Ok) => return Step::refused(Answer::OkAlready),
        (Some(Phase::Prepared) | None, answer) => return Step::refused(answer),
        (Some(Phase::Submitting), _) => {}
    }
    let answer = standing(job);
    let mut pen = Pen::new(job, at);
    let job = pen.job();
    job.attempt = job.attempt.saturating_sub(1);
    job.phase = Some(Phase::Prepared);
    job.intent = None;
    job.intent_by = None;
    pen.note(EventKind::NotSent, Some(reason.to_owned()));
    pen.done(answer)
}

/// The service accepted. A second, different service job is kept among the orphans and answered with a conflict: it was bought, but
/// the job has one already.
pub(super) fn submitted(job: &mut Job, service_job: ServiceJob, at: Timestamp) -> Step {
    let answer = standing(job);
    if let Some(known) = &job.service_job {
        if known.id == service_job.id {
            return Step::refused(if answer == Answer::Ok { Answer::OkAlready } else { answer });
        }
        if job.orphans.iter().any(|orphan| orphan.id == service_job.id) {
            return Step::refused(Answer::Conflict);
        }
        let mut pen = Pen::new(job, at);
        pen.orphan(service_job);
        return pen.done(Answer::Conflict);
    }
    let mut pen = Pen::new(job, at);
    if !open(pen.job()) {
        // Bought without an intent, by a connector of its own protocol: the money is spent all the same.
        pen.job().attempt += 1;
    }
    let id = service_job.id.clone();
    settle(pen.job(), service_job);
    pen.note(EventKind::Submitted, Some(id));
    pen.done(answer)
}
