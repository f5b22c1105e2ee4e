//! Typed-hole JSON bodies.

use emp_syntax::json::{Json, Member};
use proc_macro2::{Ident, Span};
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Lit, LitStr, Token, token};

use super::asset::{self, Files};
use super::hook;
use super::reference;
use super::value;
use super::walk::{Context, Parsed, braced, bracketed, inside, separated};
use crate::catalogue::derive::{DUPLICATE_MEMBER, SYNTAX};
use crate::diag::Diagnostic;
use crate::spec::{HookKind, Need};

/// A JSON value with holes.
pub(super) fn json(input: ParseStream, context: &Context<'_>) -> Parsed<Json> {
    if input.peek(token::Brace) {
        let inner = braced(input)?;
        return inside(&inner, &context.sink, |inner| Ok(members(inner, context)));
    }
    if input.peek(token::Bracket) {
        let inner = bracketed(input)?;
        let mut elements = Vec::new();
        separated(&inner, &context.sink, |input| json(input, context).map(|element| elements.push(element)));
        return Ok(Json::Array(elements.into()));
    }
    if input.peek(LitStr) {
        return reference::text(input, context).map(Json::Text);
    }
    if hook::here(input) {
        return hook::hook(input, context, HookKind::Make).map(Json::Hook);
    }
    if let Some(found) = asset::value(input, context, Files::Refused) {
        return found;
    }
    let null = input.fork().call(Ident::parse_any).is_ok_and(|word| word == "null");
    if null || input.peek(Lit) || input.peek(Token![-]) {
        return value::literal(input).map(Json::Literal);
    }
    reference::hole(input, context).map(Json::Hole)
}

/// The members of an object, without its braces.
pub(super) fn members(input: ParseStream, context: &Context<'_>) -> Json {
    let mut members = Vec::new();
    let mut seen: Vec<(String, Span)> = Vec::new();
    separated(input, &context.sink, |input| {
        if input.peek(Token![..]) {
            input.parse::<Token![..]>()?;
            if hook::here(input) {
                members.push(Member::SpreadHook(hook::hook(input, context, HookKind::Make)?));
                return Ok(());
            }
            let (reference, _) = reference::reference(input, context, Need::Spread)?;
            members.push(Member::Spread(reference));
            return Ok(());
        }
        let name = name(input)?;
        let text = name.value();
        if let Some((_, first)) = seen.iter().find(|(earlier, _)| *earlier == text) {
            context.sink.report(
                Diagnostic::new(
                    DUPLICATE_MEMBER,
                    name.span(),
                    format!("the member \"{text}\" is there twice"),
                )
                .related(*first, "the first one is here"),
            );
        }
        input.parse::<Token![:]>().map_err(|error| {
            Diagnostic::new(SYNTAX, error.span(), format!("a `:` was expected behind \"{text}\""))
                .help(format!("write `\"{text}\": payload.{text}`"))
        })?;
        let value = json(input, context)?;
        seen.push((text.clone(), name.span()));
        members.push(Member::Field { name: text.into(), value });
        Ok(())
    });
    Json::Object(members.into())
}

fn name(input: ParseStream) -> Parsed<LitStr> {
    if let Ok(ident) = input.fork().call(Ident::parse_any) {
        return Err(Diagnostic::new(
            SYNTAX,
            ident.span(),
            format!("the member's name `{ident}` is not in quotes"),
        )
        .help(format!("write `\"{ident}\": ..`")));
    }
    input.parse().map_err(|error: syn::Error| {
        Diagnostic::new(SYNTAX, error.span(), "a member was expected here")
            .help("write `\"name\": value`, or `..payload.input` to spread an object")
    })
}
