//! Finds the connectors of a source file without parsing the rest of it.
//!
//! Items are skipped token by token; only what stands under `#[derive(.. Connector ..)]` is parsed. So no `full` syn is
//! needed, and no item of the author's, however new its syntax, can stop the search.

use std::ops::Range;

use emp_codegen::diag::Sink;
use proc_macro2::{Delimiter, LexError, TokenStream, TokenTree};
use syn::parse::{Parse, ParseStream};
use syn::{Attribute, DeriveInput, Token};

use crate::cfg::Cfg;

/// A file's connectors.
pub(crate) struct Skimmed {
    /// The structs under the derive, in the order of the file.
    pub(crate) connectors: Vec<Skim>,
    /// The conditions of the whole file: `#![cfg(..)]`.
    pub(crate) cfgs: Vec<Cfg>,
    /// Whether the file says what it is: `//!`.
    pub(crate) documented: bool,
}

/// A struct under `#[derive(Connector)]`.
pub(crate) struct Skim {
    /// Its name.
    pub(crate) name: String,
    /// Where its name is, in bytes of the file.
    pub(crate) span: Range<usize>,
    /// Its own conditions: `#[cfg(..)]`.
    pub(crate) cfgs: Vec<Cfg>,
    /// The struct, for the compiler of declarations.
    pub(crate) input: DeriveInput,
}

/// A text that is not Rust.
pub(crate) struct NotRust {
    /// Where it stops being Rust, in bytes.
    pub(crate) span: Range<usize>,
    /// What is wrong, as a phrase.
    pub(crate) message: String,
}

/// Finds the connectors of a file.
pub(crate) fn skim(text: &str) -> Result<Skimmed, NotRust> {
    // The lexer drops a byte order mark, and counts from behind it.
    let bare = text.strip_prefix('\u{feff}').unwrap_or(text);
    let shift = text.len() - bare.len();
    let tokens: TokenStream = bare.parse().map_err(|error: LexError| NotRust {
        span: shifted(error.span().byte_range(), shift),
        message: "the brackets or quotes of this file do not match".to_owned(),
    })?;
    let mut file: Skimmed = syn::parse2(tokens).map_err(|error| NotRust {
        span: shifted(error.span().byte_range(), shift),
        message: error.to_string(),
    })?;
    for connector in &mut file.connectors {
        connector.span = shifted(connector.span.clone(), shift);
    }
    Ok(file)
}

fn shifted(span: Range<usize>, by: usize) -> Range<usize> {
    span.start + by..span.end + by
}

impl Parse for Skimmed {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let inner = input.call(Attribute::parse_inner)?;
        let documented = inner.iter().any(|attribute| attribute.path().is_ident("doc"));
        let mut connectors = Vec::new();
        while !input.is_empty() {
            let item = input.fork();
            if skip_attributes(input)? {
                // Left out, it would be missed by the mapping, far from the mistake.
                let derived = item.parse::<DeriveInput>()?;
                // A mistake in a variant is the derive's to report.
                let declarations = emp_codegen::parse::declarations(&derived, &Sink::new());
                connectors.extend(declarations.into_iter().map(|input| Skim {
                    name: input.ident.to_string(),
                    span: input.ident.span().byte_range(),
                    cfgs: cfgs(&input.attrs),
                    input,
                }));
            }
            skip_item(input)?;
        }
        Ok(Self { connectors, cfgs: cfgs(&inner), documented })
    }
}

/// Moves behind the next `;` or brace group. An item that has tokens behind its braces (`const X: T = T {};`) leaves a rest that is
/// skipped as an item of its own.
fn skip_item(input: ParseStream<'_>) -> syn::Result<()> {
    while !input.is_empty() {
        match input.parse::<TokenTree>()? {
            TokenTree::Punct(punct) if punct.as_char() == ';' => break,
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => break,
            _ => {}
        }
    }
    Ok(())
}

/// Moves behind the attributes of an item, and says whether one of them derives `Connector`.
fn skip_attributes(input: ParseStream<'_>) -> syn::Result<bool> {
    let mut found = false;
    while input.peek(Token![#]) {
        input.parse::<Token![#]>()?;
        if let TokenTree::Group(attribute) = input.parse()? {
            found |= derives_connector(attribute.stream());
        }
    }
    Ok(found)
}

/// Whether what stands in `#[..]` is a `derive` with a path that ends with `Connector`. A derive that is none is rustc's to report.
fn derives_connector(attribute: TokenStream) -> bool {
    let mut tokens = attribute.into_iter();
    let (Some(TokenTree::Ident(name)), Some(TokenTree::Group(list))) = (tokens.next(), tokens.next()) else {
        return false;
    };
    let ends_so =
        |path: &[TokenTree]| matches!(path.last(), Some(TokenTree::Ident(end)) if end == "Connector");
    let paths: Vec<TokenTree> = list.stream().into_iter().collect();
    let comma = |token: &TokenTree| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ',');
    name == "derive" && paths.split(comma).any(ends_so)
}

/// The conditions, as they must be repeated wherever the type is named.
fn cfgs(attributes: &[Attribute]) -> Vec<Cfg> {
    let conditions = attributes.iter().filter(|attribute| attribute.path().is_ident("cfg"));
    let lists = conditions.filter_map(|attribute| attribute.meta.require_list().ok());
    lists.map(|list| Cfg::new(list.tokens.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        let skimmed = skim(text).unwrap_or_else(|error| panic!("{}", error.message));
        for connector in &skimmed.connectors {
            assert_eq!(text[connector.span.clone()], connector.name);
        }
        skimmed.connectors.into_iter().map(|connector| connector.name).collect()
    }

    fn texts(cfgs: &[Cfg]) -> Vec<String> {
        cfgs.iter().map(|cfg| cfg.text.clone()).collect()
    }

    #[test]
    fn connectors_are_found_between_items_that_are_not_understood() {
        let text = r#"
            //! Docs.
            use emp_core::{Connector, Secret};
            const TABLE: [Point; 1] = [Point { x: 1 }];
            macro_rules! m { ($a:ident) => { #[derive(Connector)] struct $a; } }
            m!(Hidden);
            /// The first.
            #[derive(Debug, Connector)]
            #[connector(service = "a", version = "1.0.0")]
            pub struct First { #[env("KEY")] key: Secret }
            impl<const N: usize> Thing<{ N }> for First where [(); { N }]: Sized { fn f() -> u8 { 1 } }
            async unsafe gen fn from_the_future() {}
            #[derive(Clone)] struct Connector2;
            #[derive(emp_core::Connector)] #[cfg(feature = "x")] struct Second;
            fn last() {}
        "#;
        assert_eq!(names(text), ["First", "Second"]);
        let skimmed = skim(text).unwrap_or_else(|error| panic!("{}", error.message));
        assert!(skimmed.documented);
        assert_eq!(texts(&skimmed.connectors[1].cfgs), ["cfg(feature = \"x\")"]);
    }

    #[test]
    fn conditions_of_the_file_and_a_byte_order_mark_are_seen() {
        let text = "\u{feff}#![cfg(unix)]\n#[derive(Connector)] struct A;";
        assert_eq!(names(text), ["A"]);
        assert_eq!(skim(text).map(|file| texts(&file.cfgs)).unwrap_or_default(), ["cfg(unix)"]);
    }

    #[test]
    fn i21_a_file_that_is_not_rust_is_a_place_and_a_phrase() {
        for text in ["struct A {", "\"", "#[derive(Connector)] struct {", "#", "# #", "}"] {
            if let Err(error) = skim(text) {
                assert!(error.span.start <= text.len(), "{text}");
                assert!(!error.message.is_empty(), "{text}");
            }
        }
        assert!(skim("struct A {").is_err());
        let comma = skim("#[derive(Connector)] struct A { a: u8 b: u8 }").err().map(|error| error.span);
        assert_eq!(comma, Some(38..39), "a connector that cannot be read is not passed over");
    }
}
