//! `#[webhook]`: how calls are proven, and what they carry.

use emp_syntax::jsonpath::JsonPath;
use proc_macro2::Ident;
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{LitStr, Token};

use super::auth::field;
use super::keys::{HMAC, WEBHOOK};
use super::selector::header_name;
use super::value::{self, given};
use super::walk::{Context, Met, Parsed, inside, items, parenthesized, unknown_word};
use crate::catalogue::derive::{JSON_PATH, MISSING_KEY, SYNTAX, TEMPLATE};
use crate::diag::Diagnostic;
use crate::raw::RawWebhook;
use crate::spec::{CallBody, EventAt, HmacSignature, SignedPart, Spanned, StampAt, Verify};

pub(super) fn webhook(input: ParseStream, context: &Context<'_>) -> RawWebhook {
    let mut raw = RawWebhook::default();
    items(input, &WEBHOOK, &context.sink, |met, input| {
        match met.name {
            "verify" => raw.verify = given(met, input, |input| verify(input, context))?,
            "body" => raw.body = given(met, input, body)?,
            "events" => {
                raw.events = given(met, input, |input| value::list(input, context, value::string))?;
            }
            _ => raw.event = given(met, input, |input| event(input, context))?,
        }
        Ok(())
    });
    raw
}

fn verify(input: ParseStream, context: &Context<'_>) -> Parsed<Verify> {
    let word = input.call(Ident::parse_any).map_err(|error| {
        Diagnostic::new(SYNTAX, error.span(), "a way to prove a call was expected here")
            .help(format!("write `{}`", WEBHOOK.keys.last().map_or("", |key| key.example)))
    })?;
    let name = word.to_string();
    if !["standard_webhooks", "hmac", "header"].contains(&name.as_str()) {
        return Err(unknown_word("way to prove a call", &word, ["standard_webhooks", "hmac", "header"]));
    }
    let inner = parenthesized(input)?;
    inside(&inner, &context.sink, |input| match name.as_str() {
        "standard_webhooks" => field(input, context).map(Verify::Standard),
        "hmac" => hmac(Met { name: "hmac", span: word.span() }, input, context).map(Verify::Hmac),
        _ => {
            let header = header_name(input)?;
            input.parse::<Token![,]>()?;
            Ok(Verify::Header(header.value, field(input, context)?))
        }
    })
}

fn hmac(met: Met, input: ParseStream, context: &Context<'_>) -> Parsed<HmacSignature> {
    let (mut secret, mut header) = (None, None);
    let mut hmac = HmacSignature {
        secret: String::new(),
        header: String::new(),
        prefix: String::new(),
        sha512: false,
        base64: false,
        signed: vec![SignedPart::Body],
        timestamp: None,
        tolerance: None,
    };
    items(input, &HMAC, &context.sink, |met, input| {
        match met.name {
            "key" => secret = Some(field(input, context)?),
            "header" => header = Some(header_name(input)?.value),
            "prefix" => hmac.prefix = value::string(input)?.value,
            "alg" => hmac.sha512 = second(input, "hash", ["SHA256", "SHA512"])?,
            "encoding" => hmac.base64 = second(input, "encoding", ["hex", "base64"])?,
            "signed" => hmac.signed = signed(input)?,
            "timestamp" => hmac.timestamp = Some(stamp(input, context)?),
            _ => hmac.tolerance = Some(value::duration(input)?),
        }
        Ok(())
    });
    let missing = |what: &str, example: &str| {
        Diagnostic::new(MISSING_KEY, met.span, format!("`hmac` needs {what}"))
            .help(format!("add `{example}`"))
    };
    hmac.secret = secret.ok_or_else(|| missing("`key`", "key = webhook_secret"))?;
    hmac.header = header.ok_or_else(|| missing("`header`", "header = \"X-Signature\""))?;
    Ok(hmac)
}

/// Whether a word is the second of two.
fn second(input: ParseStream, what: &str, words: [&'static str; 2]) -> Parsed<bool> {
    let word = input.call(Ident::parse_any)?;
    match words.iter().position(|known| word == known) {
        Some(at) => Ok(at == 1),
        None => Err(unknown_word(what, &word, words)),
    }
}

/// `"{timestamp}.{body}"`
fn signed(input: ParseStream) -> Parsed<Vec<SignedPart>> {
    let literal = value::string(input)?;
    let text = literal.value.as_str();
    let wrong = |what: &str| {
        Diagnostic::new(TEMPLATE, literal.span, format!("\"{text}\" {what}"))
            .help("write text, `{body}`, `{timestamp}`, and `{x-id}` for a header: \"{timestamp}.{body}\"")
    };
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('{') {
        if !before.is_empty() {
            parts.push(SignedPart::Text(before.to_owned()));
        }
        let (name, after) = behind.split_once('}').ok_or_else(|| wrong("has a `{` without its `}`"))?;
        parts.push(match name {
            "body" => SignedPart::Body,
            "timestamp" => SignedPart::Timestamp,
            header if is_header(header) => SignedPart::Header(header.to_ascii_lowercase()),
            _ => {
                return Err(wrong("has a hole that is neither `body`, nor `timestamp`, nor a header's name"));
            }
        });
        rest = after;
    }
    if !rest.is_empty() {
        parts.push(SignedPart::Text(rest.to_owned()));
    }
    if !parts.contains(&SignedPart::Body) {
        return Err(wrong("does not sign the body, so that anybody could change it"));
    }
    Ok(parts)
}

fn is_header(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// `header("X-Timestamp")`, or `"t="`
fn stamp(input: ParseStream, context: &Context<'_>) -> Parsed<StampAt> {
    if input.peek(LitStr) {
        return value::string(input).map(|text| StampAt::Member(text.value));
    }
    header(input, context).map(StampAt::Header)
}

/// `header("name")`
fn header(input: ParseStream, context: &Context<'_>) -> Parsed<String> {
    let word = input.call(Ident::parse_any)?;
    if word != "header" {
        return Err(unknown_word("place", &word, ["header"]));
    }
    let inner = parenthesized(input)?;
    inside(&inner, &context.sink, header_name).map(|name| name.value)
}

fn body(input: ParseStream) -> Parsed<CallBody> {
    if input.peek(LitStr) {
        return path(input).map(|path| CallBody::At(path.value));
    }
    let word = input.call(Ident::parse_any)?;
    if word == "same_as_poll" {
        return Ok(CallBody::SameAsPoll);
    }
    Err(unknown_word("body of a call", &word, ["same_as_poll"]))
}

fn event(input: ParseStream, context: &Context<'_>) -> Parsed<EventAt> {
    if input.peek(LitStr) {
        return path(input).map(|path| EventAt::Path(path.value));
    }
    header(input, context).map(EventAt::Header)
}

/// A `JSONPath` without holes: whoever takes a call knows no job.
fn path(input: ParseStream) -> Parsed<Spanned<JsonPath>> {
    let literal = input.parse::<LitStr>()?;
    let span = literal.span();
    let value =
        JsonPath::parse(&literal.value()).map_err(|error| value::in_text(JSON_PATH, &literal, &error))?;
    Ok(Spanned { value, key: span, span })
}
