//! A request as a value: `post("/queue", json { "delete": [job.id] })`.

use proc_macro2::Ident;
use syn::Token;
use syn::ext::IdentExt;
use syn::parse::ParseStream;

use super::keys::CALL;
use super::request;
use super::walk::{Context, Parsed, inside, items, parenthesized, unknown_word};
use crate::raw::RawRequest;
use crate::spec::Spanned;

/// A verb, its target, and the keys of a request.
pub(super) fn call(input: ParseStream, context: &Context<'_>) -> Parsed<RawRequest> {
    let verb = input.call(Ident::parse_any)?;
    let Some((_, method)) = request::VERBS.into_iter().find(|(word, _)| verb == word) else {
        return Err(unknown_word("verb", &verb, request::VERBS.map(|(word, _)| word)));
    };
    let inner = parenthesized(input)?;
    inside(&inner, &context.sink, |inner| {
        let span = inner.span();
        let target = request::target(inner, context)?;
        let mut raw = RawRequest {
            target: Some(Spanned { value: (method, target), key: verb.span(), span }),
            ..RawRequest::default()
        };
        if !inner.is_empty() {
            inner.parse::<Token![,]>()?;
        }
        items(inner, &CALL, &context.sink, |met, input| {
            request::key(&mut raw, met, input, context).map(|_| ())
        });
        Ok(raw)
    })
}
