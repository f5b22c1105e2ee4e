//! The service has called for a job: whoever has it looks at once. What the call says is not believed, and not kept.

use emp_core::Timestamp;
use emp_core::job::{Event, EventKind, Job, Phase};

use crate::store::Answer;
use crate::transition::Pen;

/// Takes note of a call. `None` when there is nothing to look for: nothing was sent, or the job has ended.
pub fn nudge(job: &mut Job, at: Timestamp) -> Option<Vec<Event>> {
    let out = matches!(job.phase, Some(Phase::Submitting | Phase::Submitted));
    if job.state.terminal() || !out {
        return None;
    }
    if job.nudged {
        return Some(Vec::new());
    }
    let mut pen = Pen::new(job, at);
    pen.job().nudged = true;
    pen.note(EventKind::WebhookReceived, None);
    Some(pen.events())
}

/// Tells the holder of a call, once. A cancel goes before it.
pub(super) fn told(job: &mut Job, answer: Answer) -> Answer {
    if answer == Answer::Ok && std::mem::take(&mut job.nudged) { Answer::Nudged } else { answer }
}
