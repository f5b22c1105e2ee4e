//! Cancels at every stage of a job, and workers that die at every phase of it.

use std::time::Duration;

use emp_core::connector::Loaded;
use emp_core::job::UpstreamCancel;
use emp_core::spec::{CancelScope, CancelStage, HttpProtocol};
use emp_core::syntax::rule::CodePattern;

use super::plan::{Plan, Work};
use super::scenario::{Group, Judged, Scenario};
use super::script::{Expect, Life, Script};
use crate::answer::first_code;
use crate::fault::{Fault, Step, Trouble, When};
use crate::job::Ending;
use crate::kill::Moment;

/// Longer than a job of the fake runs.
const ENDED: Duration = Duration::from_mins(10);

/// The scenarios of cancels.
pub(crate) fn cancels(connector: &Loaded, truth: Option<&HttpProtocol>) -> Vec<Plan> {
    let row = |name: &str, about: &str, work: Work| Plan {
        scenario: Scenario::new(Group::Cancel, name, about),
        work,
    };
    let Some(http) = connector.spec.http() else {
        let script =
            Script::new(Expect::Cancelled(&[UpstreamCancel::Unsupported, UpstreamCancel::Confirmed]));
        let work = script.life(Life::Cancelled(Duration::ZERO)).into();
        return vec![row("running", "a cancel of a running job ends it", work)];
    };
    let about = "a cancel, at every stage of a job";
    if http.poll.is_none() {
        let reason = "it is synchronous: its one request is the job";
        return vec![row("all", about, Judged::not_applicable(reason).into())];
    }
    let cancelled = |words, ending| {
        Script::new(Expect::Cancelled(words)).ending(ending).life(Life::Cancelled(Duration::ZERO))
    };
    let Some(cancel) = &http.cancel else {
        let work = cancelled(&[UpstreamCancel::Unsupported], Ending::Never).into();
        return vec![row(
            "undeclared",
            "without a cancel at the service the job ends here, and says so",
            work,
        )];
    };
    let confirmed: &[UpstreamCancel] = &[UpstreamCancel::Confirmed];
    let refused: &[UpstreamCancel] = &[UpstreamCancel::Refused, UpstreamCancel::Confirmed];
    let uncertain: &[UpstreamCancel] = &[UpstreamCancel::Unknown, UpstreamCancel::Refused];
    let declared = truth.and_then(|truth| truth.cancel.as_ref()).unwrap_or(cancel);
    let gone = |codes: &[CodePattern]| first_code(codes, 404);
    let trouble = |script: Script, trouble| {
        let fault = Fault::at(Step::Cancel, trouble).when(When::Always);
        Work::Play(script.fault(fault))
    };
    vec![
        row(
            "queued",
            "a cancel of a job that waits at the service ends it there",
            if cancel.scope == CancelScope::Service || cancel.at(CancelStage::Queued).is_none() {
                Judged::not_applicable("its cancel is for jobs that run").into()
            } else {
                cancelled(confirmed, Ending::Succeeds).queued().into()
            },
        ),
        row(
            "running",
            "a cancel of a job that runs at the service ends it there",
            if cancel.at(CancelStage::Running).is_none() {
                Judged::not_applicable("its cancel is for jobs that wait").into()
            } else {
                cancelled(confirmed, Ending::Never).into()
            },
        ),
        row(
            "too_late",
            "a cancel of a job that has ended at the service is too late, and the job ends here",
            Script::new(Expect::Cancelled(refused)).life(Life::Cancelled(ENDED)).into(),
        ),
        row(
            "gone",
            "a cancel of a job that the service does not know any more ends it here",
            if declared.gone.is_empty() {
                trouble(cancelled(uncertain, Ending::Never), Trouble::Status(404))
            } else {
                // The job is gone, so nothing of it runs on.
                // One that asks first finds out before it is sent.
                let asks = cancel.ask_first || !cancel.stages.is_empty() || cancel.scope != CancelScope::Job;
                let words = if asks { refused } else { confirmed };
                let script = Script::new(Expect::Cancelled(words)).life(Life::Cancelled(ENDED));
                trouble(script, Trouble::Status(gone(declared.gone)))
            },
        ),
        row(
            "ignored",
            "a cancel that the service accepts and ignores is not called confirmed",
            trouble(cancelled(uncertain, Ending::Never), Trouble::Ignored),
        ),
        row(
            "failing",
            "a cancel that the service fails at ends the job here",
            trouble(cancelled(uncertain, Ending::Never), Trouble::Status(500)),
        ),
    ]
}

/// The scenarios of workers that die.
pub(crate) fn crashes(connector: &Loaded) -> Vec<Plan> {
    let http = connector.spec.http();
    let polled = http.is_some_and(|http| http.poll.is_some());
    let custom = http.is_none();
    let row = |name: &str, about: &str, work: Work| Plan {
        scenario: Scenario::new(Group::Crash, name, about),
        work,
    };
    let at = |moment, expect| Work::Play(Script::new(expect).life(Life::DiesAt(moment)));
    let stored = |moment, why: &str| {
        if polled || custom { at(moment, Expect::Succeeds) } else { Judged::not_applicable(why).into() }
    };
    let sync = "it is synchronous: no id of the service is stored";
    let faulty = |step, trouble, expect| {
        let script = Script::new(expect).fault(Fault::at(step, trouble));
        Work::Play(script.life(Life::DiesDuring(step)))
    };
    let unfaked =
        || Work::Done(Judged::not_applicable("a custom connector has no service that could be faked"));
    let bytes = |trouble| if custom { unfaked() } else { faulty(Step::Submit, trouble, Expect::Settles) };
    let poll = if polled {
        faulty(Step::Poll, Trouble::Timeout, Expect::Succeeds)
    } else if custom {
        unfaked()
    } else {
        Judged::not_applicable("it is synchronous: nothing is polled").into()
    };
    // The answer of a synchronous service is the result: when it is lost, the submit is unsettled.
    let end = if polled || custom { Expect::Succeeds } else { Expect::Settles };
    vec![
        row(
            "prepared",
            "dies before the intent is stored: nothing was sent",
            at(Moment::BeforeIntent, Expect::Succeeds),
        ),
        row(
            "submitting",
            "dies before the first byte of the submit",
            at(Moment::AfterIntent, Expect::Settles),
        ),
        row(
            "submitting.unaccepted",
            "dies after the submit left, and before it is accepted",
            bytes(Trouble::Timeout),
        ),
        row(
            "submitting.accepted",
            "dies after the submit was accepted, and before its answer",
            bytes(Trouble::TimeoutAfter),
        ),
        row(
            "submitting.answered",
            "dies after the submit's answer, and before its id is stored",
            if polled || custom {
                at(Moment::BeforeId, Expect::Settles)
            } else {
                Judged::not_applicable(sync).into()
            },
        ),
        row(
            "submitted",
            "dies as soon as the id is stored: never submitted again",
            stored(Moment::AfterId, sync),
        ),
        row("waiting", "dies between two polls: never submitted again", stored(Moment::Waiting, sync)),
        row("polling", "dies during a poll: never submitted again", poll),
        row("finishing", "dies with the result, before it is stored", at(Moment::BeforeEnd, end)),
    ]
}
