//! What a declaration says, judged without a job: contradictions fail, what could be better is advice.

use std::collections::BTreeSet;
use std::time::Duration;

use emp_core::connector::Loaded;
use emp_core::error::FailureKind;
use emp_core::spec::{Auth, CancelScope, ConnectorSpec, HttpProtocol, RequestSpec, Settle, States, Unknown};
use emp_core::syntax::rule::StateVerdict;
use emp_engine::context;
use emp_engine::decide::Verdict;
use serde_json::Value;

use super::conduct::kind_of;
use super::oracle::{decides_late, request};
use super::plan::Plan;
use super::scenario::{Group, Judged, Scenario};
use crate::answer;

/// The static scenarios.
pub(crate) fn plans(connector: &Loaded, payload: &Value) -> Vec<Plan> {
    let spec = connector.spec;
    let row = |name: &str, about: &str, judged: Judged| {
        Plan::done(Scenario::new(Group::Static, name, about), judged)
    };
    let mut plans = vec![row("docs", "every part that people read is described", docs(spec))];
    let Some(http) = spec.http() else {
        let reason =
            "a custom connector declares no protocol: its code is judged by the scenarios that run it";
        plans.push(row("protocol", "the declared protocol", Judged::not_applicable(reason)));
        return plans;
    };
    plans.extend([
        row("settle", "a lost answer to a submit that costs money is never paid twice", settle(http)),
        row("captures", "what the service names is kept", captures(http)),
        row(
            "poll_names_job",
            "a poll names the job that it asks after",
            poll_names_job(connector, http, payload),
        ),
        row("success", "a job can be seen to succeed", success(http)),
        row("failure", "a job can be seen to fail", failure(http)),
        row("unknown_status", "a status that nobody declared has a declared meaning", unknown(http)),
        row(
            "missing_job",
            "a job that the service does not know any more comes to an end",
            missing(connector, http, payload),
        ),
        row("cancel", "a job that costs money while it runs can be cancelled", cancel(http)),
        row(
            "cancel_route",
            "a cancel names its job, and is no other request",
            cancel_route(connector, http, payload),
        ),
        row("canceled", "a job that was cancelled is seen to be", canceled(http)),
        row("deadline", "the deadline leaves room for a job", deadline(connector, http)),
        row("result_lifetime", "a result is fetched before the service deletes it", lifetime(spec, http)),
        row("credential", "requests carry a credential", credential(http)),
        row(
            "classification",
            "refusals mean for the queue what they are",
            classification(connector, payload),
        ),
        row("message", "the service's own words about a failure are read", message(http)),
        row("health", "the service's health can be asked", health(http)),
        row("output", "the result's shape is declared", output(spec)),
    ]);
    plans
}

fn docs(spec: &ConnectorSpec) -> Judged {
    let bare: Vec<&str> = spec
        .env
        .iter()
        .filter(|field| field.description.trim().is_empty())
        .map(|field| field.variable)
        .collect();
    if spec.description.trim().is_empty() {
        return Judged::advice("the struct has no doc comment");
    }
    if bare.is_empty() {
        Judged::pass()
    } else {
        Judged::advice(format!("no doc comment: {}", bare.join(", ")))
    }
}

fn settle(http: &HttpProtocol) -> Judged {
    let paid: Vec<&Settle> =
        http.submits().filter(|submit| submit.billable).map(|submit| &submit.settle).collect();
    if paid.is_empty() {
        Judged::passes("its submits cost nothing")
    } else if paid.iter().any(|settle| matches!(settle, Settle::AtLeastOnce)) {
        Judged::advice("`at_least_once` and `billable`: a lost answer may be paid twice, in so many words")
    } else if paid.iter().all(|settle| matches!(settle, Settle::AtMostOnce)) {
        Judged::passes("never sent again: the job becomes uncertain")
    } else {
        Judged::passes("settled at the service")
    }
}

fn captures(http: &HttpProtocol) -> Judged {
    let names: BTreeSet<&str> =
        http.submits().flat_map(|submit| submit.capture).map(|capture| capture.name).collect();
    if names.is_empty() {
        return Judged::passes("nothing is captured");
    }
    let names: Vec<&str> = names.into_iter().collect();
    Judged::passes(format!("kept with the job: {}", names.join(", ")))
}

fn poll_names_job(connector: &Loaded, http: &HttpProtocol, payload: &Value) -> Judged {
    let Some(poll) = &http.poll else {
        return Judged::not_applicable("it is synchronous: nothing is polled");
    };
    match names_job(connector, payload, &poll.request) {
        Some(true) => Judged::pass(),
        Some(false) => Judged::fail("the poll is the same request for every job"),
        None => Judged::not_applicable("the poll needs more of the job than a sample has"),
    }
}

/// Whether a request differs between two jobs; `None` when it cannot be made for a sample.
fn names_job(connector: &Loaded, payload: &Value, spec: &RequestSpec) -> Option<bool> {
    Some(request(connector, payload, spec, "one")? != request(connector, payload, spec, "other")?)
}

/// Whether some word or rule says it.
fn says(states: &States, is: impl Fn(&StateVerdict) -> bool) -> bool {
    states.sets.iter().filter(|set| !set.words.is_empty()).map(|set| &set.verdict).any(&is)
        || states.rules.iter().map(|rule| &rule.then).any(is)
}

fn success(http: &HttpProtocol) -> Judged {
    if says(&http.states, |verdict| *verdict == StateVerdict::Succeeded) {
        return Judged::pass();
    }
    match &http.poll {
        None if http.states.at.is_empty() => Judged::passes("every 2xx answer is a success"),
        _ => Judged::fail("no word and no rule says `succeeded`: every job would run into its deadline"),
    }
}

fn failure(http: &HttpProtocol) -> Judged {
    let says = says(&http.states, |verdict| matches!(verdict, StateVerdict::Failed { .. }));
    match (says, &http.poll, http.states.at.is_empty()) {
        (true, ..) => Judged::pass(),
        (false, None, _) => Judged::passes("a refusal of the one request is the failure"),
        (false, Some(_), false) => Judged::fail(
            "no word and no rule says `failed`: a job that fails at the service would run into its deadline",
        ),
        (false, Some(_), true) => {
            Judged::advice("no rule says `failed`: a job that fails at the service runs into its deadline")
        }
    }
}

fn unknown(http: &HttpProtocol) -> Judged {
    match (http.states.at.is_empty(), http.states.unknown) {
        (true, _) => Judged::not_applicable("its states have no vocabulary"),
        (false, Unknown::Failed) => Judged::passes("it fails the job"),
        (false, _) => Judged::passes("the job goes on for a while, with a warning"),
    }
}

fn missing(connector: &Loaded, http: &HttpProtocol, payload: &Value) -> Judged {
    if http.poll.is_none() {
        return Judged::not_applicable("it is synchronous: nothing is polled");
    }
    match decides_late(connector, payload, &answer::refusal(http, 404, "no such job")) {
        Some(Verdict::Pending(_)) => Judged::advice(
            "a poll answered with 404 is taken for a job that runs, for ever: bind the rule to an age, `404 && age < \"1m\"`",
        ),
        Some(Verdict::Lost) => Judged::passes("a rule says `lost`"),
        Some(Verdict::Failed { .. }) => Judged::passes("a rule says `failed`"),
        _ => Judged::passes("404 three times over half a minute is `lost`"),
    }
}

fn cancel(http: &HttpProtocol) -> Judged {
    match (&http.cancel, &http.poll) {
        (Some(_), _) => Judged::pass(),
        (None, None) => Judged::not_applicable("it is synchronous: its one request is the job"),
        (None, Some(_)) if !http.submits().any(|submit| submit.billable) => {
            Judged::passes("its submits cost nothing")
        }
        (None, Some(_)) => Judged::advice(
            "no `#[cancel]`: a cancelled job runs on at the service, and is paid for to its end",
        ),
    }
}

fn cancel_route(connector: &Loaded, http: &HttpProtocol, payload: &Value) -> Judged {
    let Some(cancel) = &http.cancel else { return Judged::not_applicable("it declares no cancel") };
    let made = |spec: &RequestSpec| {
        let made = request(connector, payload, spec, "one")?;
        Some((made.method, made.url, made.body))
    };
    if cancel.drops_connection() {
        return Judged::passes("the connection closes");
    }
    for (_, spec) in cancel.requests() {
        let Some(own) = made(spec) else {
            return Judged::not_applicable("the cancel needs more of the job than a sample has");
        };
        if made(&http.submit.request).as_ref() == Some(&own) {
            return Judged::fail("the cancel is the same request as the submit");
        }
        if http.poll.as_ref().and_then(|poll| made(&poll.request)).as_ref() == Some(&own) {
            return Judged::fail("the cancel is the same request as the poll: it only asks");
        }
        // One that ends whatever runs names none, and says so.
        let names =
            cancel.scope == CancelScope::Service || names_job(connector, payload, spec) != Some(false);
        if !names {
            return Judged::fail(
                "the cancel is the same request for every job: it cancels none, or all of them",
            );
        }
    }
    Judged::pass()
}

fn canceled(http: &HttpProtocol) -> Judged {
    let Some(_) = http.cancel.as_ref().filter(|_| http.poll.is_some()) else {
        return Judged::not_applicable("it declares no cancel of a polled job");
    };
    let told = |verdict: &StateVerdict| matches!(verdict, StateVerdict::Canceled | StateVerdict::Lost);
    if says(&http.states, told) {
        return Judged::pass();
    }
    Judged::advice(
        "no word and no rule says `canceled`: a cancel can be confirmed by 404 or by a failure only",
    )
}

fn deadline(connector: &Loaded, http: &HttpProtocol) -> Judged {
    let pace = &connector.spec.pace;
    let deadline = context::duration(&pace.deadline, connector);
    let hold = http.submit.hold.as_ref().map(|hold| context::duration(hold, connector)).unwrap_or_default();
    if deadline <= hold {
        return Judged::fail(format!(
            "the deadline ({deadline:?}) is not after the time for which the submit is held ({hold:?})"
        ));
    }
    if http.poll.is_some() && deadline <= pace.first + pace.max {
        return Judged::advice(format!(
            "the deadline ({deadline:?}) comes before the second poll at the slowest pace (first {:?}, max {:?})",
            pace.first, pace.max
        ));
    }
    Judged::passes(format!("given up after {deadline:?}"))
}

fn lifetime(spec: &ConnectorSpec, http: &HttpProtocol) -> Judged {
    match http.outcome.keep_for {
        None => Judged::not_applicable("it does not say for how long the service keeps a result"),
        Some(keep) if keep < spec.pace.max + Duration::from_mins(1) => Judged::advice(format!(
            "the service keeps a result for {keep:?}, and the slowest pace asks each {:?}",
            spec.pace.max
        )),
        Some(_) => Judged::pass(),
    }
}

fn credential(http: &HttpProtocol) -> Judged {
    match http.auth {
        Auth::None => Judged::passes("none is declared"),
        _ => Judged::pass(),
    }
}

fn classification(connector: &Loaded, payload: &Value) -> Judged {
    let wrong: Vec<String> = [400, 401, 402, 403, 422, 429, 500, 503]
        .into_iter()
        .filter_map(|code| {
            let kind = kind_of(connector, payload, code)?;
            let right = match code {
                // A code of its own among the 4xx may be anything that does not pass by itself.
                400 | 422 | 402 => !kind.retriable(),
                401 | 403 => !kind.retriable() && kind != FailureKind::InvalidInput,
                429 => {
                    matches!(kind, FailureKind::RateLimited | FailureKind::Capacity | FailureKind::Billing)
                }
                _ => kind.retriable() || kind == FailureKind::Service,
            };
            (!right).then(|| format!("{code} => {}", kind.word()))
        })
        .collect();
    if wrong.is_empty() { Judged::pass() } else { Judged::advice(format!("unusual: {}", wrong.join(", "))) }
}

fn message(http: &HttpProtocol) -> Judged {
    if http.errors.message.is_empty() {
        return Judged::advice("`#[errors(message = ..)]` is missing: people see a code and no words");
    }
    Judged::pass()
}

fn health(http: &HttpProtocol) -> Judged {
    if http.health.is_some() {
        return Judged::pass();
    }
    Judged::advice("no `#[health]`: a service that is down is noticed by the first job that fails")
}

fn output(spec: &ConnectorSpec) -> Judged {
    if spec.output.is_some() { Judged::pass() } else { Judged::passes("any JSON") }
}
