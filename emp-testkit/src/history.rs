//! A run's history, and what must hold of it whatever died on the way: a small Jepsen.
//!
//! Clients write down what they were told ([`JobHistory::acknowledged`], [`JobHistory::cancelled`], the ends that they saw), the fake
//! services what they accepted; at the end the store says what became of each job. [`check`] is a pure function over that.
//!
//! ```
//! use emp_core::job::JobState;
//! use emp_testkit::history::{Fate, JobHistory, Resends, Rule, check};
//!
//! let fate = Fate { state: JobState::Succeeded, attempts: 1, events: Vec::new() };
//! let job = JobHistory { accepted: 2, fate: Some(fate), ..JobHistory::acknowledged("job-1", "replicate", Resends::Never) };
//! let found = check(&[job]);
//! assert_eq!(found[0].rule, Rule::PaidTwice);
//! ```

use std::fmt;

use emp_core::job::{Event, EventKind, JobState};
use emp_core::spec::{ConnectorSpec, Settle};
use serde::Serialize;

/// How often a service may accept a submit of one attempt, by the connector's settle rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Resends {
    /// Once: a lost answer is settled without a second submit, or with one that the service merges.
    Never,
    /// Again for each answer that was lost: `at_least_once`, of services that cost nothing.
    WhenLost,
}

impl Resends {
    /// What a connector's declaration allows.
    pub fn of(spec: &ConnectorSpec) -> Self {
        match spec.http().map(|http| &http.submit.settle) {
            Some(Settle::AtLeastOnce) => Self::WhenLost,
            _ => Self::Never,
        }
    }
}

/// What is known of one job.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct JobHistory {
    /// Its id; a mark when it was submitted and no answer ever came.
    pub id: String,
    /// Its service.
    pub service: String,
    /// What its connector's settle rule allows.
    pub resends: Resends,
    /// A client was told that it is taken in.
    pub acknowledged: bool,
    /// A client was told that it is cancelled.
    pub cancelled: bool,
    /// The ends that clients saw, in the order in which they saw them.
    pub seen: Vec<JobState>,
    /// How many submits of it the service accepted.
    pub accepted: usize,
    /// What the store says at the end; `None` when it does not know the job.
    pub fate: Option<Fate>,
}

/// What the store says of a job at the end.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Fate {
    /// Where it is.
    pub state: JobState,
    /// Submits, as the store counted them.
    pub attempts: u32,
    /// Everything that happened to it.
    pub events: Vec<Event>,
}

impl JobHistory {
    /// A job that a client was told is taken in, of which nothing else is known yet.
    pub fn acknowledged(id: &str, service: &str, resends: Resends) -> Self {
        Self {
            id: id.to_owned(),
            service: service.to_owned(),
            resends,
            acknowledged: true,
            cancelled: false,
            seen: Vec::new(),
            accepted: 0,
            fate: None,
        }
    }
}

/// What must hold of every job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// A job that was acknowledged is there.
    Lost,
    /// It has come to rest: it has ended, or is uncertain and waits for a person.
    NoEnd,
    /// It has ended once, and as everybody saw it end.
    TwoEnds,
    /// Its service has accepted no more submits than attempts were made.
    PaidTwice,
    /// Its service has accepted none of it, if nobody was told that it is taken in and the store does not know it.
    PaidForNobody,
    /// It has not succeeded after a client was told that it is cancelled.
    CancelLost,
    /// Nothing happened to it after its end, but that a service job is kept which a fenced worker bought.
    EventAfterEnd,
    /// Its events have rising numbers, and the last of its ends is the state that it has.
    Disorder,
}

impl Rule {
    /// Every rule.
    pub const ALL: [Self; 8] = [
        Self::Lost,
        Self::NoEnd,
        Self::TwoEnds,
        Self::PaidTwice,
        Self::PaidForNobody,
        Self::CancelLost,
        Self::EventAfterEnd,
        Self::Disorder,
    ];
}

/// A rule that a job has broken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// The job.
    pub job: String,
    /// Which.
    pub rule: Rule,
    /// How.
    pub detail: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: job {}: {}", self.rule, self.job, self.detail)
    }
}

/// Every rule that a job has broken, in the order of the jobs.
pub fn check(history: &[JobHistory]) -> Vec<Violation> {
    history.iter().flat_map(of_job).collect()
}

fn of_job(job: &JobHistory) -> Vec<Violation> {
    let mut broken = Vec::new();
    let mut breaks = |rule, detail: String| broken.push(Violation { job: job.id.clone(), rule, detail });
    let Some(fate) = &job.fate else {
        if job.acknowledged {
            breaks(Rule::Lost, "it was acknowledged, and the store does not know it".to_owned());
        } else if job.accepted > 0 {
            breaks(
                Rule::PaidForNobody,
                format!("{} submits accepted, and no store knows the job", job.accepted),
            );
        }
        return broken;
    };
    let state = fate.state;
    if !state.terminal() && state != JobState::Uncertain {
        breaks(Rule::NoEnd, format!("it is still {state}"));
    }
    let all_ends: Vec<&Event> = fate.events.iter().filter(|event| ends(event.kind)).collect();
    if all_ends.len() > 1 {
        let kinds: Vec<&str> = all_ends.iter().map(|event| event.kind.as_str()).collect();
        breaks(Rule::TwoEnds, format!("it ended {} times: {}", kinds.len(), kinds.join(", ")));
    }
    if let Some(other) = job.seen.iter().find(|seen| seen.terminal() && **seen != state) {
        breaks(Rule::TwoEnds, format!("a client saw it {other}, and it is {state}"));
    }
    if job.resends == Resends::Never && job.accepted > fate.attempts as usize {
        let detail = format!("{} submits accepted, {} attempts", job.accepted, fate.attempts);
        breaks(Rule::PaidTwice, detail);
    }
    if job.cancelled && state == JobState::Succeeded {
        breaks(Rule::CancelLost, "its cancel was acknowledged, and it succeeded".to_owned());
    }
    let after = fate.events.iter().skip_while(|event| !ends(event.kind)).skip(1);
    for event in after.filter(|event| event.kind != EventKind::OrphanKept) {
        breaks(
            Rule::EventAfterEnd,
            format!("`{}` (number {}) after its end", event.kind.as_str(), event.seq),
        );
    }
    if let Some(pair) = fate.events.windows(2).find(|pair| pair[0].seq >= pair[1].seq) {
        breaks(Rule::Disorder, format!("event {} stands before event {}", pair[0].seq, pair[1].seq));
    }
    if let Some(end) = all_ends.last().filter(|end| end.state != state) {
        breaks(Rule::Disorder, format!("its last end is `{}`, and it is {state}", end.kind.as_str()));
    }
    broken
}

/// The event is an end for good.
fn ends(kind: EventKind) -> bool {
    matches!(kind, EventKind::Succeeded | EventKind::Failed | EventKind::Cancelled | EventKind::Quarantined)
}

#[cfg(test)]
mod tests {
    use emp_core::Timestamp;

    use super::*;

    fn event(seq: u64, kind: EventKind, state: JobState) -> Event {
        Event {
            seq,
            at: Timestamp(1000),
            kind,
            state,
            detail: None,
            worker: None,
            progress: None,
            delta: None,
        }
    }

    /// A job whose life was as it should be.
    fn good() -> JobHistory {
        let events = vec![
            event(1, EventKind::Queued, JobState::Queued),
            event(2, EventKind::Claimed, JobState::Running),
            event(3, EventKind::Submitting, JobState::Running),
            event(4, EventKind::LeaseLost, JobState::Queued),
            event(5, EventKind::Resumed, JobState::Running),
            event(6, EventKind::Submitted, JobState::Running),
            event(7, EventKind::Succeeded, JobState::Succeeded),
        ];
        JobHistory {
            accepted: 1,
            seen: vec![JobState::Succeeded],
            fate: Some(Fate { state: JobState::Succeeded, attempts: 1, events }),
            ..JobHistory::acknowledged("job", "service", Resends::Never)
        }
    }

    fn with(change: impl FnOnce(&mut JobHistory, &mut Fate)) -> Vec<Rule> {
        let mut job = good();
        let mut fate = job.fate.take().unwrap();
        change(&mut job, &mut fate);
        job.fate = Some(fate);
        check(&[job]).into_iter().map(|violation| violation.rule).collect()
    }

    #[test]
    fn a_life_as_it_should_be_breaks_no_rule() {
        assert_eq!(check(&[good()]), []);
        assert_eq!(with(|job, _| job.accepted = 0), [], "a service may have kept less than was attempted");
        assert_eq!(with(|job, _| job.cancelled = false), []);
        let uncertain = with(|job, fate| {
            job.seen.clear();
            fate.state = JobState::Uncertain;
            fate.events.truncate(5);
            fate.events.push(event(6, EventKind::Uncertain, JobState::Uncertain));
        });
        assert_eq!(uncertain, [], "a person is asked, so the run has done its part");
        let orphan = with(|_, fate| fate.events.push(event(8, EventKind::OrphanKept, JobState::Succeeded)));
        assert_eq!(orphan, [], "what was bought is kept, after the end as well");
    }

    #[test]
    fn every_rule_is_broken_by_a_history_that_breaks_it() {
        let lost = check(&[JobHistory { fate: None, ..good() }]);
        let nobody = check(&[JobHistory { fate: None, acknowledged: false, ..good() }]);
        let mut broken: Vec<Rule> = lost.into_iter().chain(nobody).map(|violation| violation.rule).collect();
        assert_eq!(broken, [Rule::Lost, Rule::PaidForNobody]);
        let cases: [Vec<Rule>; 7] = [
            with(|job, fate| {
                job.seen.clear();
                fate.state = JobState::Running;
                fate.events.truncate(6);
            }),
            with(|job, _| job.seen.push(JobState::Failed)),
            with(|_, fate| fate.events.insert(6, event(6, EventKind::Failed, JobState::Failed))),
            with(|job, _| job.accepted = 2),
            with(|job, _| job.cancelled = true),
            with(|_, fate| fate.events.push(event(8, EventKind::Progress, JobState::Succeeded))),
            with(|_, fate| fate.events.swap(3, 4)),
        ];
        for (case, rule) in cases.iter().zip([
            Rule::NoEnd,
            Rule::TwoEnds,
            Rule::TwoEnds,
            Rule::PaidTwice,
            Rule::CancelLost,
            Rule::EventAfterEnd,
            Rule::Disorder,
        ]) {
            assert!(case.contains(&rule), "{rule:?}: {case:?}");
        }
        broken.extend(cases.into_iter().flatten());
        assert!(Rule::ALL.iter().all(|rule| broken.contains(rule)), "{broken:?}");
    }

    #[test]
    fn what_costs_nothing_may_be_sent_again() {
        let free = with(|job, _| (job.resends, job.accepted) = (Resends::WhenLost, 3));
        assert_eq!(free, []);
    }

    #[test]
    fn a_job_that_was_never_acknowledged_and_never_paid_is_nobodys_concern() {
        let job = JobHistory { acknowledged: false, fate: None, accepted: 0, ..good() };
        assert_eq!(check(&[job]), []);
    }

    #[test]
    fn a_state_that_no_event_tells_is_disorder() {
        let rules = with(|job, fate| {
            job.seen.clear();
            fate.state = JobState::Failed;
        });
        assert!(rules.contains(&Rule::Disorder), "{rules:?}");
    }
}
