//! `#[outcome(..)]`.

use emp_syntax::rule::{FailureKind, StateVerdict};
use proc_macro2::Ident;
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{LitStr, Token, token};

use super::keys::{EACH, OUTCOME, PART, PARTIAL};
use super::request::{self, pair_value};
use super::rule::{arrow, predicate, state_rule, verdict};
use super::selector::{captures, selector, selectors};
use super::value::{self, given};
use super::walk::{Context, Parsed, inside, items, parenthesized, separated, unknown_word};
use crate::catalogue::derive::WRONG_FORM;
use crate::diag::Diagnostic;
use crate::raw::{RawEach, RawExtra, RawFiles, RawOutcome, RawPart, RawPartial, RawRequest, RawTake};
use crate::spec::{Place, Spanned};

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
            "jsonl" => raw.take.jsonl = true,
            "first_of" => {
                let mut parts = Vec::new();
                let span = input.span();
                separated(input, &context.sink, |input| {
                    alternative(input, context).map(|part| parts.push(part))
                });
                raw.first_of = Some(Spanned { value: parts, key: met.span, span });
            }
            "also" => separated(input, &context.sink, |input| {
                extra(input, context).map(|extra| raw.also.push(extra))
            }),
            "files" => raw.take.files = given(met, input, |input| files(input, context))?,
            "types" => {
                raw.types = given(met, input, |input| value::list(input, context, value::string))?;
            }
            "min" => raw.min = given(met, input, value::whole)?,
            "too_few" => raw.too_few = given(met, input, failure(context, "too_few"))?,
            "partial" => {
                let span = input.span();
                raw.partial = Some(Spanned { value: partial(input, context), key: met.span, span });
            }
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

/// `partial(when = predicate)`
fn partial(input: ParseStream, context: &Context<'_>) -> RawPartial {
    let mut raw = RawPartial::default();
    items(input, &PARTIAL, &context.sink, |met, input| {
        raw.when = given(met, input, |input| predicate(input, context))?;
        Ok(())
    });
    raw
}

/// `json = "$.result"`, or `get(..)`
fn alternative(input: ParseStream<'_>, context: &Context<'_>) -> Parsed<RawPart> {
    let word = input.fork().call(Ident::parse_any)?;
    if word == "get" {
        return part(input, context);
    }
    let span = word.span();
    input.call(Ident::parse_any)?;
    let mut take = RawTake::default();
    let here = |value| Some(Spanned { value, key: span, span });
    input.parse::<Token![=]>()?;
    match word.to_string().as_str() {
        "json" => take.json = here(selectors(input, context)?),
        "text" => take.text = here(selectors(input, context)?),
        "base64" => take.base64 = here(selectors(input, context)?),
        "files" => take.files = Some(Spanned { value: files(input, context)?, key: span, span }),
        _ => {
            return Err(unknown_word(
                "place for a result",
                &word,
                ["json", "text", "base64", "files", "get"],
            ));
        }
    }
    Ok(RawPart { span, get: false, from: Vec::new(), request: RawRequest::default(), take })
}

/// `name = get(..) if predicate`
fn extra(input: ParseStream<'_>, context: &Context<'_>) -> Parsed<RawExtra> {
    let name = input.call(Ident::parse_any)?;
    input.parse::<Token![=]>()?;
    let part = part(input, context)?;
    let when = match input.parse::<Option<Token![if]>>()? {
        Some(_) => Some(predicate(input, context)?),
        None => None,
    };
    let name = Spanned { value: name.unraw().to_string(), key: name.span(), span: name.span() };
    Ok(RawExtra { name, part, when })
}

/// `get("/path", raw)`
fn part(input: ParseStream<'_>, context: &Context<'_>) -> Parsed<RawPart> {
    let word = input.call(Ident::parse_any)?;
    if word != "get" || !input.peek(token::Paren) {
        return Err(Diagnostic::new(
            WRONG_FORM,
            word.span(),
            "a part of the result is asked for with `get(..)`",
        )
        .help("write `get(\"/jobs/{job.id}/srt\", raw)`"));
    }
    let mut raw = RawPart {
        span: word.span(),
        get: true,
        from: Vec::new(),
        request: RawRequest::default(),
        take: RawTake::default(),
    };
    let inner = parenthesized(input)?;
    inside(&inner, &context.sink, |input| {
        let found = input.fork().parse::<LitStr>().map_or_else(
            |_| {
                input.fork().call(Ident::parse_any).is_ok_and(|word| word == "header")
                    || input.peek(token::Bracket)
            },
            |text| text.value().starts_with('$'),
        );
        if found {
            raw.from = selectors(input, context)?;
        } else {
            let span = input.span();
            let target = request::target(input, context)?;
            raw.request.target = Some(Spanned { value: ("GET", target), key: word.span(), span });
        }
        input.parse::<Option<Token![,]>>()?;
        items(input, &PART, &context.sink, |met, input| {
            match met.name {
                "json" => raw.take.json = given(met, input, |input| selectors(input, context))?,
                "text" => raw.take.text = given(met, input, |input| selectors(input, context))?,
                "files" => raw.take.files = given(met, input, |input| files(input, context))?,
                "jsonl" => raw.take.jsonl = true,
                "raw" => raw.take.raw = Some(met.span),
                _ => {
                    request::key(&mut raw.request, met, input, context)?;
                }
            }
            Ok(())
        });
        Ok(())
    })?;
    Ok(raw)
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
    let mut raw = RawEach { items: nodes, request: RawRequest::default(), name: None };
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
