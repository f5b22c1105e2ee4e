//! What a connector declares, read by the same compiler that the derive runs.

use std::ops::Range;

use emp_codegen::diag::Sink;
use emp_codegen::spec::Spec;
use emp_codegen::{check, parse};
use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::{DeriveInput, Meta};

use crate::texts::Texts;

/// A declaration, as far as the build looks at it.
#[derive(Clone, Debug)]
pub(crate) struct Declaration {
    /// The hash that the derive puts into the compiled connector.
    pub(crate) fingerprint: u64,
    /// The variables that it reads, in the order of the fields.
    pub(crate) env: Vec<Variable>,
    /// The whole of it.
    pub(crate) spec: Spec,
    /// Where its texts stand. Unless it names a description of the service, only those of `#[connector(..)]` are looked up.
    pub(crate) texts: Texts,
}

/// A variable that a connector reads.
#[derive(Clone, Debug)]
pub(crate) struct Variable {
    /// Its name.
    pub(crate) name: String,
    /// Whether the connector cannot start without it.
    pub(crate) required: bool,
    /// Where its name is in the source.
    pub(crate) span: Range<usize>,
}

/// Reads a declaration; `None` when something is wrong with it, which is the derive's to report.
pub(crate) fn read(input: &DeriveInput) -> Option<Declaration> {
    let sink = Sink::new();
    let raw = parse::connector(input, &sink);
    let spec = raw.filter(|_| !sink.has_errors()).and_then(|raw| check::connector(raw, &sink));
    if !sink.into_diagnostics().is_empty() {
        return None;
    }
    let spec = spec?;
    let env = spec.env.iter().map(|field| Variable {
        name: field.variable.value.clone(),
        required: field.required,
        span: field.variable.span.byte_range(),
    });
    let (fingerprint, env) = (spec.fingerprint(), env.collect());
    let texts = if spec.openapi.is_some() { Texts::of(input) } else { Texts::within(input, "connector") };
    Some(Declaration { fingerprint, env, spec, texts })
}

/// Whether a connector says that build.rs need not know it. Found in the tokens, so that it holds in a declaration with mistakes.
pub(crate) fn unregistered(input: &DeriveInput) -> bool {
    input.attrs.iter().any(|attribute| match &attribute.meta {
        Meta::List(list) if list.path.is_ident("connector") => says_unregistered(list.tokens.clone()),
        _ => false,
    })
}

/// A key stands at the start or behind a comma.
fn says_unregistered(tokens: TokenStream) -> bool {
    let mut at_key = true;
    for token in tokens {
        match token {
            TokenTree::Ident(word) if at_key && word == "unregistered" => return true,
            TokenTree::Punct(punct) => at_key = punct.as_char() == ',',
            TokenTree::Group(group) if group.delimiter() == Delimiter::None => {
                if says_unregistered(group.stream()) {
                    return true;
                }
            }
            _ => at_key = false,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unregistered_is_a_key_and_not_a_word_somewhere() {
        let says = |text: &str| unregistered(&syn::parse_str(text).unwrap());
        assert!(says("#[connector(service = \"a\", unregistered)] struct A;"));
        assert!(!says("#[connector(service = unregistered, version = \"1\")] struct A;"));
        assert!(!says("#[env(unregistered)] struct A;"));
    }
}
