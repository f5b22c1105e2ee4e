//! JSON paths as `static` data.

use emp_syntax::jsonpath::{Filter, JsonPath, Operand, PathSelector, Query, Segment};
use proc_macro2::TokenStream;
use quote::quote;

use super::{Print, comparison, integer, list, option, text};

impl Print for JsonPath {
    fn print(&self) -> TokenStream {
        let segments = list(&self.segments);
        quote!(__emp::jsonpath::JsonPath { segments: #segments })
    }
}

impl Print for Segment {
    fn print(&self) -> TokenStream {
        match self {
            Self::Child(selectors) => {
                let selectors = list(selectors);
                quote!(__emp::jsonpath::Segment::Child(#selectors))
            }
            Self::Descendant(selectors) => {
                let selectors = list(selectors);
                quote!(__emp::jsonpath::Segment::Descendant(#selectors))
            }
        }
    }
}

impl Print for PathSelector {
    fn print(&self) -> TokenStream {
        let variant = match self {
            Self::Name(name) => {
                let name = text(name);
                quote!(Name(#name))
            }
            Self::Filled(template) => {
                let template = template.print();
                quote!(Filled(#template))
            }
            Self::Index(index) => {
                let index = integer(*index);
                quote!(Index(#index))
            }
            Self::Wildcard => quote!(Wildcard),
            Self::Slice { start, end, step } => {
                let (start, end) = (option(start.map(integer)), option(end.map(integer)));
                let step = integer(*step);
                quote!(Slice { start: #start, end: #end, step: #step })
            }
            Self::Filter(filter) => {
                let filter = filter.print();
                quote!(Filter(#filter))
            }
        };
        quote!(__emp::jsonpath::PathSelector::#variant)
    }
}

impl Print for Filter {
    fn print(&self) -> TokenStream {
        let variant = match self {
            Self::And(all) => {
                let all = list(all);
                quote!(And(#all))
            }
            Self::Or(any) => {
                let any = list(any);
                quote!(Or(#any))
            }
            Self::Not(one) => {
                let one = list(one);
                quote!(Not(#one))
            }
            Self::Exists(query) => {
                let query = query.print();
                quote!(Exists(#query))
            }
            Self::Compare { left, op, right } => {
                let (left, op, right) = (left.print(), comparison(*op), right.print());
                quote!(Compare { left: #left, op: #op, right: #right })
            }
            Self::Match { value, pattern, whole } => {
                let (value, pattern) = (value.print(), text(pattern));
                quote!(Match { value: #value, pattern: #pattern, whole: #whole })
            }
        };
        quote!(__emp::jsonpath::Filter::#variant)
    }
}

impl Print for Query {
    fn print(&self) -> TokenStream {
        let relative = self.relative;
        let segments = list(&self.segments);
        quote!(__emp::jsonpath::Query { relative: #relative, segments: #segments })
    }
}

impl Print for Operand {
    fn print(&self) -> TokenStream {
        let variant = match self {
            Self::Literal(literal) => {
                let literal = literal.print();
                quote!(Literal(#literal))
            }
            Self::Filled(template) => {
                let template = template.print();
                quote!(Filled(#template))
            }
            Self::Query(query) => {
                let query = query.print();
                quote!(Query(#query))
            }
            Self::Length(query) => {
                let query = query.print();
                quote!(Length(#query))
            }
            Self::Count(query) => {
                let query = query.print();
                quote!(Count(#query))
            }
        };
        quote!(__emp::jsonpath::Operand::#variant)
    }
}
