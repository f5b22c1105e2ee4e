//! `#[outcome(..)]`.

use emp_syntax::rule::{FailureKind, StateVerdict};
use proc_macro2::Ident;
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Token, token};

use super::keys::{EACH, OUTCOME};
use super::request::{self, pair_value};
use super::rule::{arrow, state_rule, verdict};
use super::selector::{captures, selector, selectors};
use super::value::{self, given};
use super::walk::{Context, Parsed, inside, items, parenthesized, separated, unknown_word};
use crate::catalogue::derive::WRONG_FORM;
use crate::diag::Diagnostic;
use crate::raw::{RawEach, RawFiles, RawOutcome};
use crate::spec::Place;

/// The forms of `files`.
const FILES: [&str; 3] = ["urls", "auto_urls", "each"];

pub(super) fn outcome(input: ParseStream, context: &Context<'_>) -> RawOutcome {
    let mut raw = RawOutcome::default();
    items(input, &OUTCOME, &context.sink, |met, input| {
        match met.name {
            "json" => raw.take.json = given(met, input, |input| selectors(input, context))?,
            "text" => raw.take.text = given(met, input, |input| selectors(input, context))?,
            "mime" => raw.take.mime = given(met, input, |input| selectors(input, context))?,
            "base64" => raw.take.base64 = given(met, input, |input| selectors(input, context))?,
            "raw" => raw.take.raw = Some(met.span),
            "files" => raw.take.files = given(met, input, |input| files(input, context))?,
            "types" => {
                raw.types = given(met, input, |input| value::list(input, context, value::string))?;
            }
            "min" => raw.min = given(met, input, value::whole)?,
            "too_few" => raw.too_few = given(met, input, failure(context, "too_few"))?,
            "on_http_error" => raw.on_http_error = given(met, input, failure(context, "on_http_error"))?,
            "refresh" => raw.refresh = given(met, input, refresh)?,
            "rules" => separated(input, &context.sink, |input| {
                state_rule(input, context).map(|rule| raw.rules.push(rule))
            }),
            "meta" => raw.meta = captures(input, context),
            "keep_for" => raw.keep_for = given(met, input, value::duration)?,
            _ => {
                request::key(&mut raw.request, met, input, context)?;
            }
        }
        Ok(())
    });
    raw
}

/// `=> failed(kind)`
fn failure<'c>(
    context: &'c Context<'_>,
    key: &'static str,
) -> impl FnOnce(ParseStream<'_>) -> Parsed<FailureKind> + 'c {
    move |input| {
        arrow(input)?;
        let span = input.span();
        match verdict(input, context)? {
            StateVerdict::Failed { kind, message: None } => Ok(kind),
            _ => Err(Diagnostic::new(WRONG_FORM, span, format!("`{key}` leads to a failure"))
                .help(format!("write `{key} => failed(service)`"))),
        }
    }
}

fn refresh(input: ParseStream<'_>) -> Parsed<()> {
    let word = input.call(Ident::parse_any)?;
    if word == "poll" { Ok(()) } else { Err(unknown_word("way to a fresh link", &word, ["poll"])) }
}

fn files(input: ParseStream<'_>, context: &Context<'_>) -> Parsed<RawFiles> {
    let word = input.call(Ident::parse_any)?;
    let group = || -> Parsed<_> {
        if !input.peek(token::Paren) {
            return Err(Diagnostic::new(WRONG_FORM, word.span(), format!("`{word}` needs its parentheses"))
                .help("write `urls(\"$.images[*].url\")`, or `each(\"$.items[*]\", get = \"/view\")`"));
        }
        Ok(parenthesized(input)?)
    };
    match word.to_string().as_str() {
        "auto_urls" => Ok(RawFiles::Auto),
        "urls" => {
            let inner = group()?;
            let mut found = Vec::new();
            inside(&inner, &context.sink, |inner| {
                separated(inner, &context.sink, |input| {
                    selector(input, context).map(|selector| found.push(selector))
                });
                Ok(())
            })?;
            Ok(RawFiles::Urls(found))
        }
        "each" => {
            let inner = group()?;
            inside(&inner, &context.sink, |inner| each(inner, context)).map(RawFiles::Each)
        }
        _ => Err(unknown_word("kind of files", &word, FILES)),
    }
}

/// `"$.items[*]", get = "/view", query(..), name = item.name`
fn each(input: ParseStream<'_>, context: &Context<'_>) -> Parsed<RawEach> {
    let nodes = selector(input, context)?;
    input.parse::<Option<Token![,]>>()?;
    let mut raw = RawEach { items: nodes, request: crate::raw::RawRequest::default(), name: None };
    let context = context.at(Place::Item);
    items(input, &EACH, &context.sink, |met, input| {
        if met.name == "name" {
            raw.name = Some(pair_value(input, &context)?);
            return Ok(());
        }
        request::key(&mut raw.request, met, input, &context).map(|_| ())
    });
    Ok(raw)
}
