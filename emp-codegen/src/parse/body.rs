//! `json { .. }`, `form { .. }`, `multipart { .. }` and `raw(..)`.

use emp_syntax::json::{Json, Member};
use proc_macro2::{Ident, Span};
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{LitStr, Token, token};

use super::asset::{self, Files};
use super::walk::{Context, Met, Parsed, bracketed, separated, unknown_word};
use super::{hook, json, reference, value};
use crate::catalogue::body::{BODIES, PART};
use crate::catalogue::derive::{DUPLICATE_MEMBER, SYNTAX};
use crate::diag::Diagnostic;
use crate::raw::RawRequest;
use crate::spec::{Body, HookKind, Need, Spanned};

/// Reads a body's key when it is one.
pub(super) fn key(raw: &mut RawRequest, met: Met, input: ParseStream, context: &Context<'_>) -> Parsed<bool> {
    let span = input.span();
    let body = match met.name {
        "json" => Body::Json(json::members(input, context)),
        "form" => Body::Form(parts(input, context, Files::Refused)),
        "multipart" => Body::Multipart(parts(input, context, Files::Allowed)),
        "raw" => raw_body(input, context)?,
        _ => return Ok(false),
    };
    if let Some(first) = &raw.body {
        return Err(Diagnostic::new(BODIES, met.span, "this request has two bodies")
            .help("keep one of the two")
            .related(first.key, "the first one is here"));
    }
    raw.body = Some(Spanned { value: body, key: met.span, span });
    Ok(true)
}

/// `name: value, ..payload.params`
fn parts(input: ParseStream, context: &Context<'_>, files: Files) -> Vec<Member> {
    let mut parts = Vec::new();
    let mut seen: Vec<(String, Span)> = Vec::new();
    separated(input, &context.sink, |input| {
        if input.parse::<Option<Token![..]>>()?.is_some() {
            parts.push(if hook::here(input) {
                Member::SpreadHook(hook::hook(input, context, HookKind::Make)?)
            } else {
                Member::Spread(reference::reference(input, context, Need::Spread)?.0)
            });
            return Ok(());
        }
        let name = name(input)?;
        let (text, span) = (name.value, name.span);
        if let Some((_, first)) = seen.iter().find(|(earlier, _)| *earlier == text) {
            context.sink.report(
                Diagnostic::new(DUPLICATE_MEMBER, span, format!("the part `{text}` is there twice"))
                    .help(format!("write the parts of one name as a list: `{text}: [payload.a, payload.b]`"))
                    .related(*first, "the first one is here"),
            );
        }
        input.parse::<Token![:]>().map_err(|error| {
            Diagnostic::new(SYNTAX, error.span(), format!("a `:` was expected behind `{text}`"))
                .help(format!("write `{text}: payload.{text}`"))
        })?;
        let value = part(input, context, files)?;
        seen.push((text.clone(), span));
        parts.push(Member::Field { name: text.into(), value });
        Ok(())
    });
    parts
}

/// A name that a header can quote.
fn name(input: ParseStream) -> Parsed<Spanned<String>> {
    if !input.peek(LitStr) {
        let ident = input.call(Ident::parse_any).map_err(|error| {
            Diagnostic::new(SYNTAX, error.span(), "a part was expected here")
                .help("write `name: value`, or `..payload.params` to spread an object")
        })?;
        return Ok(Spanned { value: ident.unraw().to_string(), key: ident.span(), span: ident.span() });
    }
    let name = value::string(input)?;
    if name.value.is_empty() || name.value.chars().any(|c| c.is_control() || c == '"') {
        return Err(Diagnostic::new(
            PART,
            name.span,
            format!("{:?} cannot be the name of a part", name.value),
        )
        .help("write a name without quotes and control characters, such as `\"image[]\"`"));
    }
    Ok(name)
}

/// The value of a part: a text, a number, a boolean, an asset, or a list of those.
fn part(input: ParseStream, context: &Context<'_>, files: Files) -> Parsed<Json> {
    if input.peek(token::Brace) {
        return Err(Diagnostic::new(PART, input.span(), "a part of a form is not an object")
            .help("write a text, a number, a hole or an asset; a service that wants JSON in a part gets it from `with(Self::f)` as text"));
    }
    if input.peek(token::Bracket) {
        let inner = bracketed(input)?;
        let mut elements = Vec::new();
        separated(&inner, &context.sink, |input| {
            part(input, context, files).map(|element| elements.push(element))
        });
        return Ok(Json::Array(elements.into()));
    }
    asset::value(input, context, files).unwrap_or_else(|| json::json(input, context))
}

/// `file(payload.audio), content_type = "audio/wav"`
fn raw_body(input: ParseStream, context: &Context<'_>) -> Parsed<Body> {
    let value = part(input, context, Files::Allowed)?;
    let mut content_type = None;
    if input.parse::<Option<Token![,]>>()?.is_some() && !input.is_empty() {
        let key = input.call(Ident::parse_any)?;
        if key != "content_type" {
            return Err(unknown_word("option of `raw`", &key, ["content_type"]));
        }
        input.parse::<Token![=]>()?;
        let text = value::string(input)?;
        if text.value.is_empty() || !text.value.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            return Err(Diagnostic::new(PART, text.span, "this is not a content type")
                .help("write `content_type = \"audio/wav\"`"));
        }
        content_type = Some(text.value);
    }
    Ok(Body::Raw { value, content_type })
}
