//! `with(Self::f)`: a function of the connector's own type.

use emp_syntax::hook::Hook;
use proc_macro2::Ident;
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Token, token};

use super::walk::{Context, Parsed, inside, parenthesized};
use crate::catalogue::derive::SYNTAX;
use crate::diag::Diagnostic;
use crate::spec::{HookKind, HookUse};

/// Whether a hook begins here.
pub(super) fn here(input: ParseStream) -> bool {
    input.peek2(token::Paren) && input.fork().call(Ident::parse_any).is_ok_and(|word| word == "with")
}

/// Whether a hook is all that stands between two commas here, and not the start of a comparison.
pub(super) fn alone(input: ParseStream) -> bool {
    let ahead = input.fork();
    here(input)
        && ahead.call(Ident::parse_any).is_ok()
        && parenthesized(&ahead).is_ok_and(|inner| inner.parse::<proc_macro2::TokenStream>().is_ok())
        && (ahead.is_empty() || ahead.peek(Token![,]))
}

/// `with(Self::f)`
pub(super) fn hook<F>(input: ParseStream, context: &Context<'_>, kind: HookKind) -> Parsed<Hook<F>> {
    input.call(Ident::parse_any)?;
    let inner = parenthesized(input)?;
    named(&inner, context, kind)
}

/// `Self::f`, what stands in the parentheses.
pub(super) fn named<F>(inner: ParseStream, context: &Context<'_>, kind: HookKind) -> Parsed<Hook<F>> {
    inside(inner, &context.sink, |inner| {
        let span = inner.span();
        let wrong = |_| {
            Diagnostic::new(SYNTAX, span, "a hook is a function of the connector's own type").help(format!(
                "write `with(Self::name)`, and `fn name({}) -> {}` in an `impl` of the type",
                kind.argument(),
                kind.result()
            ))
        };
        inner.parse::<Token![Self]>().map_err(wrong)?;
        inner.parse::<Token![::]>().map_err(wrong)?;
        let name = inner.call(Ident::parse_any).map_err(wrong)?;
        let text = name.unraw().to_string();
        context.hooks.borrow_mut().push(HookUse { name, kind });
        Ok(Hook { name: text.into(), call: None })
    })
}
