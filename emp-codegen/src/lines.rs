//! How long a declaration is: the lines that its attributes and fields stand on, without its doc comments.

extern crate proc_macro;

use std::collections::BTreeSet;

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Attribute, Data, DeriveInput};

/// The number of lines; 0 outside a macro, where tokens do not know their lines.
pub(crate) fn count(input: &DeriveInput) -> u32 {
    if !proc_macro::is_available() {
        return 0;
    }
    let mut lines = BTreeSet::new();
    attributes(&input.attrs, &mut lines);
    if let Data::Struct(data) = &input.data {
        for field in &data.fields {
            attributes(&field.attrs, &mut lines);
            mark(field.ident.to_token_stream(), &mut lines);
            mark(field.ty.to_token_stream(), &mut lines);
        }
    }
    lines.len() as u32
}

fn attributes(attributes: &[Attribute], lines: &mut BTreeSet<usize>) {
    for attribute in attributes.iter().filter(|attribute| !attribute.path().is_ident("doc")) {
        mark(attribute.to_token_stream(), lines);
    }
}

fn mark(tokens: TokenStream, lines: &mut BTreeSet<usize>) {
    for token in tokens {
        if let TokenTree::Group(group) = token {
            between(group.span_open(), lines);
            mark(group.stream(), lines);
            between(group.span_close(), lines);
        } else {
            between(token.span(), lines);
        }
    }
}

fn between(span: Span, lines: &mut BTreeSet<usize>) {
    let span = span.unwrap();
    lines.extend(span.line()..=span.end().line());
}
