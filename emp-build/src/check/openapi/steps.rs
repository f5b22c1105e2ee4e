//! The requests beside submit, poll and cancel, and what the declaration reads of their answers.

use emp_codegen::spec::{Capture, Files, Http, Lookup, Poll, Request, ResultAt, Settle, StreamFormat, Take};
use emp_openapi::{Kinds, Operation};
use emp_syntax::rule::{CodePattern, Predicate};
use emp_syntax::selector::{Selector, Source};

use super::case::Case;
use super::looks::{NUMERIC, SCALAR};
use super::operations;
use crate::texts::Spot;

/// A request beside submit, poll and cancel. That a slice does not have its operation is no mistake.
pub(super) struct Step<'a> {
    pub(super) spot: Spot,
    pub(super) request: &'a Request,
    pub(super) operations: Vec<Operation<'a>>,
    /// The codes that mean accepted.
    pub(super) accept: &'a [CodePattern],
    pub(super) reads: Vec<Read<'a>>,
}

/// What is read of an answer.
pub(super) struct Read<'a> {
    /// In each element of this list, and not in the whole answer.
    pub(super) inside: Option<&'a Selector>,
    pub(super) selector: &'a Selector,
    pub(super) wanted: Kinds,
}

/// All of them.
pub(super) fn of<'a>(case: &Case<'a>) -> Vec<Step<'a>> {
    let http = case.http;
    let mut steps = Steps { case, steps: Vec::new() };
    for (nth, prepare) in http.prepare.iter().enumerate() {
        let spot = Spot { attribute: "prepare", nth: Some(nth) };
        steps.add(spot, &prepare.request, &prepare.accept, captured(&prepare.capture, |_| Kinds::ALL));
    }
    let submits = http.operations.iter().map(|operation| &operation.submit).chain([&http.submit]);
    for (nth, submit) in submits.enumerate() {
        if let Settle::Lookup(lookup) = &submit.settle {
            let spot = Spot { attribute: "submit", nth: Some(nth) };
            steps.add(spot, &lookup.request, &[], looked_up(lookup));
        }
    }
    steps.of_polls(http);
    steps.of_outcome(http);
    if let Some(cleanup) = &http.cleanup {
        steps.plain("cleanup", &cleanup.request, Vec::new());
    }
    if let Some(health) = &http.health {
        let mut reads = captured(&health.metrics, |_| Kinds::NUMBER);
        health.ready.iter().for_each(|ready| asked(ready, &mut reads));
        steps.plain("health", &health.request, reads);
    }
    if let Some(side) = &http.side_progress {
        let numbers =
            [&side.progress, &side.eta].into_iter().flat_map(|numbers| read(numbers, Kinds::NUMBER));
        let texts = [&side.progress_text, &side.preview].into_iter().flat_map(|texts| read(texts, SCALAR));
        steps.plain("side_progress", &side.request, numbers.chain(texts).collect());
    }
    if let Some((StreamFormat::Chunks { request, items }, stream)) =
        http.stream.as_ref().map(|stream| (&stream.format, stream))
    {
        let inside = |selector| Read { inside: Some(items), selector, wanted: SCALAR };
        let own = std::iter::once(Read { inside: None, selector: items, wanted: Kinds::ALL });
        steps.plain("stream", request, own.chain(stream.delta.iter().map(inside)).collect());
    }
    steps.steps
}

struct Steps<'c, 'a> {
    case: &'c Case<'a>,
    steps: Vec<Step<'a>>,
}

impl<'a> Steps<'_, 'a> {
    fn add(&mut self, spot: Spot, request: &'a Request, accept: &'a [CodePattern], reads: Vec<Read<'a>>) {
        let operations = operations::beside(self.case, spot, request);
        self.steps.push(Step { spot, request, operations, accept, reads });
    }

    fn plain(&mut self, attribute: &'static str, request: &'a Request, reads: Vec<Read<'a>>) {
        self.add(Spot::all(attribute), request, &[], reads);
    }

    fn of_polls(&mut self, http: &'a Http) {
        let polls = http.operations.iter().filter_map(|operation| operation.poll.as_ref()).chain(&http.poll);
        for probe in polls.clone().flat_map(|poll| &poll.also) {
            let name = probe.name.value.as_str();
            let mut reads = Vec::new();
            let mut from = |selector: &'a Selector| {
                if matches!(&selector.source, Source::Probe(asked, _) if asked == name) {
                    reads.push(Read { inside: None, selector, wanted: Kinds::ALL });
                }
            };
            http.states.rules.iter().for_each(|rule| rule.when.selectors(&mut from));
            http.states.at.iter().chain(polls.clone().flat_map(told)).for_each(from);
            self.plain("poll", &probe.request, reads);
        }
        if let Some(batch) = &http.batch_poll {
            let items = &batch.listed.items;
            let mut reads = vec![
                Read { inside: None, selector: items, wanted: Kinds::OBJECT },
                Read { inside: Some(items), selector: &batch.listed.id, wanted: NUMERIC },
            ];
            // An element is judged as the answer to a poll is.
            reads.extend(http.states.at.iter().map(|selector| Read {
                inside: Some(items),
                selector,
                wanted: SCALAR,
            }));
            reads.extend(read(&batch.next, Kinds::TEXT));
            self.plain("batch_poll", &batch.request, reads);
        }
    }

    fn of_outcome(&mut self, http: &'a Http) {
        let outcome = &http.outcome;
        if let Some(result) = &outcome.request {
            let mut reads = taken(&outcome.take);
            reads.extend(captured(&outcome.meta, |_| Kinds::ALL));
            self.plain("outcome", &result.request, reads);
        }
        let parts = outcome.first_of.iter().filter_map(|part| Some((part.at.as_ref()?, &part.take)));
        let extras = outcome.also.iter().map(|extra| (&extra.at, &extra.take));
        for (at, take) in parts.chain(extras) {
            if let ResultAt::Request(request) = at {
                self.plain("outcome", request, taken(take));
            }
        }
        if let Files::Each(each) = &outcome.take.files {
            self.plain("outcome", &each.request, Vec::new());
        }
    }
}

/// What is taken out of an answer.
pub(super) fn taken(take: &Take) -> Vec<Read<'_>> {
    let texts = [&take.text, &take.mime].into_iter().flat_map(|texts| read(texts, SCALAR));
    // The lines of an answer are no JSON document that the description could have.
    let values = [&take.json, &take.base64].into_iter().filter(|_| !take.jsonl);
    let files: &[Selector] = match &take.files {
        Files::Urls(selectors) => selectors,
        Files::Each(each) => std::slice::from_ref(&each.items),
        Files::None | Files::Auto => &[],
    };
    let values = values.map(Vec::as_slice).chain([files]).flat_map(|values| read(values, Kinds::ALL));
    texts.chain(values).collect()
}

fn looked_up(lookup: &Lookup) -> Vec<Read<'_>> {
    let inside = |selector, wanted| Read { inside: Some(&lookup.items), selector, wanted };
    let items = Read { inside: None, selector: &lookup.items, wanted: Kinds::ALL };
    vec![items, inside(&lookup.tag, SCALAR), inside(&lookup.id, NUMERIC)]
}

/// Where a poll's answers say how far a job is.
fn told(poll: &Poll) -> impl Iterator<Item = &Selector> {
    [&poll.progress, &poll.progress_text, &poll.queue_position, &poll.eta, &poll.logs, &poll.preview]
        .into_iter()
        .flatten()
}

fn read(selectors: &[Selector], wanted: Kinds) -> impl Iterator<Item = Read<'_>> {
    selectors.iter().map(move |selector| Read { inside: None, selector, wanted })
}

fn captured(captures: &[Capture], wanted: impl Fn(&Capture) -> Kinds) -> Vec<Read<'_>> {
    captures.iter().flat_map(|capture| read(&capture.from, wanted(capture))).collect()
}

fn asked<'a>(when: &'a Predicate, reads: &mut Vec<Read<'a>>) {
    when.selectors(&mut |selector| reads.push(Read { inside: None, selector, wanted: Kinds::ALL }));
}
