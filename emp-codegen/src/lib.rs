//! From a declaration's tokens to its spec, and from the spec to the generated code.
//!
//! ```text
//! #[derive(Connector)] struct ..  --parse-->  RawSpec  --check-->  Spec  --expand-->  impl Connector
//! ```
//!
//! Every arrow is a pure function. The derive runs all three; emp-build runs the first two on the same source and compares the
//! [fingerprint](Spec::fingerprint). Errors are collected in a [`Sink`] within a phase, and a phase with errors
//! stops the line: what one mistake breaks is not reported as further mistakes.

pub mod catalogue;
pub mod check;
pub mod diag;
pub mod expand;
mod lines;
pub mod parse;
pub mod raw;
pub mod spec;

pub use raw::RawSpec;
pub use spec::{Spanned, Spec};

use proc_macro2::TokenStream;
use syn::DeriveInput;

use crate::diag::Sink;

/// `#[derive(Connector)]`: the impl, or a stub of it with every mistake of the declaration.
pub fn derive(input: TokenStream) -> TokenStream {
    let input: DeriveInput = match syn::parse2(input) {
        Ok(input) => input,
        Err(error) => return error.to_compile_error(),
    };
    let sink = Sink::new();
    let declarations = parse::declarations(&input, &sink);
    let errors = sink.into_compile_errors();
    let types = declarations.iter().skip(1).map(expand::structure);
    let connectors = declarations.iter().map(declared);
    quote::quote!(#errors #(#types)* #(#connectors)*)
}

/// One declaration.
fn declared(input: &DeriveInput) -> TokenStream {
    let sink = Sink::new();
    let raw = parse::connector(input, &sink);
    let krate = raw.as_ref().and_then(|raw| raw.connector.as_ref()?.value.krate.clone());
    let spec = raw.filter(|_| !sink.has_errors()).and_then(|raw| check::connector(raw, &sink));
    let errors = sink.into_compile_errors();
    match spec {
        Some(spec) if errors.is_empty() => expand::connector(&spec),
        _ => {
            // Without it every use of the type would be a further error, far from the mistake.
            let stub = if input.generics.params.is_empty() {
                expand::stub(&input.ident, krate.as_ref())
            } else {
                TokenStream::new()
            };
            quote::quote!(#errors #stub)
        }
    }
}

/// What the derive answers when the compiler itself panicked.
pub fn bug() -> TokenStream {
    let sink = Sink::new();
    sink.report(diag::Diagnostic::new(
        catalogue::derive::BUG,
        proc_macro2::Span::call_site(),
        "the compiler of connector declarations panicked",
    ));
    sink.into_compile_errors()
}
