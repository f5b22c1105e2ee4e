//! `#[cancel]`: by a request, by one or another, or by closing the connection.

use proc_macro2::Ident;
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Token, token};

use super::call::call;
use super::keys::CANCEL;
use super::request;
use super::value::{self, given};
use super::walk::{Context, Met, Parsed, inside, items, parenthesized, unknown_word};
use crate::catalogue::derive::{DUPLICATE, WRONG_FORM};
use crate::diag::Diagnostic;
use crate::raw::{RawCancel, RawRequest};
use crate::spec::{CancelScope, CancelStage, Spanned};

pub(super) fn cancel(input: ParseStream, context: &Context<'_>) -> RawCancel {
    let mut raw = RawCancel::default();
    items(input, &CANCEL, &context.sink, |met, input| {
        match met.name {
            "ok" => raw.ok = value::codes(input, context)?,
            "too_late" => raw.too_late = value::codes(input, context)?,
            "gone" => raw.gone = value::codes(input, context)?,
            "scope" => raw.scope = given(met, input, scope)?,
            "only_if" => raw.only_if = given(met, input, only_if)?,
            "drop_connection" => raw.drop_connection = Some(met.span),
            "when" => {
                let found = when(met, input, context)?;
                if let Some(first) = raw.when.iter().find(|earlier| earlier.value.0 == found.value.0) {
                    return Err(Diagnostic::new(
                        DUPLICATE,
                        met.span,
                        "there are two requests for this state",
                    )
                    .help("keep one of the two")
                    .related(first.key, "the first one is here"));
                }
                raw.when.push(found);
            }
            _ => {
                request::key(&mut raw.request, met, input, context)?;
            }
        }
        Ok(())
    });
    raw
}

/// `when(queued) = post(..)`
fn when(met: Met, input: ParseStream, context: &Context<'_>) -> Parsed<Spanned<(CancelStage, RawRequest)>> {
    let wrong = || {
        Diagnostic::new(WRONG_FORM, met.span, "`when` is not written like this")
            .help("write `when(queued) = post(\"/queue\", json { \"delete\": [job.id] })`")
    };
    if !input.peek(token::Paren) {
        return Err(wrong());
    }
    let inner = parenthesized(input)?;
    let stage = inside(&inner, &context.sink, |inner| {
        let word = inner.call(Ident::parse_any)?;
        match word.to_string().as_str() {
            "queued" => Ok(CancelStage::Queued),
            "running" => Ok(CancelStage::Running),
            _ => Err(unknown_word("state to cancel in", &word, ["queued", "running"])),
        }
    })?;
    input.parse::<Token![=]>().map_err(|_| wrong())?;
    let span = input.span();
    let request = call(input, context)?;
    Ok(Spanned { value: (stage, request), key: met.span, span })
}

fn scope(input: ParseStream) -> Parsed<CancelScope> {
    let word = input.call(Ident::parse_any)?;
    match word.to_string().as_str() {
        "job" => Ok(CancelScope::Job),
        "service" => Ok(CancelScope::Service),
        _ => Err(unknown_word("scope of a cancel", &word, ["job", "service"])),
    }
}

fn only_if(input: ParseStream) -> Parsed<()> {
    let word = input.call(Ident::parse_any)?;
    if word == "running" { Ok(()) } else { Err(unknown_word("condition of a cancel", &word, ["running"])) }
}
