//! The service has called for a job: whoever has it looks at once, at what the call says where that is proven to be the service's.

use emp_core::Timestamp;
use emp_core::job::{Call, EventKind, Job, Phase};

use crate::store::Answer;
use crate::transition::{Pen, Step};

/// So many calls are remembered, so that none of them counts again. A service has a handful of events for a job.
const REMEMBERED: usize = 16;

/// Takes note of a call, with what it says when that is believed. `None` when there is nothing to look for: nothing was sent, or the
/// job has ended.
pub fn nudge(job: &mut Job, call: Option<Call>, at: Timestamp) -> Option<Step> {
    let out = matches!(job.phase, Some(Phase::Submitting | Phase::Submitted));
    if job.state.terminal() || !out {
        return None;
    }
    if call.as_ref().is_some_and(|call| job.heard.contains(&call.id)) {
        return Some(Step::refused(Answer::OkAlready));
    }
    if let Some(call) = &call {
        let too_many = (job.heard.len() + 1).saturating_sub(REMEMBERED);
        job.heard.drain(..too_many);
        job.heard.push(call.id.clone());
    }
    if job.nudged {
        // Which of two calls is the newer one, nobody knows: the holder asks.
        let said = job.call.take().is_some();
        let changed = said || call.is_some();
        return Some(Step { changed, ..Step::refused(Answer::Ok) });
    }
    let mut pen = Pen::new(job, at);
    pen.job().nudged = true;
    pen.job().call = call;
    pen.note(EventKind::WebhookReceived, None);
    Some(pen.done(Answer::Ok))
}

/// Tells the holder of a call, once. A cancel goes before it.
pub(super) fn told(job: &mut Job, answer: Answer) -> Answer {
    if answer == Answer::Ok && std::mem::take(&mut job.nudged) { Answer::Nudged } else { answer }
}

/// Forgets the calls of an attempt that is over.
pub(super) fn forget(job: &mut Job) {
    job.nudged = false;
    job.call = None;
    job.heard.clear();
}
