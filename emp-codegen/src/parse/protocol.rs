//! `#[submit]`, `#[poll]`, `#[states]`, `#[errors]`, `#[health]`.

use emp_syntax::rule::{FailureKind, StateVerdict};
use proc_macro2::Ident;
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Token, token};

use super::hook;
use super::keys::{self, ERRORS, HEALTH, POLL, STATES, SUBMIT};
use super::polling;
use super::request;
use super::rule::{error_rule, kind, predicate, state_rule};
use super::selector::{captures, header_name, selector, selectors};
use super::value::{self, given};
use super::walk::{Context, Met, Parsed, inside, items, items_or, parenthesized, separated, unknown_word};
use crate::catalogue::derive::{DUPLICATE, SYNTAX, WRONG_FORM};
use crate::diag::Diagnostic;
use crate::raw::{RawErrors, RawHealth, RawLookup, RawPoll, RawSettle, RawStates, RawSubmit};
use crate::spec::{HookKind, KeyPlace, Need, Place, Spanned, Unknown};

pub(super) fn submit(input: ParseStream, context: &Context<'_>) -> RawSubmit {
    let mut raw = RawSubmit::default();
    let captured = context.at(Place::Captured);
    items(input, &SUBMIT, &context.sink, |met, input| {
        let settle = |value| Spanned { value, key: met.span, span: met.span };
        match met.name {
            "when" => raw.when = given(met, input, |input| predicate(input, context))?,
            "accept" => raw.accept = given(met, input, |input| value::codes(input, context))?,
            "rejects" => raw.rejects = given(met, input, |input| value::codes(input, context))?,
            "capture" => raw.capture = captures(input, &captured),
            "envelope" => raw.envelope = given(met, input, |input| Ok(polling::envelope(input, &captured)))?,
            "feeds_poll" => raw.feeds_poll = true,
            "hold" => {
                raw.hold = given(met, input, |input| {
                    value::setting(input, context, Need::Duration, value::duration)
                })?;
            }
            "billable" => raw.billable = given(met, input, value::boolean)?,
            "idempotent" => raw.settle.push(settle(idempotent(input, context))),
            "assign_id" => raw.settle.push(settle(assign_id(input, context)?)),
            "lookup" => raw.settle.push(settle(lookup(input, &context.at(Place::Lookup)))),
            "at_most_once" => raw.settle.push(settle(RawSettle::AtMostOnce)),
            "at_least_once" => raw.settle.push(settle(RawSettle::AtLeastOnce)),
            _ => {
                request::key(&mut raw.request, met, input, context)?;
            }
        }
        Ok(())
    });
    raw
}

fn idempotent(input: ParseStream, context: &Context<'_>) -> RawSettle {
    let (mut key, mut ttl) = (None::<Spanned<KeyPlace>>, None);
    items(input, &keys::IDEMPOTENT, &context.sink, |met, input| {
        if met.name == "ttl" {
            ttl = given(met, input, value::duration)?;
            return Ok(());
        }
        let place = if met.name == "header" {
            KeyPlace::Header(header_name(input)?.value)
        } else {
            KeyPlace::Field(value::string(input)?.value)
        };
        if let Some(first) = &key {
            return Err(Diagnostic::new(DUPLICATE, met.span, "an idempotency key stands in one place")
                .help("keep one of the two")
                .related(first.span, "the first one is here"));
        }
        key = Some(Spanned { value: place, key: met.span, span: met.span });
        Ok(())
    });
    RawSettle::Idempotent { key, ttl }
}

fn assign_id(input: ParseStream, context: &Context<'_>) -> Parsed<RawSettle> {
    if input.parse::<Option<Token![=]>>()?.is_some() {
        let word = input.call(Ident::parse_any)?;
        if word != "uuid" {
            return Err(unknown_word("kind of id", &word, ["uuid"]));
        }
        return Ok(RawSettle::AssignId { absent_for: None, resend: false });
    }
    if !input.peek(token::Paren) {
        return Err(Diagnostic::new(WRONG_FORM, input.span(), "`assign_id` is not written like this")
            .help("write `assign_id = uuid`, or `assign_id(uuid, absent_for = \"30s\", resend)`"));
    }
    let inner = parenthesized(input)?;
    inside(&inner, &context.sink, |inner| {
        let (mut absent_for, mut resend) = (None, false);
        items(inner, &keys::ASSIGN_ID, &context.sink, |met, input| {
            match met.name {
                "absent_for" => absent_for = given(met, input, value::duration)?,
                "resend" => resend = true,
                _ => {}
            }
            Ok(())
        });
        Ok(RawSettle::AssignId { absent_for, resend })
    })
}

fn lookup(input: ParseStream, context: &Context<'_>) -> RawSettle {
    let mut raw = RawLookup::default();
    items(input, &keys::LOOKUP, &context.sink, |met, input| {
        match met.name {
            "items" => raw.items = given(met, input, |input| selector(input, context))?,
            "tag" => raw.tag = given(met, input, |input| selector(input, context))?,
            "id" => raw.id = given(met, input, |input| selector(input, context))?,
            "wait" => raw.wait = given(met, input, value::duration)?,
            _ => {
                request::key(&mut raw.request, met, input, context)?;
            }
        }
        Ok(())
    });
    RawSettle::Lookup(raw)
}

pub(super) fn poll(input: ParseStream, context: &Context<'_>) -> RawPoll {
    let mut raw = RawPoll::default();
    items(input, &POLL, &context.sink, |met, input| {
        match met.name {
            "when" => raw.when = given(met, input, |input| predicate(input, &context.at(Place::Submit)))?,
            "progress" => raw.progress = selectors(input, context)?,
            "progress_text" => raw.progress_text = selectors(input, context)?,
            "queue_position" => raw.queue_position = selectors(input, context)?,
            "eta" => raw.eta = selectors(input, context)?,
            "logs" => raw.logs = selectors(input, context)?,
            "preview" => raw.preview = selectors(input, context)?,
            "envelope" => raw.envelope = given(met, input, |input| Ok(polling::envelope(input, context)))?,
            "also" => raw.also = polling::also(input, context),
            "echo" => raw.echo = selectors(input, context)?,
            "items" | "id" => polling::listed(&mut raw.listed, met, input, context)?,
            "hold" => {
                raw.hold = given(met, input, |input| {
                    value::setting(input, context, Need::Duration, value::duration)
                })?;
            }
            _ => {
                request::key(&mut raw.request, met, input, context)?;
            }
        }
        Ok(())
    });
    raw
}

pub(super) fn states(input: ParseStream, context: &Context<'_>) -> RawStates {
    let mut raw = RawStates::default();
    items(input, &STATES, &context.sink, |met, input| state_key(&mut raw, met, input, context));
    raw
}

/// A key of what an answer says of the job: in `#[states]`, and over the events of a socket.
pub(super) fn state_key(
    raw: &mut RawStates,
    met: Met,
    input: ParseStream,
    context: &Context<'_>,
) -> Parsed<()> {
    let failed = |kind| StateVerdict::Failed { kind, message: None };
    let verdict = match met.name {
        "at" => {
            raw.at = given(met, input, |input| selectors(input, context))?;
            return Ok(());
        }
        "fold_case" => {
            raw.fold_case = true;
            return Ok(());
        }
        "unknown" => {
            raw.unknown = given(met, input, |input| unknown(input, context))?;
            return Ok(());
        }
        "rules" => {
            separated(input, &context.sink, |input| {
                if hook::alone(input) {
                    return judge(raw, input, context);
                }
                state_rule(input, context).map(|rule| raw.rules.push(rule))
            });
            return Ok(());
        }
        "failed" => failed(failed_kind(met, input, context)?),
        "timed_out" => failed(FailureKind::Timeout),
        "queued" => StateVerdict::Queued,
        "running" => StateVerdict::Running,
        "succeeded" => StateVerdict::Succeeded,
        "canceled" => StateVerdict::Canceled,
        _ => StateVerdict::Lost,
    };
    let span = input.span();
    let words = value::list(input, context, value::string)?;
    raw.sets.push(Spanned { value: (verdict, words), key: met.span, span });
    Ok(())
}

/// `with(Self::judge)` before the rules, whose order it would hide elsewhere.
fn judge(raw: &mut RawStates, input: ParseStream, context: &Context<'_>) -> Parsed<()> {
    let span = input.span();
    let hook = hook::hook(input, context, HookKind::Judge)?;
    if raw.judge.is_some() || !raw.rules.is_empty() {
        return Err(Diagnostic::new(
            SYNTAX,
            span,
            "a hook that judges an answer stands once, before the rules",
        )
        .help("write it first: `rules(with(Self::judge), code == 404 => lost)`"));
    }
    raw.judge = Some(hook);
    Ok(())
}

/// `failed = ` or `failed(kind) = `
fn failed_kind(met: Met, input: ParseStream, context: &Context<'_>) -> Parsed<FailureKind> {
    let mut found = FailureKind::Service;
    if input.peek(token::Paren) {
        let inner = parenthesized(input)?;
        found = inside(&inner, &context.sink, kind)?;
    }
    input.parse::<Token![=]>().map_err(|_| {
        Diagnostic::new(WRONG_FORM, met.span, "`failed` is not written like this")
            .help("write `failed = [\"error\"]`, or with its kind `failed(moderated) = [\"blocked\"]`")
    })?;
    Ok(found)
}

fn unknown(input: ParseStream, context: &Context<'_>) -> Parsed<Unknown> {
    let word = input.call(Ident::parse_any)?;
    match word.to_string().as_str() {
        "failed" => Ok(Unknown::Failed),
        "running" if input.peek(token::Paren) => {
            let inner = parenthesized(input)?;
            inside(&inner, &context.sink, |inner| {
                let how = inner.call(Ident::parse_any)?;
                if how == "warn" {
                    Ok(Unknown::Running)
                } else {
                    Err(unknown_word("way to run on", &how, ["warn"]))
                }
            })
        }
        "running" => {
            Err(Diagnostic::new(WRONG_FORM, word.span(), "`running` alone hides that the word is not known")
                .help("write `unknown = running(warn)`"))
        }
        _ => Err(unknown_word("meaning of an unknown word", &word, ["running(warn)", "failed"])),
    }
}

pub(super) fn errors(input: ParseStream, context: &Context<'_>) -> RawErrors {
    let mut raw = RawErrors::default();
    items_or(input, &ERRORS, &context.sink, |met, input| {
        match met.map(|met| met.name) {
            Some("message") => raw.message = selectors(input, context)?,
            Some("retry") => raw.retry = selectors(input, context)?,
            Some("with") => raw.classify = Some(hook::named(input, context, HookKind::Classify)?),
            Some(_) => raw.code = selectors(input, context)?,
            None => raw.rules.push(error_rule(input, context)?),
        }
        Ok(())
    });
    raw
}

pub(super) fn health(input: ParseStream, context: &Context<'_>) -> RawHealth {
    let mut raw = RawHealth::default();
    items(input, &HEALTH, &context.sink, |met, input| {
        match met.name {
            "every" => raw.every = given(met, input, value::duration)?,
            "ready" => raw.ready = Some(predicate(input, context)?),
            "metric" => raw.metrics = captures(input, context),
            _ => {
                request::key(&mut raw.request, met, input, context)?;
            }
        }
        Ok(())
    });
    raw
}
