//! `#[openapi]`: which slice of the service's own description the declaration is checked against.

use syn::parse::ParseStream;

use super::keys::OPENAPI;
use super::value::{self, given};
use super::walk::{Context, items};
use crate::raw::RawOpenApi;

pub(super) fn openapi(input: ParseStream, context: &Context<'_>) -> RawOpenApi {
    let mut raw = RawOpenApi::default();
    items(input, &OPENAPI, &context.sink, |met, input| {
        let name = |input: ParseStream<'_>| Ok(value::string(input)?.value);
        match met.name {
            "file" => raw.file = given(met, input, name)?,
            "submit" => raw.submit = given(met, input, name)?,
            "poll" => raw.poll = given(met, input, name)?,
            "cancel" => raw.cancel = given(met, input, name)?,
            "open" => raw.open = value::list(input, context, value::string)?,
            "allow" => raw.allow = value::list(input, context, value::string)?,
            _ => raw.strict = true,
        }
        Ok(())
    });
    raw
}
