//! The keys of `#[pace]` that are about a job's time as a whole.

use syn::parse::ParseStream;
use syn::{Token, token};

use super::keys::DEADLINE;
use super::reference;
use super::value::{self, given};
use super::walk::{Context, Met, Parsed, inside, items, parenthesized};
use crate::catalogue::derive::WRONG_FORM;
use crate::diag::Diagnostic;
use crate::raw::RawPace;
use crate::spec::{Learn, Need};

/// `deadline = "30m"`, or `deadline(queued = "10m", running = "30m", total = "1h")`
pub(super) fn deadline(raw: &mut RawPace, met: Met, input: ParseStream, context: &Context<'_>) -> Parsed<()> {
    let setting = |input: ParseStream<'_>| value::setting(input, context, Need::Duration, value::duration);
    if input.parse::<Option<Token![=]>>()?.is_some() {
        raw.deadline = given(met, input, setting)?;
        return Ok(());
    }
    if !input.peek(token::Paren) {
        return Err(Diagnostic::new(WRONG_FORM, met.span, "`deadline` is not written like this")
            .help("write `deadline = \"30m\"`, or `deadline(queued = \"10m\", running = \"30m\")`"));
    }
    let inner = parenthesized(input)?;
    inside(&inner, &context.sink, |inner| {
        items(inner, &DEADLINE, &context.sink, |met, input| {
            let clock = match met.name {
                "queued" => &mut raw.queued,
                "running" => &mut raw.running,
                _ => &mut raw.deadline,
            };
            *clock = given(met, input, setting)?;
            Ok(())
        });
        Ok(())
    })
}

/// `learn`, or `learn = payload.model`
pub(super) fn learn(input: ParseStream, context: &Context<'_>) -> Parsed<Learn> {
    if input.parse::<Option<Token![=]>>()?.is_none() {
        return Ok(Learn { by: None });
    }
    reference::reference(input, context, Need::Optional).map(|(found, _)| Learn { by: Some(found) })
}
