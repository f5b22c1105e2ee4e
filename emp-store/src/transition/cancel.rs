//! A cancel is final at the store (P15): recorded before the end, the job can only end `cancelled`.

use emp_core::Timestamp;
use emp_core::job::{CancelRequest, Event, EventKind, Job, JobState, Phase, UpstreamCancel};

use crate::transition::Pen;

/// What became of a wish to cancel.
#[derive(Clone, Debug, PartialEq)]
pub enum Cancelled {
    /// It is recorded, now or before.
    Recorded(Vec<Event>),
    /// The job had ended before.
    TooLate,
}

/// Records a wish to cancel. What nobody works on and nothing of which is at the service ends at once; for the rest a worker carries
/// the wish to the service first.
pub fn cancel(job: &mut Job, by: &str, reason: Option<&str>, at: Timestamp) -> Cancelled {
    match (job.state, &job.cancel) {
        (JobState::Cancelled, Some(_)) => return Cancelled::Recorded(Vec::new()),
        (state, _) if state.terminal() => return Cancelled::TooLate,
        (_, Some(_)) => return Cancelled::Recorded(Vec::new()),
        _ => {}
    }
    let mut pen = Pen::new(job, at);
    let reason = reason.map(str::to_owned);
    pen.job().cancel = Some(CancelRequest { at, by: by.to_owned(), reason: reason.clone(), upstream: None });
    pen.note_by(EventKind::CancelRequested, reason, None);
    let state = pen.job().state;
    match state {
        // Nobody works on it and no rule settles it: what is at the service stays unknown.
        JobState::Uncertain => end(&mut pen, UpstreamCancel::Unknown, at),
        JobState::Queued | JobState::Waiting if !end_if_nothing_is_out(&mut pen, at) => {
            pen.job().state = JobState::Queued;
            pen.job().ready_at = at;
        }
        _ => {}
    }
    Cancelled::Recorded(pen.events())
}

/// Ends a cancelled job that nobody has and of which nothing is at the service; says whether it did.
pub(super) fn end_if_nothing_is_out(pen: &mut Pen<'_>, at: Timestamp) -> bool {
    let job = pen.job();
    let nothing = matches!(job.phase, None | Some(Phase::Prepared)) && job.service_job.is_none();
    let ends = job.cancel.is_some() && job.lease.is_none() && nothing;
    if ends {
        end(pen, UpstreamCancel::NotNeeded, at);
    }
    ends
}

/// Ends a job as cancelled.
pub(super) fn end(pen: &mut Pen<'_>, upstream: UpstreamCancel, at: Timestamp) {
    let job = pen.job();
    if let Some(cancel) = &mut job.cancel {
        cancel.upstream = Some(upstream);
    }
    job.state = JobState::Cancelled;
    job.finished_at = Some(at);
    job.lapsed = None;
    pen.note(EventKind::Cancelled, None);
}
