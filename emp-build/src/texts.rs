//! Where the texts of a declaration stand.
//!
//! The spec holds values without places. What a check has to say of a path, a word or a header's name points to the literal that
//! has it, which is found again in the tokens of its attribute.

use std::ops::Range;

use proc_macro2::{TokenStream, TokenTree};
use syn::{DeriveInput, LitStr, Meta};

/// An attribute of a declaration.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spot {
    /// Its name.
    pub(crate) attribute: &'static str,
    /// Which of several; all of them when that does not matter.
    pub(crate) nth: Option<usize>,
}

impl Spot {
    /// All attributes of a name.
    pub(crate) const fn all(attribute: &'static str) -> Self {
        Self { attribute, nth: None }
    }
}

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
        Self::read(&input.attrs)
    }

    /// Of the attributes with a name.
    pub(crate) fn within(input: &DeriveInput, name: &str) -> Self {
        Self::read(input.attrs.iter().filter(|attribute| attribute.path().is_ident(name)))
    }

    fn read<'t>(attributes: impl IntoIterator<Item = &'t syn::Attribute>) -> Self {
        let attributes = attributes.into_iter().filter_map(|attribute| match &attribute.meta {
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

    /// The first literal of a part that is wanted.
    pub(crate) fn literal(&self, part: Spot, wanted: impl Fn(&str) -> bool) -> Option<Range<usize>> {
        let literals = self.of_part(part).flat_map(|attribute| &attribute.literals);
        literals.filter(|(text, _)| wanted(text)).map(|(_, span)| span.clone()).next()
    }

    /// The first literal of any part that is wanted.
    pub(crate) fn anywhere(&self, wanted: impl Fn(&str) -> bool) -> Option<Range<usize>> {
        let literals = self.attributes.iter().flat_map(|attribute| &attribute.literals);
        literals.filter(|(text, _)| wanted(text)).map(|(_, span)| span.clone()).next()
    }

    /// The name of a part's attribute.
    pub(crate) fn attribute(&self, part: Spot) -> Option<Range<usize>> {
        self.of_part(part).map(|attribute| attribute.span.clone()).next()
    }

    fn of_part(&self, part: Spot) -> impl Iterator<Item = &Attribute> {
        let named = self.attributes.iter().filter(move |attribute| attribute.name == part.attribute);
        named.enumerate().filter(move |(at, _)| part.nth.is_none_or(|nth| nth == *at)).map(|(_, found)| found)
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
        let at = |attribute, text: &str| {
            texts.literal(Spot::all(attribute), |found| found == text).map(|span| &source[span])
        };
        assert_eq!(at("poll", "$.a"), Some("\"$.a\""));
        assert_eq!(at("states", "$.a"), Some("r\"$.a\""));
        assert_eq!(at("states", "/a"), None);
        let second = Spot { attribute: "poll", nth: Some(1) };
        assert_eq!(texts.literal(second, |_| true), None);
        assert_eq!(texts.attribute(Spot::all("states")).map(|span| &source[span]), Some("states"));
    }
}
