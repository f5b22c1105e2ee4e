//! `#[connector]`, `#[http]`, `#[pace]`, `#[limits]`.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{LitStr, Token};

use super::clocks;
use super::keys::{CONNECTOR, HTTP, LIMITS, PACE};
use super::reference;
use super::selector::selectors;
use super::value::{self, given};
use super::walk::{Context, Parsed, items, unknown_word};
use crate::catalogue::derive::SYNTAX;
use crate::diag::Diagnostic;
use crate::raw::{RawConnector, RawHttp, RawLimits, RawPace};
use crate::spec::{Base, Need, TypeRef};

pub(super) fn connector(input: ParseStream, context: &Context<'_>) -> RawConnector {
    let mut raw = RawConnector::default();
    items(input, &CONNECTOR, &context.sink, |met, input| {
        match met.name {
            "service" => raw.service = given(met, input, |input| value::list(input, context, value::string))?,
            "version" => raw.version = given(met, input, |input| Ok(value::string(input)?.value))?,
            "payload" => raw.payload = given(met, input, type_ref)?,
            "output" => raw.output = given(met, input, type_ref)?,
            "crate" => raw.krate = Some(type_ref(input)?),
            "custom" => raw.custom = true,
            "unregistered" => raw.unregistered = true,
            _ => {
                raw.sync = given(met, input, |input| mode(input, &mut raw.stream))?;
            }
        }
        Ok(())
    });
    raw
}

/// Whether the submit's answer is the end; for `stream` it is the whole of a stream.
fn mode(input: ParseStream, stream: &mut bool) -> Parsed<bool> {
    let word = input.call(Ident::parse_any)?;
    match word.to_string().as_str() {
        "sync" => Ok(true),
        "poll" => Ok(false),
        "stream" => {
            *stream = true;
            Ok(true)
        }
        _ => Err(unknown_word("mode", &word, ["poll", "sync", "stream"])),
    }
}

fn type_ref(input: ParseStream) -> Parsed<TypeRef> {
    let span = input.span();
    let found = input.call(syn::Path::parse_mod_style).map_err(|_| {
        Diagnostic::new(SYNTAX, span, "a path was expected here")
            .help("write the path of a type, such as `ChatPayload`")
    })?;
    let tokens = found.into_token_stream();
    Ok(TypeRef { text: canonical(&tokens), tokens, span })
}

/// The same text for the same tokens, whoever lexed them.
pub(super) fn canonical(tokens: &TokenStream) -> String {
    let mut text = String::new();
    for token in tokens.clone() {
        match token {
            TokenTree::Group(group) => {
                text.push('(');
                text.push_str(&canonical(&group.stream()));
                text.push(')');
            }
            TokenTree::Punct(punct) => text.push(punct.as_char()),
            other => {
                text.push(' ');
                text.push_str(&other.to_string());
            }
        }
    }
    text
}

pub(super) fn http(input: ParseStream, context: &Context<'_>) -> RawHttp {
    let mut raw = RawHttp::default();
    items(input, &HTTP, &context.sink, |met, input| {
        match met.name {
            "base" => raw.base = given(met, input, |input| base(input, context))?,
            "allow_hosts" => raw.allow_hosts = value::list(input, context, value::string)?,
            _ => raw.allow_http = true,
        }
        Ok(())
    });
    raw
}

fn base(input: ParseStream, context: &Context<'_>) -> Parsed<Base> {
    if input.peek(LitStr) {
        return reference::text(input, context).map(Base::Template);
    }
    value::env_field(input, context, Need::Url).map(Base::Env)
}

pub(super) fn pace(input: ParseStream, context: &Context<'_>) -> RawPace {
    let mut raw = RawPace::default();
    items(input, &PACE, &context.sink, |met, input| {
        match met.name {
            "first" => raw.first = given(met, input, value::duration)?,
            "min" => raw.min = given(met, input, value::duration)?,
            "max" => raw.max = given(met, input, value::duration)?,
            "factor" => raw.factor = given(met, input, value::number)?,
            "jitter" => raw.jitter = given(met, input, value::number)?,
            "advice" => raw.advice = selectors(input, context)?,
            "max_unknown" => raw.max_unknown = given(met, input, value::whole)?,
            "deadline" => clocks::deadline(&mut raw, met, input, context)?,
            "eta" => raw.eta = given(met, input, |input| selectors(input, context))?,
            "learn" => raw.learn = given(met, input, |input| clocks::learn(input, context))?,
            _ => {
                let state = input.call(Ident::parse_any)?;
                if state != "queued" {
                    return Err(unknown_word("state to slow down in", &state, ["queued"]));
                }
                input.parse::<Token![,]>()?;
                raw.while_queued = given(met, input, value::duration)?;
            }
        }
        Ok(())
    });
    raw
}

pub(super) fn limits(input: ParseStream, context: &Context<'_>) -> RawLimits {
    let mut raw = RawLimits::default();
    items(input, &LIMITS, &context.sink, |met, input| {
        let count = |input: ParseStream<'_>| value::setting(input, context, Need::Count, value::whole);
        match met.name {
            "rate" => raw.rate = given(met, input, value::rate)?,
            "in_flight" => raw.in_flight = given(met, input, count)?,
            "attempts" => raw.attempts = given(met, input, count)?,
            "max_body" => raw.max_body = given(met, input, value::size)?,
            "max_response" => raw.max_response = given(met, input, value::size)?,
            "max_file" => raw.max_file = given(met, input, value::size)?,
            _ => raw.max_total = given(met, input, value::size)?,
        }
        Ok(())
    });
    raw
}
