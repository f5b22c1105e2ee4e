//! Values of the small languages as `static` data.

mod path;
mod rule;

pub(super) use self::rule::kind;

use std::time::Duration;

use emp_syntax::hole::{Hole, HoleDefault, Literal, Reference, Root, Step};
use emp_syntax::json::{Json, Member};
use emp_syntax::rule::Comparison;
use emp_syntax::selector::{Reducer, Selector, Source};
use emp_syntax::template::{Part, Template};
use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};

use super::hook;
use crate::spec::HookKind;

/// What can be written as the expression of a `static`.
pub(super) trait Print {
    fn print(&self) -> TokenStream;
}

impl Print for String {
    fn print(&self) -> TokenStream {
        self.to_token_stream()
    }
}

impl Print for Duration {
    fn print(&self) -> TokenStream {
        let seconds = proc_macro2::Literal::u64_unsuffixed(self.as_secs());
        match self.subsec_nanos() {
            0 => quote!(__emp::Duration::from_secs(#seconds)),
            nanos => {
                let nanos = proc_macro2::Literal::u32_unsuffixed(nanos);
                quote!(__emp::Duration::new(#seconds, #nanos))
            }
        }
    }
}

/// `&[..]`
pub(super) fn slice<T: Print>(values: &[T]) -> TokenStream {
    let values = values.iter().map(Print::print);
    quote!(&[#(#values),*])
}

/// `Cow::Borrowed(&[..])`
pub(super) fn list<T: Print>(values: &[T]) -> TokenStream {
    let values = slice(values);
    quote!(__emp::Cow::Borrowed(#values))
}

/// `Cow::Borrowed("..")`
pub(super) fn text(text: &str) -> TokenStream {
    quote!(__emp::Cow::Borrowed(#text))
}

pub(super) fn option(value: Option<impl ToTokens>) -> TokenStream {
    value.map_or_else(
        || quote!(::core::option::Option::None),
        |value| quote!(::core::option::Option::Some(#value)),
    )
}

/// A literal without a suffix; `i64::MIN` needs no special case as tokens.
pub(super) fn integer(value: i64) -> TokenStream {
    proc_macro2::Literal::i64_unsuffixed(value).to_token_stream()
}

fn float(value: f64) -> TokenStream {
    proc_macro2::Literal::f64_unsuffixed(value).to_token_stream()
}

fn count(value: usize) -> TokenStream {
    proc_macro2::Literal::usize_unsuffixed(value).to_token_stream()
}

/// The name of a variant without data, which is what its `Debug` shows.
pub(super) fn variant(value: &impl std::fmt::Debug) -> Ident {
    Ident::new(&format!("{value:?}"), Span::call_site())
}

impl Print for Root {
    fn print(&self) -> TokenStream {
        let name = variant(self);
        quote!(__emp::hole::Root::#name)
    }
}

impl Print for Step {
    fn print(&self) -> TokenStream {
        match self {
            Self::Name(name) => {
                let name = text(name);
                quote!(__emp::hole::Step::Name(#name))
            }
            Self::Index(index) => {
                let index = count(*index);
                quote!(__emp::hole::Step::Index(#index))
            }
        }
    }
}

impl Print for Reference {
    fn print(&self) -> TokenStream {
        let (root, path) = (self.root.print(), list(&self.path));
        quote!(__emp::hole::Reference { root: #root, path: #path })
    }
}

impl Print for Hole {
    fn print(&self) -> TokenStream {
        let reference = self.reference.print();
        let optional = self.optional;
        let default = option(self.default.as_ref().map(Print::print));
        quote!(__emp::hole::Hole { reference: #reference, optional: #optional, default: #default })
    }
}

impl Print for HoleDefault {
    fn print(&self) -> TokenStream {
        match self {
            Self::Reference(reference) => {
                let reference = reference.print();
                quote!(__emp::hole::HoleDefault::Reference(#reference))
            }
            Self::Literal(literal) => {
                let literal = literal.print();
                quote!(__emp::hole::HoleDefault::Literal(#literal))
            }
        }
    }
}

impl Print for Literal {
    fn print(&self) -> TokenStream {
        let variant = match self {
            Self::Null => quote!(Null),
            Self::Bool(value) => quote!(Bool(#value)),
            Self::Int(value) => {
                let value = integer(*value);
                quote!(Int(#value))
            }
            Self::Float(value) => {
                let value = float(*value);
                quote!(Float(#value))
            }
            Self::Text(value) => {
                let value = text(value);
                quote!(Text(#value))
            }
        };
        quote!(__emp::hole::Literal::#variant)
    }
}

impl Print for Template {
    fn print(&self) -> TokenStream {
        let parts = list(&self.parts);
        quote!(__emp::template::Template { parts: #parts })
    }
}

impl Print for Part {
    fn print(&self) -> TokenStream {
        match self {
            Self::Literal(literal) => {
                let literal = text(literal);
                quote!(__emp::template::Part::Literal(#literal))
            }
            Self::Hole { hole, reserved } => {
                let hole = hole.print();
                quote!(__emp::template::Part::Hole { hole: #hole, reserved: #reserved })
            }
        }
    }
}

impl Print for Json {
    fn print(&self) -> TokenStream {
        let variant = match self {
            Self::Literal(literal) => {
                let literal = literal.print();
                quote!(Literal(#literal))
            }
            Self::Text(template) => {
                let template = template.print();
                quote!(Text(#template))
            }
            Self::Hole(hole) => {
                let hole = hole.print();
                quote!(Hole(#hole))
            }
            Self::Hook(found) => {
                let found = hook::constant(found, HookKind::Make);
                quote!(Hook(#found))
            }
            Self::Asset(asset) => {
                let asset = asset.print();
                quote!(Asset(#asset))
            }
            Self::First(values) => super::body::first(values),
            Self::Array(elements) => {
                let elements = list(elements);
                quote!(Array(#elements))
            }
            Self::Object(members) => {
                let members = list(members);
                quote!(Object(#members))
            }
        };
        quote!(__emp::json::Json::#variant)
    }
}

impl Print for Member {
    fn print(&self) -> TokenStream {
        match self {
            Self::Field { name, value } => {
                let (name, value) = (text(name), value.print());
                quote!(__emp::json::Member::Field { name: #name, value: #value })
            }
            Self::Spread(reference) => {
                let reference = reference.print();
                quote!(__emp::json::Member::Spread(#reference))
            }
            Self::SpreadHook(found) => {
                let found = hook::constant(found, HookKind::Make);
                quote!(__emp::json::Member::SpreadHook(#found))
            }
        }
    }
}

impl Print for Selector {
    fn print(&self) -> TokenStream {
        let (source, reducers) = (self.source.print(), list(&self.reducers));
        quote!(__emp::selector::Selector { source: #source, reducers: #reducers })
    }
}

impl Print for Source {
    fn print(&self) -> TokenStream {
        let variant = match self {
            Self::Path(path) => {
                let path = path.print();
                quote!(Path(#path))
            }
            Self::Probe(name, path) => {
                let (name, path) = (text(name), path.print());
                quote!(Probe(#name, #path))
            }
            Self::Header(name) => {
                let name = text(name);
                quote!(Header(#name))
            }
            Self::Reference(reference) => {
                let reference = reference.print();
                quote!(Reference(#reference))
            }
            Self::Hook(found) => {
                let found = hook::constant(found, HookKind::Select);
                quote!(Hook(#found))
            }
            plain => variant(plain).to_token_stream(),
        };
        quote!(__emp::selector::Source::#variant)
    }
}

impl Print for Reducer {
    fn print(&self) -> TokenStream {
        let variant = match self {
            Self::Join(separator) => {
                let separator = text(separator);
                quote!(Join(#separator))
            }
            Self::LastMatch(pattern) => {
                let pattern = text(pattern);
                quote!(LastMatch(#pattern))
            }
            Self::At(path) => {
                let path = path.print();
                quote!(At(#path))
            }
            Self::Ratio(path) => {
                let path = path.print();
                quote!(Ratio(#path))
            }
            Self::Between(low, high) => {
                let (low, high) = (float(*low), float(*high));
                quote!(Between(#low, #high))
            }
            Self::Tail(length) => {
                let length = count(*length);
                quote!(Tail(#length))
            }
            plain => variant(plain).to_token_stream(),
        };
        quote!(__emp::selector::Reducer::#variant)
    }
}

fn comparison(op: Comparison) -> TokenStream {
    let name = variant(&op);
    quote!(__emp::rule::Comparison::#name)
}
