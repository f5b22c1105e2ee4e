//! The selectors of a declaration: where each looks, and what it wants.

use emp_codegen::spec::{Capture, Envelope, Http, Outcome, Pace, Poll, ResultAt, StreamFormat};
use emp_openapi::Kinds;
use emp_syntax::rule::Predicate;
use emp_syntax::selector::{Selector, Source};

use super::operations::Operations;
use super::steps::taken;
use crate::texts::Spot;

/// What can stand for a text.
pub(super) const SCALAR: Kinds = Kinds::TEXT.or(Kinds::NUMBER).or(Kinds::BOOL);

/// What a number can be read from.
pub(super) const NUMERIC: Kinds = Kinds::NUMBER.or(Kinds::TEXT);

/// Into which answers a selector looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Into {
    /// Those of the submit of a call.
    Submitted(usize),
    /// Those of the poll of a call, whole.
    Polled(usize),
    /// Those that say how a job is.
    Judged,
    /// Any, refusals too.
    Any,
    /// Those that come piece by piece.
    Events,
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
    add("errors", Into::Any, &http.errors.retry, SCALAR);
    for (nth, call) in operations.calls.iter().enumerate() {
        if let Some(poll) = call.poll {
            let (spot, into) = (Spot::all("poll"), Into::Polled(nth));
            poll.envelope.iter().for_each(|envelope| enveloped(spot, into, envelope, &mut looks));
            if let Some(listed) = &poll.listed {
                looks.push(Look { spot, into, selector: &listed.items, wanted: Kinds::ALL });
            }
        }
        let into = Into::Submitted(nth);
        call.submit.envelope.iter().for_each(|envelope| enveloped(call.spot, into, envelope, &mut looks));
        for capture in &call.submit.capture {
            let (spot, wanted) = (call.spot, of_capture(capture));
            looks.extend(capture.from.iter().map(|selector| Look { spot, into, selector, wanted }));
        }
        if call.submit.feeds_poll {
            let (spot, wanted) = (Spot::all("states"), SCALAR);
            looks.extend(http.states.at.iter().map(|selector| Look { spot, into, selector, wanted }));
        }
    }
    if let Some(stream) =
        http.stream.as_ref().filter(|stream| !matches!(stream.format, StreamFormat::Chunks { .. }))
    {
        let (spot, into, wanted) = (Spot::all("stream"), Into::Events, SCALAR);
        looks.extend(stream.delta.iter().map(|selector| Look { spot, into, selector, wanted }));
        // An error in the middle looks as the refusals do.
        let errors = stream.error.iter();
        looks.extend(errors.map(|selector| Look { spot, into: Into::Any, selector, wanted }));
        stream.done.iter().for_each(|done| predicate("stream", into, done, &mut looks));
    }
    if let Some(when) = &http.outcome.partial {
        predicate("outcome", Into::Judged, when, &mut looks);
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
    // A result with a request of its own is in another answer: its step is looked at apart.
    if outcome.request.is_some() {
        return;
    }
    let here = outcome.first_of.iter().filter(|part| part.at.is_none()).map(|part| &part.take);
    for read in std::iter::once(&outcome.take).chain(here).flat_map(taken) {
        add("outcome", Into::Judged, std::slice::from_ref(read.selector), read.wanted);
    }
    let places = outcome.first_of.iter().filter_map(|part| part.at.as_ref());
    for at in places.chain(outcome.also.iter().map(|extra| &extra.at)) {
        if let ResultAt::Found(selectors) = at {
            add("outcome", Into::Judged, selectors, Kinds::TEXT);
        }
    }
    for meta in &outcome.meta {
        add("outcome", Into::Judged, &meta.from, Kinds::ALL);
    }
}

fn polled<'a>(poll: &'a Poll, add: &mut dyn FnMut(&'static str, Into, &'a [Selector], Kinds)) {
    for numbers in [&poll.progress, &poll.queue_position, &poll.eta] {
        add("poll", Into::Judged, numbers, Kinds::NUMBER);
    }
    for texts in [&poll.progress_text, &poll.logs, &poll.preview, &poll.echo] {
        add("poll", Into::Judged, texts, SCALAR);
    }
    if let Some(listed) = &poll.listed {
        add("poll", Into::Judged, std::slice::from_ref(&listed.id), NUMERIC);
    }
}

fn enveloped<'a>(spot: Spot, into: Into, envelope: &'a Envelope, looks: &mut Vec<Look<'a>>) {
    envelope.ok.selectors(&mut |selector| looks.push(Look { spot, into, selector, wanted: Kinds::ALL }));
    let message = envelope.message.iter();
    looks.extend(message.map(|selector| Look { spot, into, selector, wanted: SCALAR }));
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
