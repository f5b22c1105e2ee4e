//! `#[prepare(..)]`

use emp_syntax::rule::Predicate;
use syn::parse::ParseStream;

use super::keys::PREPARE;
use super::rule::predicate;
use super::selector::captures;
use super::value::{self, given};
use super::walk::{Context, items};
use super::{reference, request};
use crate::catalogue::derive::DUPLICATE;
use crate::diag::Diagnostic;
use crate::raw::RawPrepare;
use crate::spec::{Need, Place, Spanned};

pub(super) fn prepare(input: ParseStream, context: &Context<'_>) -> RawPrepare {
    let mut raw = RawPrepare::default();
    let captured = context.at(Place::Captured);
    items(input, &PREPARE, &context.sink, |met, input| {
        match met.name {
            "when" | "unless" => {
                let condition = given(met, input, |input| predicate(input, context))?;
                if let Some(first) = &raw.when {
                    return Err(Diagnostic::new(DUPLICATE, met.span, "a step has one condition")
                        .help("join the two: `when = payload.a present && !(payload.b == \"x\")`")
                        .related(first.key, "the first one is here"));
                }
                raw.when = condition.map(|found| match met.name {
                    "unless" => Spanned { value: Predicate::Not(vec![found.value].into()), ..found },
                    _ => found,
                });
            }
            "each" => {
                raw.each = given(met, input, |input| {
                    reference::reference(input, context, Need::Optional).map(|(found, _)| found)
                })?;
            }
            "accept" => raw.accept = value::codes(input, context)?,
            "capture" => raw.capture = captures(input, &captured),
            _ => {
                request::key(&mut raw.request, met, input, context)?;
            }
        }
        Ok(())
    });
    raw
}
