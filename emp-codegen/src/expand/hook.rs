//! Hooks: one constant for each function, of the type that its place wants, so that rustc checks it at the author's own tokens.

use emp_syntax::hook::Hook;
use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};

use crate::spec::{HookKind, HookUse, Spec};

/// The constants of a connector's hooks.
pub(super) fn constants(spec: &Spec) -> TokenStream {
    let mut seen = std::collections::BTreeSet::new();
    let connector = &spec.name;
    let constants = spec.hooks.iter().filter_map(|hook| {
        let name = HookUse::constant(&hook.text(), hook.kind);
        seen.insert(name.clone()).then(|| {
            let (constant, kind, function) = (ident(&name), ident(&format!("{:?}", hook.kind)), &hook.name);
            let mut connector = connector.clone();
            connector.set_span(function.span());
            let path = quote_spanned!(function.span()=> #connector::#function);
            quote! {
                const #constant: __emp::hook::#kind = #path;
            }
        })
    });
    constants.collect()
}

/// A hook as the value of a table.
pub(super) fn constant<F>(hook: &Hook<F>, kind: HookKind) -> TokenStream {
    let name: &str = &hook.name;
    let constant = ident(&HookUse::constant(name, kind));
    quote! {
        __emp::hook::Hook { name: __emp::Cow::Borrowed(#name), call: ::core::option::Option::Some(#constant) }
    }
}

fn ident(name: &str) -> Ident {
    Ident::new(name, Span::call_site())
}
