//! Jobs that end their workers (P26): counted over the whole fleet, within a window, and not when the fleet lost its leases at once, because
//! then it was not the job.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use emp_core::error::Billed;
use emp_core::job::{Crash, EventKind, Job, Phase, UpstreamCancel, WorkerId};
use emp_core::{ErrorCode, JobError, Timestamp};

use crate::store::StoreOptions;
use crate::transition::{Pen, cancel};

/// Why a lease lapsed, as far as the other workers tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// Its worker was lost, and perhaps by this job.
    Crash,
    /// Most workers lost their leases at once: the store was out of reach, or the machines were.
    Outage,
}

impl Loss {
    /// Of the workers that are alive, or were until now, so many lost a lease within one lease. One alone is no pattern. The next start of
    /// a worker that a job ends is another worker, and loses its lease only after the first has.
    pub fn of<W: Ord>(lost: &BTreeSet<W>, live: &BTreeSet<W>) -> Self {
        let lost = lost.intersection(live).count();
        if lost > 1 && lost * 2 > live.len() { Self::Outage } else { Self::Crash }
    }

    /// What the event says of it.
    pub(super) fn detail(self) -> Option<String> {
        (self == Self::Outage)
            .then(|| "most workers lost their leases at once, so it does not count".to_owned())
    }
}

/// Counts a lost worker against the job that it had.
pub(super) fn count(
    job: &mut Job,
    worker: Option<&WorkerId>,
    loss: Loss,
    at: Timestamp,
    options: &StoreOptions,
) {
    if loss == Loss::Outage {
        return;
    }
    job.crashes += 1;
    let phase = job.phase;
    job.crashed.extend(worker.map(|worker| Crash { at, worker: worker.clone(), phase }));
    job.crashed.retain(|crash| at.since(crash.at) < options.crash_window);
    // More of them say nothing more.
    let most = usize::try_from(options.max_crashes).unwrap_or(usize::MAX).clamp(1, MOST);
    job.crashed.drain(..job.crashed.len().saturating_sub(most));
}

/// So many crashes are remembered at most; whoever asks for more of them asks for no quarantine.
const MOST: usize = 1000;

/// The worker whose lease lapsed at a moment lives: if that was counted, it was no crash.
pub(super) fn take_back(job: &mut Job, lapsed_at: Timestamp) {
    if job.crashed.pop_if(|crash| crash.at >= lapsed_at).is_some() {
        job.crashes = job.crashes.saturating_sub(1);
    }
}

/// Takes a job out that has ended too many workers.
pub(super) fn quarantine(pen: &mut Pen<'_>, at: Timestamp, options: &StoreOptions) {
    let job = pen.job();
    let crashes = u32::try_from(job.crashed.len()).unwrap_or(u32::MAX);
    if crashes == 0 || crashes < options.max_crashes {
        return;
    }
    if job.cancel.is_some() {
        cancel::end(pen, UpstreamCancel::Unknown, at);
        return;
    }
    let billed = match job.phase {
        Some(Phase::Submitting) => Billed::Maybe,
        Some(Phase::Submitted) => Billed::Yes,
        Some(Phase::Prepared) | None => Billed::No,
    };
    job.error = Some(JobError::new(ErrorCode::EPoison, evidence(&job.crashed)).billed(billed));
    job.state = emp_core::job::JobState::Quarantined;
    job.finished_at = Some(at);
    job.lapsed = None;
    pen.note(EventKind::Quarantined, None);
}

fn evidence(crashed: &[Crash]) -> String {
    let mut text = format!("{} workers were lost while they had this job:", crashed.len());
    for (index, crash) in crashed.iter().enumerate() {
        let phase = crash.phase.map_or("prepared", Phase::as_str);
        // Writing to a String cannot fail.
        let _ = write!(text, "{} {} ({phase})", if index == 0 { "" } else { "," }, crash.worker);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p26_one_loss_is_a_crash_and_that_of_most_workers_is_none() {
        let live = BTreeSet::from(["a", "b", "c", "d"]);
        let first = |count: usize| live.iter().take(count).copied().collect::<BTreeSet<_>>();
        assert_eq!(Loss::of(&first(1), &live), Loss::Crash);
        assert_eq!(Loss::of(&first(2), &live), Loss::Crash, "half of them is not most");
        assert_eq!(Loss::of(&first(3), &live), Loss::Outage);
        assert_eq!(Loss::of(&first(1), &first(1)), Loss::Crash, "the only worker, ended by the only job");
        assert_eq!(Loss::of(&live, &BTreeSet::new()), Loss::Crash, "nobody knows them");
    }
}
