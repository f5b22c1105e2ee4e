//! The selectors of a declaration: where each looks, and what it wants.

use emp_codegen::spec::{Capture, Files, Http, Outcome, Pace, Poll};
use emp_openapi::Kinds;
use emp_syntax::rule::Predicate;
use emp_syntax::selector::{Selector, Source};

use super::operations::Operations;
use crate::texts::Spot;

/// What can stand for a text.
pub(super) const SCALAR: Kinds = Kinds::TEXT.or(Kinds::NUMBER).or(Kinds::BOOL);

/// What a number can be read from.
pub(super) const NUMERIC: Kinds = Kinds::NUMBER.or(Kinds::TEXT);

/// Into which answers a selector looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Into {
    /// Those of a preparing step.
    Prepared(usize),
    /// Those of the submit of a call.
    Submitted(usize),
    /// Those that say how a job is.
    Judged,
    /// Any, refusals too.
    Any,
    /// Those of the request for the result.
    Result,
    /// Those of the health probe.
    Health,
}

/// A selector of a declaration.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look<'a> {
    pub(super) spot: Spot,
    pub(super) into: Into,
    pub(super) selector: &'a Selector,
    pub(super) wanted: Kinds,
}

/// All of them.
pub(super) fn of<'a>(http: &'a Http, pace: &'a Pace, operations: &Operations<'a>) -> Vec<Look<'a>> {
    let mut looks = Vec::new();
    let mut add = |attribute, into, selectors: &'a [Selector], wanted| {
        let spot = Spot::all(attribute);
        looks.extend(selectors.iter().map(|selector| Look { spot, into, selector, wanted }));
    };
    for call in &operations.calls {
        call.poll.iter().for_each(|poll| polled(poll, &mut add));
    }
    add("states", Into::Judged, &http.states.at, SCALAR);
    outcome(&http.outcome, &mut add);
    add("pace", Into::Judged, &pace.advice, NUMERIC);
    add("errors", Into::Any, &http.errors.message, SCALAR);
    add("errors", Into::Any, &http.errors.code, SCALAR);
    for (nth, call) in operations.calls.iter().enumerate() {
        let into = Into::Submitted(nth);
        for capture in &call.submit.capture {
            let (spot, wanted) = (call.spot, of_capture(capture));
            looks.extend(capture.from.iter().map(|selector| Look { spot, into, selector, wanted }));
        }
        if call.submit.feeds_poll {
            let (spot, wanted) = (Spot::all("states"), SCALAR);
            looks.extend(http.states.at.iter().map(|selector| Look { spot, into, selector, wanted }));
        }
    }
    for (nth, prepare) in http.prepare.iter().enumerate() {
        let (spot, into) = (Spot { attribute: "prepare", nth: Some(nth) }, Into::Prepared(nth));
        let from = prepare.capture.iter().flat_map(|capture| &capture.from);
        looks.extend(from.map(|selector| Look { spot, into, selector, wanted: Kinds::ALL }));
    }
    if let Some(health) = &http.health {
        let (spot, into, wanted) = (Spot::all("health"), Into::Health, Kinds::NUMBER);
        let metrics = health.metrics.iter().flat_map(|metric| &metric.from);
        looks.extend(metrics.map(|selector| Look { spot, into, selector, wanted }));
        if let Some(ready) = &health.ready {
            predicate("health", into, ready, &mut looks);
        }
    }
    for rule in &http.states.rules {
        // A rule that asks for no code is about an answer of success; the others may look into a refusal.
        let into = if asks_for_code(&rule.when) { Into::Any } else { Into::Judged };
        predicate("states", into, &rule.when, &mut looks);
    }
    for when in http.errors.rules.iter().filter_map(|rule| rule.when.as_ref()) {
        predicate("errors", Into::Any, when, &mut looks);
    }
    looks
}

fn outcome<'a>(outcome: &'a Outcome, add: &mut dyn FnMut(&'static str, Into, &'a [Selector], Kinds)) {
    // A result with a request of its own is in another answer.
    let into = if outcome.request.is_some() { Into::Result } else { Into::Judged };
    let take = &outcome.take;
    for texts in [&take.text, &take.mime] {
        add("outcome", into, texts, SCALAR);
    }
    for values in [&take.json, &take.base64] {
        add("outcome", into, values, Kinds::ALL);
    }
    match &take.files {
        Files::Urls(selectors) => add("outcome", into, selectors, Kinds::ALL),
        Files::Each(each) => add("outcome", into, std::slice::from_ref(&each.items), Kinds::ALL),
        Files::None | Files::Auto => {}
    }
    for meta in &outcome.meta {
        add("outcome", into, &meta.from, Kinds::ALL);
    }
}

fn polled<'a>(poll: &'a Poll, add: &mut dyn FnMut(&'static str, Into, &'a [Selector], Kinds)) {
    for numbers in [&poll.progress, &poll.queue_position, &poll.eta] {
        add("poll", Into::Judged, numbers, Kinds::NUMBER);
    }
    for texts in [&poll.progress_text, &poll.logs] {
        add("poll", Into::Judged, texts, SCALAR);
    }
}

fn of_capture(capture: &Capture) -> Kinds {
    match capture.name.value.as_str() {
        "id" => NUMERIC,
        name if name.ends_with("_url") => Kinds::TEXT,
        _ => Kinds::ALL,
    }
}

fn predicate<'a>(attribute: &'static str, into: Into, when: &'a Predicate, looks: &mut Vec<Look<'a>>) {
    let spot = Spot::all(attribute);
    when.selectors(&mut |selector| looks.push(Look { spot, into, selector, wanted: Kinds::ALL }));
}

fn asks_for_code(when: &Predicate) -> bool {
    let mut asks = false;
    when.selectors(&mut |selector| asks |= selector.source == Source::Code);
    asks
}
