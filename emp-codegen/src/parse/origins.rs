//! `#[origins]`: which server-supplied URLs are followed, and from where results are fetched.

use proc_macro2::Ident;
use syn::Token;
use syn::ext::IdentExt;
use syn::parse::ParseStream;

use super::field;
use super::keys::ORIGINS;
use super::value::{self, given};
use super::walk::{Context, Parsed, items, unknown_word};
use crate::raw::RawOrigins;
use crate::spec::Follow;

pub(super) fn origins(input: ParseStream, context: &Context<'_>) -> RawOrigins {
    let mut raw = RawOrigins::default();
    items(input, &ORIGINS, &context.sink, |met, input| {
        match met.name {
            "follow" => raw.follow = given(met, input, |input| follow(input, context))?,
            "download" => raw.download = given(met, input, |input| hosts(input, context))?,
            _ => raw.same_auth = given(met, input, same_auth)?,
        }
        Ok(())
    });
    raw
}

/// `self`, `rebase`, or hosts.
fn follow(input: ParseStream, context: &Context<'_>) -> Parsed<Follow> {
    if input.peek(Token![self]) {
        input.parse::<Token![self]>()?;
        return Ok(Follow::SelfOnly);
    }
    if input.peek(Ident::peek_any) {
        let word = input.call(Ident::parse_any)?;
        if word == "rebase" {
            return Ok(Follow::Rebase);
        }
        return Err(unknown_word("way to follow", &word, ["self", "rebase", "[\"*.example.com\"]"]));
    }
    hosts(input, context).map(Follow::Hosts)
}

fn hosts(input: ParseStream, context: &Context<'_>) -> Parsed<Vec<String>> {
    value::list(input, context, |input| {
        let host = value::string(input)?;
        field::host(&host)?;
        Ok(host.value)
    })
}

fn same_auth(input: ParseStream) -> Parsed<bool> {
    let word = input.call(Ident::parse_any)?;
    match word.to_string().as_str() {
        "none" => Ok(false),
        "same_as_api" => Ok(true),
        _ => Err(unknown_word("credential of downloads", &word, ["none", "same_as_api"])),
    }
}
