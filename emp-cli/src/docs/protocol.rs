//! What a connector asks of its service and what it makes of the answers.

use std::time::Duration;

use emp_core::spec::{
    Base, Capture, ConnectorSpec, Files, HttpProtocol, Outcome, Poll, Setting, States, Submit, Unknown,
};
use emp_core::syntax::rule::{FailureKind, StateVerdict};
use emp_core::syntax::selector::Selector;

use super::markdown::{Page, code, codes, table};
use super::{life, request};

pub(super) fn describe(page: &mut Page, spec: &ConnectorSpec, http: &HttpProtocol) {
    page.section("Requests");
    page.points(&service(spec, http));
    for step in http.prepare {
        page.part("Before the submit");
        request::describe(page, spec, &step.request);
        let mut points: Vec<String> = Vec::new();
        points.extend(step.each.as_ref().map(|each| format!("once for each element of {}", code(each))));
        points.extend(step.when.as_ref().map(|when| format!("only when {}", code(when))));
        points.extend(captures("gives", step.capture));
        page.points(&points);
    }
    for (index, submit) in http.submits().enumerate() {
        let when = http.operations.get(index).map(|operation| format!(" when {}", code(&operation.when)));
        page.part(&format!("Submit{}", when.unwrap_or_default()));
        self::submit(page, spec, submit);
    }
    for poll in http.polls() {
        page.part("Poll");
        self::poll(page, spec, poll);
    }
    if let Some(batch) = &http.batch_poll {
        page.part("Poll of many jobs");
        request::describe(page, spec, &batch.request);
        let when = format!("while more than {} wait, every {}", batch.worth_it_above, time(batch.every));
        let places = [
            ("the jobs", std::slice::from_ref(&batch.listed.items)),
            ("the id of each", std::slice::from_ref(&batch.listed.id)),
            ("the next page", batch.next),
        ];
        let places = places.into_iter().filter_map(|(what, from)| found(what, from));
        page.points(&std::iter::once(when).chain(places).collect::<Vec<_>>());
    }
    if let Some(cancel) = &http.cancel {
        life::cancel(page, spec, cancel);
    }
    life::cleanup(page, spec, http);
    life::webhook(page, spec, http);
    if let Some(health) = &http.health {
        page.part("Health");
        request::describe(page, spec, &health.request);
        let mut points = vec![format!("asked every {}", time(health.every))];
        points.extend(health.ready.as_ref().map(|ready| format!("healthy when {}", code(ready))));
        points.extend(captures("publishes", health.metrics));
        page.points(&points);
    }
    page.section("States");
    states(page, &http.states);
    page.section("Outcome");
    page.points(&outcome(&http.outcome));
    page.section("Errors");
    errors(page, http);
    page.section("Pace and limits");
    page.points(&pace(spec, http.polls().next().is_some()));
}

fn service(spec: &ConnectorSpec, http: &HttpProtocol) -> Vec<String> {
    let base = match &http.base {
        Base::Template(template) => code(template),
        Base::Env(field) => format!("the URL in {}", code(variable(spec, field))),
    };
    let mut points = vec![
        format!("paths are below {base}"),
        format!("credential: {}", life::credential(spec, &http.auth)),
    ];
    points.extend(life::origins(http));
    points
}

fn submit(page: &mut Page, spec: &ConnectorSpec, submit: &Submit) {
    request::describe(page, spec, &submit.request);
    let mut points = vec![format!("accepted with {}", codes(submit.accept))];
    if !submit.rejects.is_empty() {
        points.push(format!("certainly not accepted with {}", codes(submit.rejects)));
    }
    points.extend(captures("remembers", submit.capture));
    if submit.feeds_poll {
        points.push("the answer may already be final".to_owned());
    }
    if !submit.billable {
        points.push("costs nothing".to_owned());
    }
    page.points(&points);
}

fn poll(page: &mut Page, spec: &ConnectorSpec, poll: &Poll) {
    request::describe(page, spec, &poll.request);
    let told = [
        ("repeats the job's id", poll.echo),
        ("progress", poll.progress),
        ("message", poll.progress_text),
        ("jobs ahead", poll.queue_position),
        ("seconds left", poll.eta),
        ("logs", poll.logs),
    ];
    let points = told.into_iter().filter_map(|(what, selectors)| found(what, selectors));
    page.points(&points.collect::<Vec<_>>());
}

fn found(what: &str, selectors: &[Selector]) -> Option<String> {
    (!selectors.is_empty()).then(|| format!("{what}: {}", codes(selectors)))
}

fn captures(what: &str, captures: &[Capture]) -> Option<String> {
    let each = captures.iter().map(|capture| format!("{} = {}", code(capture.name), codes(capture.from)));
    let each: Vec<String> = each.collect();
    (!each.is_empty()).then(|| format!("{what} {}", each.join("; ")))
}

fn states(page: &mut Page, states: &States) {
    let rules: Vec<String> = states.rules.iter().map(code).collect();
    if let Some(judge) = &states.judge {
        page.block(&format!("{} is asked first.", code(format!("{judge:?}"))));
    }
    if !rules.is_empty() {
        page.block(if states.at.is_empty() {
            "The first rule that holds says it:"
        } else {
            "Rules come first:"
        });
        page.points(&rules);
    }
    if !states.at.is_empty() {
        let fold = if states.fold_case { ", in any case" } else { "" };
        let then = if rules.is_empty() { "The" } else { "Then the" };
        page.block(&format!("{then} word at {}{fold}:", codes(states.at)));
        let rows = states.sets.iter().map(|set| vec![verdict(&set.verdict), codes(set.words)]);
        let other = match states.unknown {
            Unknown::Running => "running, with a warning",
            Unknown::Failed => "failed",
        };
        page.block(&table(&["state", "words"], rows.chain([vec![other.to_owned(), "any other".to_owned()]])));
    }
}

fn verdict(verdict: &StateVerdict) -> String {
    match verdict {
        StateVerdict::Failed { kind: FailureKind::Service, message: None } => "failed".to_owned(),
        other => other.to_string(),
    }
}

fn outcome(outcome: &Outcome) -> Vec<String> {
    let take = &outcome.take;
    let mut points = Vec::new();
    if outcome.request.is_some() {
        points.push("in the answer to a request of its own, sent when the job is done".to_owned());
    }
    if !outcome.first_of.is_empty() {
        points.push(format!("the first of {} places that has something", outcome.first_of.len()));
    } else if take.json.is_empty() && take.text.is_empty() && !take.has_files() {
        points.push("the whole answer".to_owned());
    }
    let mut places = vec![("text", take.text), ("JSON", take.json), ("files in base64", take.base64)];
    match take.files {
        Files::Urls(selectors) => places.push(("files at the URLs", selectors)),
        Files::Auto => points.push("files: every URL in it whose host may be fetched from".to_owned()),
        Files::Each(each) => {
            places
                .push(("a file, with a request of its own, for each of", std::slice::from_ref(&each.items)));
        }
        _ => {}
    }
    points.extend(take.jsonl.then(|| "JSON by lines, as an array".to_owned()));
    points
        .extend(outcome.also.iter().map(|extra| format!("and `{}`, from an answer of its own", extra.name)));
    points.extend(take.raw.then(|| "the answer's bytes are a file".to_owned()));
    points.extend(places.into_iter().filter_map(|(what, from)| found(what, from)));
    points.extend(outcome.min.map(|min| format!("fewer than {} mean `{}`", min.count, min.kind.word())));
    let partial = |when| format!("some of the result, and not all, when {}", code(when));
    points.extend(outcome.partial.as_ref().map(partial));
    points.extend(captures("facts:", outcome.meta));
    points.extend(outcome.keep_for.map(|keep| format!("the service keeps it for {}", time(keep))));
    points
}

fn errors(page: &mut Page, http: &HttpProtocol) {
    let errors = &http.errors;
    let texts = [("message", errors.message), ("the service's code", errors.code)];
    page.points(&texts.into_iter().filter_map(|(what, from)| found(what, from)).collect::<Vec<_>>());
    let rows = errors.rules.iter().map(|rule| {
        let when = rule.when.as_ref().map(|when| format!(" if {}", code(when))).unwrap_or_default();
        let wait =
            if rule.wait.is_empty() { String::new() } else { format!(", after {}", codes(&rule.wait)) };
        let next =
            if rule.kind.retriable() { format!("tried again{wait}") } else { "the job fails".to_owned() };
        vec![format!("{}{when}", codes(&rule.codes)), rule.kind.word().to_owned(), next]
    });
    page.block(&table(&["answer", "means", ""], rows));
}

fn pace(spec: &ConnectorSpec, polled: bool) -> Vec<String> {
    let (pace, limits) = (&spec.pace, &spec.limits);
    let mut points = Vec::new();
    if polled {
        points.push(format!(
            "first poll after {}, then every {} to {}, each wait {} times the one before",
            time(pace.first),
            time(pace.min),
            time(pace.max),
            pace.factor
        ));
        points.extend(pace.while_queued.map(|wait| format!("at least {} apart while queued", time(wait))));
        points.extend(found("the service's advice", pace.advice));
        points.push(format!("given up after {}", duration(spec, &pace.deadline)));
    }
    points.extend(limits.in_flight.as_ref().map(|count| format!("at once: {}", count_of(spec, count))));
    points.extend(limits.rate.map(|rate| format!("{} requests in {}", rate.count, time(rate.per))));
    points.push(format!("submits of one job that may fail: {}", count_of(spec, &limits.attempts)));
    points.extend(limits.max_body.map(|bytes| format!("largest request: {}", size(bytes))));
    points.extend(limits.max_response.map(|bytes| format!("largest answer: {}", size(bytes))));
    points
}

/// A duration, or the variable that it comes from.
pub(super) fn duration(spec: &ConnectorSpec, setting: &Setting<Duration>) -> String {
    match setting {
        Setting::Fixed(value) => time(*value),
        Setting::Env(field) => code(variable(spec, field)),
    }
}

fn count_of(spec: &ConnectorSpec, setting: &Setting<u32>) -> String {
    match setting {
        Setting::Fixed(value) => value.to_string(),
        Setting::Env(field) => code(variable(spec, field)),
    }
}

/// The variable that fills a field.
pub(super) fn variable(spec: &ConnectorSpec, field: &'static str) -> &'static str {
    spec.env_field(field).map_or(field, |field| field.variable)
}

fn time(value: Duration) -> String {
    humantime::format_duration(value).to_string()
}

/// A size in the largest unit that divides it.
fn size(bytes: u64) -> String {
    let units = [
        (1 << 30, "GiB"),
        (1_000_000_000, "GB"),
        (1 << 20, "MiB"),
        (1_000_000, "MB"),
        (1 << 10, "KiB"),
        (1000, "kB"),
    ];
    let unit = units.into_iter().find(|(size, _)| bytes >= *size && bytes.is_multiple_of(*size));
    unit.map_or_else(|| format!("{bytes} bytes"), |(size, name)| format!("{} {name}", bytes / size))
}
