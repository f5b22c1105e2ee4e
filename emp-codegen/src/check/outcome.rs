//! `#[outcome]`: its parts fit together.

use emp_syntax::rule::{FailureKind, Predicate};
use proc_macro2::Span;

use super::protocol::request;
use super::value;
use crate::catalogue::derive::DUPLICATE;
use crate::catalogue::outcome::{FIRST_OF, MEDIA_TYPE, NO_FILES, NO_GET, NO_JOB, RAW_ALONE, REFRESH};
use crate::diag::{Diagnostic, Sink};
use crate::raw::{RawFiles, RawOutcome, RawPart, RawTake};
use crate::spec::{Each, Extra, Files, Outcome, Part, ResultAt, ResultRequest, Spanned, Take};

/// Checks where the result is. `polled`: there is a `#[poll]`.
pub(super) fn outcome(given: &Spanned<RawOutcome>, polled: bool, sink: &Sink) -> Option<Outcome> {
    let raw = &given.value;
    let take = take(&raw.take, given.key, sink)?;
    if let Some(types) = &raw.types {
        types.value.iter().for_each(|kind| media_type(kind, sink));
    }
    let parts =
        raw.first_of.iter().flat_map(|given| &given.value).chain(raw.also.iter().map(|extra| &extra.part));
    let files = raw.take.has_files() || parts.clone().any(|part| part.take.has_files());
    if let Some(first_of) = &raw.first_of {
        instead(first_of, &raw.take, sink);
    }
    if !files {
        let without = [
            ("types", raw.types.as_ref().map(|given| given.key)),
            ("refresh", raw.refresh.as_ref().map(|given| given.key)),
        ];
        for (key, span) in without.into_iter().filter_map(|(key, span)| span.map(|span| (key, span))) {
            sink.report(
                Diagnostic::new(NO_FILES, span, format!("`{key}` is about files, and this result has none"))
                    .help(
                        "declare them: `files = urls(\"$.images[*].url\")`, `base64 = \"$.image\"` or `raw`",
                    ),
            );
        }
    }
    if let (Some(refresh), false) = (&raw.refresh, polled) {
        sink.report(
            Diagnostic::new(REFRESH, refresh.key, "there is no `#[poll]` to give a fresh link")
                .help("remove `refresh = poll`"),
        );
    }
    if let (Some(target), false) = (&raw.request.target, polled) {
        sink.report(
            Diagnostic::new(NO_JOB, target.key, "there is no job to ask for its result: the submit's answer is the end")
                .help("remove `get`, and take the result out of the answer: `files = urls(\"$.url\")`, `json = \"$.output\"`"),
        );
    }
    if let (Some(too_few), None) = (&raw.too_few, &raw.min) {
        sink.report(super::missing_key(
            "outcome",
            too_few.key,
            "`min` for `too_few` to mean something",
            "min = 1",
        ));
    }
    let partial = partial(raw, sink);
    let kind = value(raw.too_few.as_ref()).unwrap_or(FailureKind::Moderated);
    let at = |part: &RawPart| place(part, sink);
    let first_of = raw.first_of.iter().flat_map(|given| &given.value).map(|part| {
        Some(Part {
            at: if part.get { Some(at(part)?) } else { None },
            take: self::take(&part.take, part.span, sink)?,
        })
    });
    let also = raw.also.iter().map(|extra| {
        Some(Extra {
            name: extra.name.clone(),
            at: at(&extra.part)?,
            take: self::take(&extra.part.take, extra.part.span, sink)?,
            when: extra.when.clone(),
        })
    });
    Some(Outcome {
        request: result_request(given, sink),
        take,
        first_of: first_of.collect::<Option<_>>()?,
        also: also.collect::<Option<_>>()?,
        types: value(raw.types.as_ref()).unwrap_or_default().into_iter().map(|kind| kind.value).collect(),
        min: value(raw.min.as_ref()).map(|count| (count, kind)),
        partial,
        refresh: raw.refresh.is_some(),
        meta: raw.meta.clone(),
        keep_for: value(raw.keep_for.as_ref()),
    })
}

/// Which answers have some of the result. The fact that says so has a name of its own.
fn partial(raw: &RawOutcome, sink: &Sink) -> Option<Predicate> {
    let given = raw.partial.as_ref()?;
    if let Some(fact) = raw.meta.iter().find(|fact| fact.name.value == "partial") {
        sink.report(
            Diagnostic::new(DUPLICATE, fact.name.span, "`partial` is there twice")
                .help("give the fact another name: `partial(..)` says it of the result already")
                .related(given.key, "the first one is here"),
        );
    }
    if given.value.when.is_none() {
        sink.report(super::missing_key("partial", given.key, "`when`", "when = \"$.unsafe_count\" > 0"));
    }
    value(given.value.when.as_ref())
}

/// `first_of` stands in place of what is taken otherwise.
fn instead(first_of: &Spanned<Vec<RawPart>>, take: &RawTake, sink: &Sink) {
    let other = [
        take.json.as_ref().map(|given| given.key),
        take.text.as_ref().map(|given| given.key),
        take.base64.as_ref().map(|given| given.key),
        take.files.as_ref().map(|given| given.key),
        take.raw,
    ];
    if let Some(other) = other.into_iter().flatten().next() {
        sink.report(
            Diagnostic::new(FIRST_OF, other, "the places of the result are those of `first_of`")
                .help("put it into `first_of(..)`, or remove `first_of`")
                .related(first_of.key, "`first_of` is here"),
        );
    }
    if first_of.value.is_empty() {
        sink.report(Diagnostic::new(
            crate::catalogue::derive::EMPTY,
            first_of.key,
            "`first_of` names no place",
        ));
    }
}

/// Where the answer of a `get(..)` comes from.
fn place(part: &RawPart, sink: &Sink) -> Option<ResultAt> {
    if part.from.is_empty() {
        return request(
            &part.request,
            "get",
            part.span,
            "get(\"/jobs/{job.id}/result\", json = \"$\")",
            sink,
        )
        .map(ResultAt::Request);
    }
    let pairs = part.request.query.first().or(part.request.headers.first());
    let extra = pairs.map(|pair| pair.name.span).or(part.request.timeout.as_ref().map(|given| given.key));
    if let Some(span) = extra {
        sink.report(
            Diagnostic::new(NO_GET, span, "a URL that the answer names is fetched as it is")
                .help("remove it, or write a path below the base: `get(\"/jobs/{job.id}/result\", ..)`"),
        );
    }
    Some(ResultAt::Found(part.from.clone()))
}

/// The request, if there is one; a mistake is in the sink.
fn result_request(given: &Spanned<RawOutcome>, sink: &Sink) -> Option<ResultRequest> {
    let raw = &given.value;
    if raw.request.target.is_some() {
        let request = request(&raw.request, "outcome", given.key, "get = job.result_url", sink)?;
        let on_http_error = value(raw.on_http_error.as_ref());
        return Some(ResultRequest { request, rules: raw.rules.clone(), on_http_error });
    }
    let pairs = raw.request.query.first().or(raw.request.headers.first());
    let part = pairs
        .map(|pair| pair.name.span)
        .or(raw.request.timeout.as_ref().map(|given| given.key))
        .or(raw.on_http_error.as_ref().map(|given| given.key))
        .or((!raw.rules.is_empty()).then_some(given.key));
    if let Some(span) = part {
        sink.report(
            Diagnostic::new(NO_GET, span, "this is about a request for the result, and there is none")
                .help("add `get = job.result_url` or `get = \"/jobs/{job.id}/result\"`"),
        );
    }
    None
}

/// What is taken out of one answer. `span` is that of the attribute.
fn take(raw: &RawTake, span: Span, sink: &Sink) -> Option<Take> {
    if let Some(bytes) = raw.raw {
        let other = [
            raw.json.as_ref().map(|given| given.key),
            raw.text.as_ref().map(|given| given.key),
            raw.base64.as_ref().map(|given| given.key),
            raw.files.as_ref().map(|given| given.key),
        ];
        if let Some(other) = other.into_iter().flatten().next() {
            sink.report(
                Diagnostic::new(RAW_ALONE, other, "the answer's bytes are the result already")
                    .help("remove `raw`, or what is taken out of the same answer")
                    .related(bytes, "`raw` is here"),
            );
        }
    }
    if let (Some(mime), None, None) = (&raw.mime, raw.raw, &raw.base64) {
        sink.report(
            Diagnostic::new(
                NO_FILES,
                mime.key,
                "`mime` is about the bytes of `raw` or `base64`, and there are none",
            )
            .help("remove it: a file behind a URL says its own media type"),
        );
    }
    let files = match raw.files.as_ref().map(|given| &given.value) {
        None => Files::None,
        Some(RawFiles::Urls(selectors)) if selectors.is_empty() => {
            let span = raw.files.as_ref().map_or(span, |given| given.span);
            sink.report(Diagnostic::new(crate::catalogue::derive::EMPTY, span, "`urls` names no place"));
            return None;
        }
        Some(RawFiles::Urls(selectors)) => Files::Urls(selectors.clone()),
        Some(RawFiles::Auto) => Files::Auto,
        Some(RawFiles::Each(each)) => Files::Each(Box::new(Each {
            items: each.items.clone(),
            request: request(&each.request, "each", span, "get = \"/view\"", sink)?,
            name: each.name.clone(),
        })),
    };
    Some(Take {
        json: value(raw.json.as_ref()).unwrap_or_default(),
        text: value(raw.text.as_ref()).unwrap_or_default(),
        jsonl: raw.jsonl,
        raw: raw.raw.is_some(),
        mime: value(raw.mime.as_ref()).unwrap_or_default(),
        base64: value(raw.base64.as_ref()).unwrap_or_default(),
        files,
    })
}

fn media_type(kind: &Spanned<String>, sink: &Sink) {
    let token = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(&byte))
    };
    let fits =
        kind.value.split_once('/').is_some_and(|(kind, sub)| token(kind) && (sub == "*" || token(sub)));
    if !fits {
        sink.report(
            Diagnostic::new(MEDIA_TYPE, kind.span, format!("\"{}\" is not a media type", kind.value))
                .help("write it like \"image/png\", or \"image/*\" for all of a kind"),
        );
    }
}
