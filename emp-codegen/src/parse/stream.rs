//! `#[stream]`.

use syn::parse::ParseStream;

use super::json;
use super::keys::{CHUNKS, STREAM};
use super::request;
use super::rule::predicate;
use super::selector::{selector, selectors};
use super::value::{self, given};
use super::walk::{Context, items};
use crate::catalogue::derive::DUPLICATE;
use crate::diag::Diagnostic;
use crate::raw::{RawChunks, RawStream, RawStreamFormat};
use crate::spec::{Place, Spanned};

pub(super) fn stream(input: ParseStream, context: &Context<'_>) -> RawStream {
    let mut raw = RawStream::default();
    // What is asked and sent is known before there is an answer.
    let before = context.at(Place::Submit);
    items(input, &STREAM, &context.sink, |met, input| {
        let format = match met.name {
            "sse" => RawStreamFormat::Sse,
            "ndjson" => RawStreamFormat::Ndjson,
            "chunks" => RawStreamFormat::Chunks(chunks(input, &context.at(Place::Job))),
            "when" => {
                raw.when = given(met, input, |input| predicate(input, &before))?;
                return Ok(());
            }
            "json" => {
                raw.json = given(met, input, |input| Ok(json::members(input, &before)))?;
                return Ok(());
            }
            "delta" => {
                raw.delta = selectors(input, context)?;
                return Ok(());
            }
            "done" => {
                raw.done = Some(predicate(input, context)?);
                return Ok(());
            }
            "end" => {
                raw.end = Some(value::string(input)?.value);
                return Ok(());
            }
            "error" => {
                raw.error = selectors(input, context)?;
                return Ok(());
            }
            _ => {
                raw.idle_timeout = given(met, input, value::duration)?;
                return Ok(());
            }
        };
        if let Some(first) = &raw.format {
            return Err(Diagnostic::new(DUPLICATE, met.span, "a stream has one format")
                .help("keep one of `sse`, `ndjson` and `chunks(..)`")
                .related(first.key, "the first one is here"));
        }
        raw.format = Some(Spanned { value: format, key: met.span, span: met.span });
        Ok(())
    });
    raw
}

fn chunks(input: ParseStream, context: &Context<'_>) -> RawChunks {
    let mut raw = RawChunks::default();
    items(input, &CHUNKS, &context.sink, |met, input| {
        if met.name == "items" {
            raw.items = given(met, input, |input| selector(input, context))?;
        } else {
            request::key(&mut raw.request, met, input, context)?;
        }
        Ok(())
    });
    raw
}
