//! `#[cleanup]`: a request, and after which jobs.

use syn::parse::ParseStream;

use super::keys::CLEANUP;
use super::request;
use super::rule::predicate;
use super::value::given;
use super::walk::{Context, items};
use crate::raw::RawCleanup;

pub(super) fn cleanup(input: ParseStream, context: &Context<'_>) -> RawCleanup {
    let mut raw = RawCleanup::default();
    items(input, &CLEANUP, &context.sink, |met, input| {
        if met.name == "when" {
            raw.when = given(met, input, |input| predicate(input, context))?;
            return Ok(());
        }
        request::key(&mut raw.request, met, input, context).map(|_| ())
    });
    raw
}
