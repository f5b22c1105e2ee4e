//! A job of the fake service: where it is at a moment is a function of its age.

use std::time::Duration;

use emp_core::Timestamp;
use emp_core::error::FailureKind;
use emp_core::syntax::rule::StateVerdict;
use serde_json::{Map, Value};

use crate::fault::Trouble;
use crate::route::Holes;

/// How a job of the fake ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ending {
    /// With a result.
    #[default]
    Succeeds,
    /// With a failure of this kind.
    Fails(FailureKind),
    /// Cancelled by the service itself.
    Cancelled,
    /// Not at all.
    Never,
}

/// How long a job of the fake takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Durations {
    pub(crate) queued: Duration,
    pub(crate) running: Duration,
}

/// A job of the fake service.
#[derive(Clone, Debug, Default)]
pub(crate) struct VirtualJob {
    pub(crate) id: String,
    /// Where the service says that it is.
    pub(crate) origin: String,
    /// The operation whose submit began it; `None` for the main one.
    pub(crate) operation: Option<usize>,
    pub(crate) assigned_id: Option<String>,
    pub(crate) queue_job_id: Option<String>,
    /// Where the client wants to be called when it ends, until that is done.
    pub(crate) webhook: Option<String>,
    /// What the answers give for `capture(..)`, by name.
    pub(crate) captured: Map<String, Value>,
    /// What stood in the holes of its submit.
    pub(crate) holes: Holes,
    /// The request's body, to echo where no output is declared.
    pub(crate) request: Value,
    pub(crate) accepted_at: Timestamp,
    pub(crate) cancelled: bool,
    pub(crate) ending: Ending,
    /// How often its links have changed.
    pub(crate) links: u32,
    /// Its links have expired; whoever asks after it next gets new ones.
    pub(crate) expired: bool,
    /// How much of a result it has.
    pub(crate) yields: Yield,
}

/// How much of a result a job has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Yield {
    /// All of it, when it is done.
    #[default]
    Whole,
    /// Some of it early, and no more when it is done.
    Part,
    /// No files.
    Few,
}

impl Yield {
    /// That of a job that meets a trouble.
    pub(crate) fn of(trouble: Option<&Trouble>) -> Self {
        match trouble {
            Some(Trouble::Partial) => Self::Part,
            Some(Trouble::TooFew) => Self::Few,
            _ => Self::Whole,
        }
    }
}

/// What there is to say of a job at a moment.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct View {
    pub(crate) verdict: StateVerdict,
    /// 0 to 1.
    pub(crate) fraction: f64,
    pub(crate) left: Duration,
}

impl View {
    /// A job that has only just come.
    pub(crate) fn fresh(durations: Durations) -> Self {
        Self { verdict: StateVerdict::Queued, fraction: 0.0, left: durations.queued + durations.running }
    }

    /// A job that has ended well.
    pub(crate) fn done() -> Self {
        Self { verdict: StateVerdict::Succeeded, fraction: 1.0, left: Duration::ZERO }
    }

    /// Nothing changes any more.
    pub(crate) fn ended(&self) -> bool {
        !matches!(self.verdict, StateVerdict::Queued | StateVerdict::Running)
    }
}

impl VirtualJob {
    /// Another job, which differs by its id alone.
    pub(crate) fn another(&self) -> Self {
        let id = format!("{}-another", self.id);
        let mut captured = self.captured.clone();
        captured.insert("id".to_owned(), id.as_str().into());
        Self { id, captured, ..self.clone() }
    }

    /// How long it stays as it is; `None` when it has ended or never will.
    pub(crate) fn changes_in(&self, now: Timestamp, durations: Durations) -> Option<Duration> {
        let age = now.since(self.accepted_at);
        let ends = self.ending != Ending::Never;
        let end = Some(durations.queued + durations.running).filter(|_| ends);
        [Some(durations.queued), end]
            .into_iter()
            .flatten()
            .find_map(|at| at.checked_sub(age))
            .filter(|_| !self.cancelled)
    }

    /// The job at a moment.
    pub(crate) fn at(&self, now: Timestamp, durations: Durations) -> View {
        let age = now.since(self.accepted_at);
        let whole = durations.queued + durations.running;
        let left = whole.saturating_sub(age);
        if self.cancelled {
            return View { verdict: StateVerdict::Canceled, fraction: 0.0, left: Duration::ZERO };
        }
        if age < durations.queued {
            return View { left, ..View::fresh(durations) };
        }
        if left > Duration::ZERO || self.ending == Ending::Never {
            let ran = age.saturating_sub(durations.queued).as_secs_f64();
            let fraction = (ran / durations.running.as_secs_f64().max(0.001)).min(0.99);
            return View { verdict: StateVerdict::Running, fraction, left };
        }
        let verdict = match self.ending {
            Ending::Succeeds | Ending::Never => StateVerdict::Succeeded,
            Ending::Fails(kind) => StateVerdict::Failed { kind, message: None },
            Ending::Cancelled => StateVerdict::Canceled,
        };
        View { verdict, fraction: 1.0, left: Duration::ZERO }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_waits_runs_and_ends_by_its_age() {
        let durations = Durations { queued: Duration::from_secs(2), running: Duration::from_secs(4) };
        let job = VirtualJob {
            id: "1".to_owned(),
            origin: String::new(),
            operation: None,
            assigned_id: None,
            queue_job_id: None,
            webhook: None,
            captured: Map::new(),
            holes: Holes::default(),
            request: Value::Null,
            accepted_at: Timestamp(0),
            cancelled: false,
            ending: Ending::Fails(FailureKind::Moderated),
            links: 0,
            expired: false,
            yields: Yield::Whole,
        };
        let view = |secs: u64| job.at(Timestamp(secs as i64 * 1000), durations);
        assert_eq!(view(1).verdict, StateVerdict::Queued);
        assert_eq!((view(3).verdict, view(3).fraction), (StateVerdict::Running, 0.25));
        assert_eq!(view(6).verdict, StateVerdict::Failed { kind: FailureKind::Moderated, message: None });
        let stuck = VirtualJob { ending: Ending::Never, ..job.clone() };
        assert_eq!(stuck.at(Timestamp(60_000), durations).verdict, StateVerdict::Running);
        let cancelled = VirtualJob { cancelled: true, ..job };
        assert!(cancelled.at(Timestamp(0), durations).ended());
    }
}
