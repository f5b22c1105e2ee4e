//! Where the texts of a declaration stand.
//!
//! The spec holds values without places. What a check has to say of a path, a word or a header's name points to the literal that
//! has it, which is found again in the tokens of its attribute.

use std::ops::Range;

use proc_macro2::{TokenStream, TokenTree};
use syn::{DeriveInput, LitStr, Meta};

/// The literals of a declaration's attributes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Texts {
    attributes: Vec<Attribute>,
}

#[derive(Clone, Debug)]
struct Attribute {
    name: String,
    span: Range<usize>,
    literals: Vec<(String, Range<usize>)>,
}

impl Texts {
    /// Of a struct.
    pub(crate) fn of(input: &DeriveInput) -> Self {
        let attributes = input.attrs.iter().filter_map(|attribute| match &attribute.meta {
            Meta::List(list) => {
                let name = list.path.get_ident()?;
                let mut literals = Vec::new();
                collect(list.tokens.clone(), &mut literals);
                Some(Attribute { name: name.to_string(), span: name.span().byte_range(), literals })
            }
            _ => None,
        });
        Self { attributes: attributes.collect() }
    }

    /// The first literal of an attribute that is wanted.
    pub(crate) fn literal(&self, attribute: &str, wanted: impl Fn(&str) -> bool) -> Option<Range<usize>> {
        let literals = self.named(attribute).flat_map(|attribute| &attribute.literals);
        literals.filter(|(text, _)| wanted(text)).map(|(_, span)| span.clone()).next()
    }

    /// The name of an attribute.
    pub(crate) fn attribute(&self, attribute: &str) -> Option<Range<usize>> {
        self.named(attribute).map(|attribute| attribute.span.clone()).next()
    }

    fn named(&self, name: &str) -> impl Iterator<Item = &Attribute> {
        self.attributes.iter().filter(move |attribute| attribute.name == name)
    }
}

fn collect(tokens: TokenStream, into: &mut Vec<(String, Range<usize>)>) {
    for token in tokens {
        match token {
            TokenTree::Group(group) => collect(group.stream(), into),
            TokenTree::Literal(literal) => {
                let span = literal.span().byte_range();
                if let Ok(text) = syn::parse2::<LitStr>(TokenTree::Literal(literal).into()) {
                    into.push((text.value(), span));
                }
            }
            TokenTree::Ident(_) | TokenTree::Punct(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_found_in_its_own_attribute() {
        let source = "#[poll(get = \"/a\", x(\"$.a\"))] #[states(at = r\"$.a\")] struct A {}";
        let texts = Texts::of(&syn::parse_str(source).unwrap());
        let at = |attribute: &str, text: &str| {
            texts.literal(attribute, |found| found == text).map(|span| &source[span])
        };
        assert_eq!(at("poll", "$.a"), Some("\"$.a\""));
        assert_eq!(at("states", "$.a"), Some("r\"$.a\""));
        assert_eq!(at("states", "/a"), None);
        assert_eq!(texts.attribute("states").map(|span| &source[span]), Some("states"));
    }
}
