//! Predicates, verdicts and rules as `static` data.

use emp_syntax::rule::{CodePattern, ErrorRule, FailureKind, Predicate, StateRule, StateVerdict};
use proc_macro2::TokenStream;
use quote::{ToTokens, quote};

use super::{Print, comparison, count, list, option, text, variant};

pub(in crate::expand) fn kind(kind: FailureKind) -> TokenStream {
    let name = variant(&kind);
    quote!(__emp::rule::FailureKind::#name)
}

impl Print for Predicate {
    fn print(&self) -> TokenStream {
        let variant = match self {
            Self::Compare { selector, op, value } => {
                let (selector, op, value) = (selector.print(), comparison(*op), value.print());
                quote!(Compare { selector: #selector, op: #op, value: #value })
            }
            Self::In { selector, values } => {
                let (selector, values) = (selector.print(), list(values));
                quote!(In { selector: #selector, values: #values })
            }
            Self::Matches { selector, pattern } => {
                let (selector, pattern) = (selector.print(), text(pattern));
                quote!(Matches { selector: #selector, pattern: #pattern })
            }
            Self::Present(selector) => {
                let selector = selector.print();
                quote!(Present(#selector))
            }
            Self::Absent(selector) => {
                let selector = selector.print();
                quote!(Absent(#selector))
            }
            Self::IsUrl(selector) => {
                let selector = selector.print();
                quote!(IsUrl(#selector))
            }
            Self::All(all) => {
                let all = list(all);
                quote!(All(#all))
            }
            Self::Any(any) => {
                let any = list(any);
                quote!(Any(#any))
            }
            Self::Not(one) => {
                let one = list(one);
                quote!(Not(#one))
            }
        };
        quote!(__emp::rule::Predicate::#variant)
    }
}

impl Print for StateVerdict {
    fn print(&self) -> TokenStream {
        let variant = match self {
            Self::Failed { kind, message } => {
                let kind = self::kind(*kind);
                let message = option(message.as_deref().map(text));
                quote!(Failed { kind: #kind, message: #message })
            }
            plain => variant(plain).to_token_stream(),
        };
        quote!(__emp::rule::StateVerdict::#variant)
    }
}

impl Print for StateRule {
    fn print(&self) -> TokenStream {
        let (when, then) = (self.when.print(), self.then.print());
        quote!(__emp::rule::StateRule { when: #when, then: #then })
    }
}

impl Print for CodePattern {
    fn print(&self) -> TokenStream {
        match self {
            Self::Exact(code) => {
                let code = count(usize::from(*code));
                quote!(__emp::rule::CodePattern::Exact(#code))
            }
            Self::Class(class) => {
                let class = count(usize::from(*class));
                quote!(__emp::rule::CodePattern::Class(#class))
            }
        }
    }
}

impl Print for ErrorRule {
    fn print(&self) -> TokenStream {
        let codes = list(&self.codes);
        let when = option(self.when.as_ref().map(Print::print));
        let kind = kind(self.kind);
        let wait = list(&self.wait);
        quote!(__emp::rule::ErrorRule { codes: #codes, when: #when, kind: #kind, wait: #wait })
    }
}
