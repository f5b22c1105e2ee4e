//! Conduct under the faults F24 to F43 of a service (`reliability.md` section 6), as far as they apply to a connector's shape.
//! One that does not apply is listed with its reason.

use std::time::Duration;

use emp_core::ErrorCode;
use emp_core::connector::Loaded;
use emp_core::error::FailureKind;
use emp_core::spec::{ConnectorSpec, HttpProtocol, Settle, Submit};
use emp_core::syntax::rule::StateVerdict;
use emp_engine::context::{self, Context};
use emp_engine::decide::Verdict;
use emp_engine::operation;
use serde_json::Value;

use super::calls;
use super::oracle::{decides, refuses};
use super::plan::{Plan, Work};
use super::scenario::{Group, Judged, Scenario};
use super::script::{Expect, Life, Script};
use crate::answer;
use crate::draft::Draft;
use crate::fault::{Fault, Step, Trouble, When};
use crate::job::Ending;

/// What a service asks a client to wait.
const WAIT: Duration = Duration::from_secs(40);

/// The connector under test, as far as the choice of scenarios depends on it.
struct Shape<'a> {
    connector: &'a Loaded,
    http: &'a HttpProtocol,
    truth: &'a HttpProtocol,
    payload: &'a Value,
}

/// The scenarios of conduct. `steps` are those that a whole job takes.
pub(crate) fn plans(connector: &Loaded, truth: &ConnectorSpec, payload: &Value, steps: &[Step]) -> Vec<Plan> {
    let (Some(http), Some(truth)) = (connector.spec.http(), truth.http()) else {
        let scenario = Scenario::new(Group::Conduct, "F24-F43", "conduct under the faults of a service");
        let reason = "a custom connector declares no service that could be faked";
        return vec![Plan::done(scenario, Judged::not_applicable(reason))];
    };
    let shape = Shape { connector, http, truth, payload };
    let mut plans = shape.of_submits();
    plans.extend(shape.of_polls());
    plans.extend(shape.of_others(steps));
    plans
}

pub(super) fn row(name: &str, about: &str, work: impl Into<Work>) -> Plan {
    Plan { scenario: Scenario::new(Group::Conduct, name, about), work: work.into() }
}

impl From<Script> for Work {
    fn from(script: Script) -> Self {
        Self::Play(script)
    }
}

impl From<Judged> for Work {
    fn from(judged: Judged) -> Self {
        Self::Done(judged)
    }
}

fn at(step: Step, trouble: Trouble) -> Fault {
    Fault::at(step, trouble)
}

fn submit(expect: Expect, trouble: Trouble) -> Work {
    Script::new(expect).fault(at(Step::Submit, trouble)).into()
}

impl Shape<'_> {
    fn polled(&self) -> bool {
        self.http.poll.is_some()
    }

    /// How a usual job is submitted.
    fn submit<'h>(&self, http: &'h HttpProtocol) -> &'h Submit {
        operation::submit(http, &Context { payload: self.payload, ..Context::bare(self.connector) })
    }

    fn only_polled(&self, work: impl FnOnce() -> Work) -> Work {
        if self.polled() {
            work()
        } else {
            Judged::not_applicable("it is synchronous: nothing is polled").into()
        }
    }

    fn of_submits(&self) -> Vec<Plan> {
        let mut plans = vec![
            row(
                "F24.refused_connection",
                "a connection that is refused costs no attempt",
                Script::new(Expect::Succeeds).life(Life::Closed),
            ),
            row(
                "F24.unknown_name",
                "a service whose name is not known costs no attempt",
                Script::new(Expect::Succeeds).life(Life::Nameless),
            ),
            row(
                "F24.no_tls",
                "a secure connection that does not come about costs no attempt",
                Script::new(Expect::Succeeds).life(Life::Untrusted),
            ),
            row(
                "F26.no_id",
                "an answer without an id is settled, and no silent success",
                self.only_polled(|| submit(Expect::Settles, Trouble::NoId)),
            ),
            row(
                "F26.html",
                "a page of HTML is settled, and no silent success",
                self.unreadable(Trouble::Html),
            ),
        ];
        for code in [400, 401, 403, 404, 422] {
            let about = format!("a submit refused with {code} costs nothing");
            plans.push(row(&format!("F27.{code}"), &about, submit(Expect::Refused, Trouble::Status(code))));
        }
        plans.extend([
            row(
                "F27.quoted_credential",
                "a refusal that quotes the credential does not spread it",
                submit(Expect::Refused, Trouble::QuotesCredential),
            ),
            row(
                "F28.402",
                "a refusal for want of credit costs nothing",
                submit(Expect::Refused, Trouble::Refused(FailureKind::Billing)),
            ),
            row("F29.key_in_flight", "a key that is in flight there is waited for", self.key_in_flight()),
            row(
                "F30.429",
                "a rate limit is obeyed, and is no attempt",
                submit(Expect::SucceedsAfter(WAIT), Trouble::RetryAfter(429, WAIT)),
            ),
        ]);
        for code in [500, 502, 503, 504] {
            let about = format!("a {code} that may have been accepted is settled");
            plans.push(row(&format!("F31.{code}"), &about, self.server_error(Trouble::Status(code), code)));
        }
        for code in [500, 503] {
            let about = format!("a {code} for a submit that was accepted is settled");
            let work = self.server_error(Trouble::StatusAfter(code), code);
            plans.push(row(&format!("F31.{code}_accepted"), &about, work));
        }
        let lost = [
            ("F32.silence", "a submit that nobody answers is settled", Trouble::Timeout),
            (
                "F32.silence_accepted",
                "the answer to an accepted submit never comes: settled",
                Trouble::TimeoutAfter,
            ),
            ("F32.slow", "an answer that comes a byte at a time is settled", Trouble::SlowBody),
            ("F33.cut", "a connection that breaks off without an answer is settled", Trouble::Cut),
            (
                "F33.cut_accepted",
                "a connection that breaks off after an accepted submit is settled",
                Trouble::CutAfter,
            ),
            ("F33.cut_body", "an answer that breaks off half-way is settled", Trouble::CutBody),
            ("F34.huge", "an answer without end is cut off and settled", Trouble::HugeBody),
            ("F35.encoded", "a compressed answer that nobody asked for is settled", Trouble::Encoded),
        ];
        plans.extend(lost.map(|(name, about, trouble)| row(name, about, submit(Expect::Settles, trouble))));
        plans
    }

    /// An answer of 2xx that cannot be read. For a synchronous connector it is the result, so it cannot be settled.
    fn unreadable(&self, trouble: Trouble) -> Work {
        submit(if self.polled() { Expect::Settles } else { Expect::NoSuccess }, trouble)
    }

    fn key_in_flight(&self) -> Work {
        match self.submit(self.http).settle {
            Settle::Idempotent { .. } => {
                let conflict = at(Step::Submit, Trouble::Status(409)).when(When::Nth(2));
                let lost = at(Step::Submit, Trouble::CutAfter);
                Script::new(Expect::Settles).fault(lost).fault(conflict).into()
            }
            _ => Judged::not_applicable("its submits carry no idempotency key").into(),
        }
    }

    /// A 5xx is unknown, unless the service's description says that it accepts nothing then.
    fn server_error(&self, trouble: Trouble, code: u16) -> Work {
        let rejects = self.submit(self.truth).rejects.iter().any(|pattern| pattern.matches(code));
        match (rejects, &trouble) {
            (true, Trouble::StatusAfter(_)) => {
                Judged::not_applicable(format!("by the service's description a {code} accepts nothing"))
                    .into()
            }
            (true, _) => submit(Expect::Succeeds, trouble),
            _ => submit(Expect::Settles, trouble),
        }
    }

    /// What the connector makes of a poll that is refused with a code.
    fn poll_says_end(&self, code: u16) -> bool {
        let draft = answer::refusal(self.truth, code, "fault of the fake service");
        self.says_end(&draft)
    }

    fn says_end(&self, draft: &Draft) -> bool {
        let verdict = decides(self.connector, self.payload, draft);
        matches!(
            verdict,
            Some(Verdict::Failed { .. } | Verdict::Lost | Verdict::Canceled | Verdict::Succeeded)
        )
    }

    fn of_polls(&self) -> Vec<Plan> {
        let goes_on = |trouble: Trouble, when: When| -> Work {
            Script::new(Expect::Succeeds).fault(at(Step::Poll, trouble).when(when)).into()
        };
        let mut plans = Vec::new();
        for code in [500, 503] {
            let about = format!("polls that are refused with {code} for a while change nothing");
            let work = self.only_polled(|| {
                if self.poll_says_end(code) {
                    return Judged::not_applicable(format!("its states say that a {code} is the end")).into();
                }
                goes_on(Trouble::Status(code), When::First(4))
            });
            plans.push(row(&format!("F36.{code}"), &about, work));
        }
        plans.extend([
            row(
                "F36.cut",
                "polls whose connection breaks off change nothing",
                self.only_polled(|| goes_on(Trouble::Cut, When::First(3))),
            ),
            row(
                "F36.silence",
                "a poll that nobody answers changes nothing",
                self.only_polled(|| goes_on(Trouble::Timeout, When::Nth(1))),
            ),
            row(
                "F36.cut_body",
                "a poll whose answer breaks off half-way changes nothing",
                self.only_polled(|| goes_on(Trouble::CutBody, When::Nth(1))),
            ),
            row(
                "F36.html",
                "a page of HTML instead of a status changes nothing",
                // Once, while the job runs for sure: a code that alone says that it is done would be believed.
                self.only_polled(|| goes_on(Trouble::Html, When::Nth(1))),
            ),
            row(
                "F36.429",
                "a poll that comes too often waits as the service says",
                self.only_polled(|| {
                    let fault = at(Step::Poll, Trouble::RetryAfter(429, WAIT));
                    Script::new(Expect::SucceedsAfter(WAIT)).fault(fault).into()
                }),
            ),
            row(
                "F36.huge",
                "a poll's answer without end is cut off",
                self.only_polled(|| {
                    Script::new(Expect::Ends).fault(at(Step::Poll, Trouble::HugeBody)).into()
                }),
            ),
            row(
                "F36.deadline",
                "a job that never ends is given up at its deadline",
                self.only_polled(|| {
                    let script = Script::new(Expect::Fails(vec![ErrorCode::EDeadline])).ending(Ending::Never);
                    script.fault(at(Step::Poll, Trouble::Timeout)).life(Life::Late(Step::Poll)).into()
                }),
            ),
            row(
                "F36.unknown_status",
                "a status that nobody declared does not go on for ever",
                self.unknown_status(),
            ),
            row(
                "F37.missing",
                "a job that the service does not show at once is asked after again",
                self.missing(),
            ),
            row(
                "F37.lost",
                "a job that the service forgot is lost, and not bought again",
                self.only_polled(|| {
                    let fault = at(Step::Poll, Trouble::Forgotten).when(When::Always);
                    Script::new(Expect::Fails(Vec::new())).fault(fault).into()
                }),
            ),
            row("F38.retriable", "a failure that passes is tried again, as a new attempt", self.retriable()),
            row(
                "F39.backwards",
                "a state and a progress that go backwards change nothing",
                self.only_polled(|| goes_on(Trouble::Backwards, When::Nth(3))),
            ),
            row("F40.other_id", "an answer about another job is not believed", self.another()),
        ]);
        plans
    }

    fn unknown_status(&self) -> Work {
        if self.truth.states.at.is_empty() {
            return Judged::not_applicable("its states have no vocabulary: every answer is judged by a rule")
                .into();
        }
        self.only_polled(|| {
            let fault = at(Step::Poll, Trouble::UnknownStatus).when(When::Always);
            let codes = vec![ErrorCode::EUnknownStatus, ErrorCode::EDeadline];
            Script::new(Expect::Fails(codes)).fault(fault).into()
        })
    }

    fn missing(&self) -> Work {
        self.only_polled(|| {
            if self.says_end(&answer::unknown_job(self.truth)) {
                return Judged::not_applicable("its states say that a job which is not shown has ended")
                    .into();
            }
            Script::new(Expect::Succeeds)
                .fault(at(Step::Poll, Trouble::Forgotten).when(When::First(2)))
                .into()
        })
    }

    fn another(&self) -> Work {
        self.only_polled(|| {
            if self.http.poll.as_ref().is_none_or(|poll| poll.echo.is_empty()) {
                let reason = "its declaration does not say where an answer repeats the job's id";
                return Judged::not_applicable(reason).into();
            }
            // One may be a glitch, and is asked about again; a service that answers so for ever is left.
            let fault = at(Step::Poll, Trouble::AnotherJob).when(When::First(2));
            Script::new(Expect::Succeeds).fault(fault).into()
        })
    }

    fn retriable(&self) -> Work {
        let sets = self.truth.states.sets.iter().map(|set| &set.verdict);
        let verdicts = sets.chain(self.truth.states.rules.iter().map(|rule| &rule.then));
        let kind = verdicts.into_iter().find_map(|verdict| match verdict {
            StateVerdict::Failed { kind, .. } if kind.retriable() => Some(*kind),
            _ => None,
        });
        let attempts = context::count(&self.connector.spec.limits.attempts, self.connector).unwrap_or(1);
        match kind {
            None => Judged::not_applicable("none of its states is a failure that passes").into(),
            Some(_) if attempts < 2 => Judged::not_applicable("it declares one attempt").into(),
            Some(kind) => Script::new(Expect::Retries)
                .fault(at(Step::Submit, Trouble::JobFails(kind)))
                .attempts()
                .into(),
        }
    }

    /// The steps beside submit and poll that a job takes, whichever the language has; and the origins.
    fn of_others(&self, steps: &[Step]) -> Vec<Plan> {
        let mut plans = Vec::new();
        let known = [Step::Submit, Step::Poll, Step::Cancel, Step::Health, Step::Lookup];
        let more: Vec<Step> = steps.iter().copied().filter(|step| !known.contains(step)).collect();
        for step in &more {
            let fetches = fetching(*step, step.word(), &Expect::Ends).into_iter();
            plans.extend(fetches.map(|(name, about, script)| row(&name, &about, script)));
        }
        if more.is_empty() {
            let reason = "its result is in the answers of submit and poll: nothing is fetched";
            plans.push(row("F41.result", "a result that cannot be fetched", Judged::not_applicable(reason)));
        }
        plans.extend(calls::plans(self.http));
        plans.push(row(
            "origin.redirect",
            "a redirect to another origin is not followed",
            self.only_polled(|| Script::new(Expect::Ends).trap(Step::Poll).into()),
        ));
        let captured = self.submit(self.http).capture.iter().any(|capture| capture.name.ends_with("url"));
        let work: Work = if captured {
            Script::new(Expect::Ends).trap(Step::Submit).into()
        } else {
            Judged::not_applicable("it follows no URL that the service supplies").into()
        };
        plans.push(row("origin.foreign_url", "a URL of another origin is not followed", work));
        plans
    }
}

/// A step beside submit and poll that goes wrong, under a word for it: names, what is asked, and the scripts.
pub(super) fn fetching(step: Step, word: &str, expect: &Expect) -> Vec<(String, String, Script)> {
    let troubles = [
        ("404", Trouble::Status(404)),
        ("500", Trouble::Status(500)),
        ("silence", Trouble::Timeout),
        ("cut", Trouble::Cut),
        ("cut_body", Trouble::CutBody),
        ("huge", Trouble::HugeBody),
    ];
    let row = |(name, trouble)| {
        let about = format!("a {word} that meets `{name}` leads to an end, paid once");
        // Who waits for an answer that does not come has little patience with those that do, on a busy machine too.
        let expect = if trouble == Trouble::Timeout { Expect::Ends } else { expect.clone() };
        (format!("F41.{word}.{name}"), about, Script::new(expect).fault(at(step, trouble)))
    };
    troubles.map(row).into()
}

/// What the connector makes of a refused submit, for the static checks.
pub(crate) fn kind_of(connector: &Loaded, payload: &Value, code: u16) -> Option<FailureKind> {
    let draft = answer::refusal(connector.spec.http()?, code, "refused");
    refuses(connector, payload, &draft).map(|refusal| refusal.kind)
}
