//! What surrounds a poll: envelopes, further questions, lists, batches, and progress beside a submit.

use proc_macro2::Ident;
use syn::Token;
use syn::ext::IdentExt;
use syn::parse::ParseStream;

use super::call::call;
use super::keys::{BATCH_POLL, ENVELOPE, SIDE_PROGRESS};
use super::request;
use super::rule::predicate;
use super::selector::{selector, selectors};
use super::value::{self, given};
use super::walk::{Context, Met, Parsed, items, separated};
use crate::catalogue::derive::DUPLICATE;
use crate::diag::Diagnostic;
use crate::raw::{RawBatchPoll, RawEnvelope, RawListed, RawProbe, RawSideProgress};
use crate::spec::Spanned;

/// `envelope(ok = predicate, message = selectors)`
pub(super) fn envelope(input: ParseStream, context: &Context<'_>) -> RawEnvelope {
    let mut raw = RawEnvelope::default();
    items(input, &ENVELOPE, &context.sink, |met, input| {
        match met.name {
            "ok" => raw.ok = given(met, input, |input| predicate(input, context))?,
            _ => raw.message = selectors(input, context)?,
        }
        Ok(())
    });
    raw
}

/// `also(queue = get("/queue"), stats = post("/stats", json { .. }))`
pub(super) fn also(input: ParseStream, context: &Context<'_>) -> Vec<RawProbe> {
    let mut probes: Vec<RawProbe> = Vec::new();
    separated(input, &context.sink, |input| {
        let name = input.call(Ident::parse_any)?;
        input.parse::<Token![=]>()?;
        let request = call(input, context)?;
        let name = Spanned { value: name.unraw().to_string(), key: name.span(), span: name.span() };
        if let Some(first) = probes.iter().find(|earlier| earlier.name.value == name.value) {
            context.sink.report(
                Diagnostic::new(DUPLICATE, name.span, format!("`{}` is there twice", name.value))
                    .help("give the second one another name")
                    .related(first.name.span, "the first one is here"),
            );
        }
        probes.push(RawProbe { name, request });
        Ok(())
    });
    probes
}

/// Reads `items` and `id`.
pub(super) fn listed(raw: &mut RawListed, met: Met, input: ParseStream, context: &Context<'_>) -> Parsed<()> {
    let place = if met.name == "items" { &mut raw.items } else { &mut raw.id };
    *place = given(met, input, |input| selector(input, context))?;
    Ok(())
}

pub(super) fn batch_poll(input: ParseStream, context: &Context<'_>) -> RawBatchPoll {
    let mut raw = RawBatchPoll::default();
    items(input, &BATCH_POLL, &context.sink, |met, input| {
        match met.name {
            "items" | "id" => listed(&mut raw.listed, met, input, context)?,
            "next" => raw.next = selectors(input, context)?,
            "pages" => raw.pages = given(met, input, value::whole)?,
            "most" => raw.most = given(met, input, value::whole)?,
            "worth_it_above" => raw.worth_it_above = given(met, input, value::whole)?,
            "every" => raw.every = given(met, input, value::duration)?,
            "complete" => raw.complete = true,
            _ => {
                request::key(&mut raw.request, met, input, context)?;
            }
        }
        Ok(())
    });
    raw
}

pub(super) fn side_progress(input: ParseStream, context: &Context<'_>) -> RawSideProgress {
    let mut raw = RawSideProgress::default();
    items(input, &SIDE_PROGRESS, &context.sink, |met, input| {
        match met.name {
            "progress" => raw.progress = selectors(input, context)?,
            "progress_text" => raw.progress_text = selectors(input, context)?,
            "eta" => raw.eta = selectors(input, context)?,
            "preview" => raw.preview = selectors(input, context)?,
            "every" => raw.every = given(met, input, value::duration)?,
            _ => {
                request::key(&mut raw.request, met, input, context)?;
            }
        }
        Ok(())
    });
    raw
}
