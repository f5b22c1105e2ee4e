//! The keys of a request: the same in `#[submit]`, `#[poll]`, `#[cancel]`, `#[health]` and `lookup`.

use emp_syntax::template::{Part, Template};
use proc_macro2::Ident;
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Lit, LitStr, Token};

use super::body;
use super::reference;
use super::selector;
use super::value::{self, given};
use super::walk::{Context, Met, Parsed, separated};
use crate::catalogue::derive::{DUPLICATE, DUPLICATE_MEMBER};
use crate::diag::Diagnostic;
use crate::raw::RawRequest;
use crate::spec::{Need, Pair, PairValue, Spanned, Target};

pub(super) const VERBS: [(&str, &str); 5] =
    [("delete", "DELETE"), ("get", "GET"), ("patch", "PATCH"), ("post", "POST"), ("put", "PUT")];

/// Reads a key when it is one of a request's.
pub(super) fn key(raw: &mut RawRequest, met: Met, input: ParseStream, context: &Context<'_>) -> Parsed<bool> {
    match met.name {
        "query" => {
            let pairs = pairs(input, context, value::string);
            extend(&mut raw.query, pairs, context);
        }
        "header" => {
            let pairs = pairs(input, context, selector::header_name);
            extend(&mut raw.headers, pairs, context);
        }
        "json" | "form" | "multipart" | "raw" => return body::key(raw, met, input, context),
        "max_body" => raw.max_body = given(met, input, value::size)?,
        "timeout" => {
            raw.timeout =
                given(met, input, |input| value::setting(input, context, Need::Duration, value::duration))?;
        }
        verb => {
            let Some((_, method)) = VERBS.into_iter().find(|(word, _)| *word == verb) else {
                return Ok(false);
            };
            let target = given(met, input, |input| Ok((method, target(input, context)?)))?;
            if let Some(first) = &raw.target {
                return Err(Diagnostic::new(DUPLICATE, met.span, "a request has one verb")
                    .help("keep one of the two")
                    .related(first.key, "the first one is here"));
            }
            raw.target = target;
        }
    }
    Ok(true)
}

pub(super) fn target(input: ParseStream, context: &Context<'_>) -> Parsed<Target> {
    if input.peek(Ident::peek_any) {
        return reference::reference(input, context, Need::Required)
            .map(|(found, _)| Target::Captured(found));
    }
    reference::text(input, context).map(Target::Path)
}

pub(super) fn pairs(
    input: ParseStream,
    context: &Context<'_>,
    name: impl Fn(ParseStream) -> Parsed<Spanned<String>>,
) -> Vec<Pair> {
    let mut pairs = Vec::new();
    separated(input, &context.sink, |input| {
        let name = name(input)?;
        input.parse::<Token![=]>()?;
        pairs.push(Pair { name, value: pair_value(input, context)? });
        Ok(())
    });
    pairs
}

pub(super) fn pair_value(input: ParseStream, context: &Context<'_>) -> Parsed<PairValue> {
    if input.peek(LitStr) {
        return reference::text(input, context).map(PairValue::Text);
    }
    if input.peek(Lit) {
        let text = match value::literal(input)? {
            emp_syntax::hole::Literal::Int(value) => value.to_string(),
            emp_syntax::hole::Literal::Float(value) => value.to_string(),
            emp_syntax::hole::Literal::Bool(value) => value.to_string(),
            emp_syntax::hole::Literal::Text(value) => value.into_owned(),
            emp_syntax::hole::Literal::Null => String::new(),
        };
        return Ok(PairValue::Text(Template { parts: vec![Part::Literal(text.into())].into() }));
    }
    reference::hole(input, context).map(PairValue::Hole)
}

fn extend(pairs: &mut Vec<Pair>, more: Vec<Pair>, context: &Context<'_>) {
    for pair in more {
        if let Some(first) = pairs.iter().find(|earlier| earlier.name.value == pair.name.value) {
            context.sink.report(
                Diagnostic::new(
                    DUPLICATE_MEMBER,
                    pair.name.span,
                    format!("\"{}\" is there twice", pair.name.value),
                )
                .related(first.name.span, "the first one is here"),
            );
        }
        pairs.push(pair);
    }
}
