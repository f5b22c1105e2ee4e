//! `#[stream]`: it says how it ends, and stands where there is a stream.

use emp_syntax::selector::{Selector, Source};

use super::{missing_key, operation, protocol, value};
use crate::catalogue::stream::{DELTAS, STREAM_BODY, STREAM_END, STREAM_MODE};
use crate::diag::{Diagnostic, Sink};
use crate::raw::{Given, RawSpec, RawStream, RawStreamFormat, RawSubmit, RawTake};
use crate::spec::{Body, Spanned, Stream, StreamFormat};

pub(super) fn stream(raw: &RawSpec, sync: bool, sink: &Sink) -> Option<Stream> {
    deltas(raw, sink);
    let Some(given) = &raw.stream else {
        if let Some(connector) = raw.connector.as_ref().filter(|given| given.value.stream) {
            sink.report(
                Diagnostic::new(STREAM_MODE, connector.key, "`mode = stream` has no `#[stream]`").help(
                    "add `#[stream(sse, delta = \"$.text\", end = \"[DONE]\")]`, or write `mode = sync`",
                ),
            );
        }
        return None;
    };
    let stream = &given.value;
    let Some(format) = &stream.format else {
        sink.report(missing_key("stream", given.key, "a format: `sse`, `ndjson` or `chunks(..)`", "sse"));
        return None;
    };
    when(stream, raw, sink);
    let format = match &format.value {
        RawStreamFormat::Chunks(chunks) => {
            if sync {
                sink.report(
                    Diagnostic::new(
                        STREAM_MODE,
                        format.key,
                        "chunks are asked for beside the poll, and there is none",
                    )
                    .help("declare `#[poll(..)]`, or read the submit's answer: `sse` or `ndjson`"),
                );
            }
            if let Some(json) = &stream.json {
                sink.report(
                    Diagnostic::new(STREAM_BODY, json.key, "chunks change nothing about the submit")
                        .help("write the member into the submit's own `json {..}`"),
                );
            }
            if chunks.items.is_none() {
                sink.report(missing_key("chunks", format.key, "`items`", "items = \"$.stream[*].output\""));
            }
            let request =
                protocol::request(&chunks.request, "chunks", format.key, "get = \"/stream/{job.id}\"", sink);
            StreamFormat::Chunks { request: request?, items: value(chunks.items.as_ref())? }
        }
        of_submit => {
            answer(raw, given, sync, sink);
            if matches!(of_submit, RawStreamFormat::Sse) { StreamFormat::Sse } else { StreamFormat::Ndjson }
        }
    };
    Some(Stream {
        format,
        when: value(stream.when.as_ref()),
        body: value(stream.json.as_ref()),
        delta: stream.delta.clone(),
        done: stream.done.clone(),
        end: stream.end.clone(),
        error: stream.error.clone(),
        idle_timeout: value(stream.idle_timeout.as_ref()),
    })
}

/// The submit's answer is the stream.
fn answer(raw: &RawSpec, given: &Spanned<RawStream>, sync: bool, sink: &Sink) {
    let stream = &given.value;
    if !sync {
        sink.report(
            Diagnostic::new(STREAM_MODE, given.key, "the answer to a submit that is polled is no stream")
                .help("say `mode = stream` (or `mode = sync` with `when = ..`) in `#[connector]`, or declare `chunks(..)`"),
        );
    }
    if stream.done.is_none() && stream.end.is_none() {
        sink.report(Diagnostic::new(STREAM_END, given.key, "this stream does not say how it ends"));
    }
    let Some(json) = &stream.json else { return };
    let has_json = |submit: &RawSubmit| {
        submit.request.body.as_ref().is_some_and(|body| matches!(body.value, Body::Json(_)))
    };
    // The job of any operation may be streamed.
    if let Some(submit) = raw.submits().find(|submit| !has_json(&submit.value)) {
        sink.report(
            Diagnostic::new(STREAM_BODY, json.key, "the submit has no `json {..}` to add these members to")
                .help("write `json {..}` in `#[submit]`")
                .related(submit.key, "the submit is here"),
        );
    }
}

/// `when` is asked before there is an answer; a stream of every job is `mode = stream`.
fn when(stream: &RawStream, raw: &RawSpec, sink: &Sink) {
    let Some(when) = &stream.when else { return };
    if let Some(connector) = raw.connector.as_ref().filter(|given| given.value.stream) {
        sink.report(
            Diagnostic::new(STREAM_MODE, when.key, "with `mode = stream` every job is streamed")
                .help("write `mode = sync`, so that a job that is not streamed has its answer whole")
                .related(connector.key, "the mode is said here"),
        );
    }
    operation::condition(Some(when), sink);
}

/// `deltas` is the text of a stream that is read in one piece. Chunks that a dead worker fetched are gone.
fn deltas(raw: &RawSpec, sink: &Sink) {
    let Some(outcome) = &raw.outcome else { return };
    let reads = |selectors: &[Selector]| selectors.iter().any(|selector| selector.source == Source::Deltas);
    let facts = outcome.value.meta.iter().any(|fact| reads(&fact.from));
    let given = |given: &Given<Vec<Selector>>| given.as_ref().is_some_and(|given| reads(&given.value));
    let takes = |take: &RawTake| given(&take.text) || given(&take.json);
    let places = outcome.value.first_of.iter().flat_map(|parts| &parts.value);
    let mut parts = places.chain(outcome.value.also.iter().map(|extra| &extra.part));
    if !(takes(&outcome.value.take) || parts.any(|part| takes(&part.take)) || facts) {
        return;
    }
    let format = raw.stream.as_ref().and_then(|stream| stream.value.format.as_ref());
    match format.map(|format| &format.value) {
        Some(RawStreamFormat::Sse | RawStreamFormat::Ndjson) => {}
        Some(RawStreamFormat::Chunks(_)) => sink.report(
            Diagnostic::new(DELTAS, outcome.key, "chunks are not kept, so that `deltas` would be a part of the result only")
                .help("take the result from the last poll: `json = \"$.output\"`"),
        ),
        None => sink.report(
            Diagnostic::new(DELTAS, outcome.key, "`deltas` is the text of a stream, and there is none")
                .help("add `#[stream(sse, delta = \"$.text\", end = \"[DONE]\")]`, or a path such as `text = \"$.text\"`"),
        ),
    }
}
