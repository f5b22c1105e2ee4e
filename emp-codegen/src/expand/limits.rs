//! Settings, `#[pace]` and `#[limits]` as `emp_core::spec` data: only what is declared is written.

use std::time::Duration;

use proc_macro2::TokenStream;
use quote::quote;

use super::print::{Print, option, slice};
use crate::spec::{Limits, Pace, Setting};

impl<T: SettingValue> Print for Setting<T> {
    fn print(&self) -> TokenStream {
        match self {
            Self::Fixed(value) => {
                let value = value.tokens();
                quote!(__emp::spec::Setting::Fixed(#value))
            }
            Self::Env(field) => quote!(__emp::spec::Setting::Env(#field)),
        }
    }
}

/// The value of a setting that is written in the declaration.
pub(super) trait SettingValue {
    fn tokens(&self) -> TokenStream;
}

impl SettingValue for Duration {
    fn tokens(&self) -> TokenStream {
        self.print()
    }
}

impl SettingValue for u32 {
    fn tokens(&self) -> TokenStream {
        let literal = proc_macro2::Literal::u32_unsuffixed(*self);
        quote!(#literal)
    }
}

/// Selectors, where there are any.
pub(super) fn places(selectors: &[emp_syntax::selector::Selector]) -> Option<TokenStream> {
    (!selectors.is_empty()).then(|| slice(selectors))
}

/// `..DEFAULT` stands only where a field is left to it.
pub(super) fn with_default(
    path: &TokenStream,
    all: usize,
    fields: &[(&str, Option<TokenStream>)],
) -> TokenStream {
    let written: Vec<TokenStream> = fields
        .iter()
        .filter_map(|(name, value)| {
            let name = proc_macro2::Ident::new(name, proc_macro2::Span::call_site());
            value.as_ref().map(|value| quote!(#name: #value))
        })
        .collect();
    let rest = (written.len() < all).then(|| quote!(..#path::DEFAULT));
    if written.is_empty() { quote!(#path::DEFAULT) } else { quote!(#path { #(#written,)* #rest }) }
}

impl Print for Pace {
    fn print(&self) -> TokenStream {
        let fields = [
            ("first", self.first.map(|value| value.print())),
            ("min", self.min.map(|value| value.print())),
            ("max", self.max.map(|value| value.print())),
            ("factor", self.factor.map(|value| quote!(#value))),
            ("jitter", self.jitter.map(|value| quote!(#value))),
            ("while_queued", self.while_queued.map(|value| option(Some(value.print())))),
            ("advice", (!self.advice.is_empty()).then(|| slice(&self.advice))),
            ("deadline", self.deadline.as_ref().map(Print::print)),
            ("queued", self.queued.as_ref().map(|value| option(Some(value.print())))),
            ("running", self.running.as_ref().map(|value| option(Some(value.print())))),
            ("eta", places(&self.eta)),
            ("learn", self.learn.as_ref().map(|learn| option(Some(learn.print())))),
            ("max_unknown", self.max_unknown.map(|value| value.tokens())),
        ];
        with_default(&quote!(__emp::spec::Pace), fields.len(), &fields)
    }
}

impl Print for Limits {
    fn print(&self) -> TokenStream {
        let bytes = |value: u64| {
            let value = proc_macro2::Literal::u64_unsuffixed(value);
            option(Some(quote!(#value)))
        };
        let rate = self.rate.map(|(count, per)| {
            let (count, per) = (count.tokens(), per.print());
            option(Some(quote!(__emp::spec::Rate { count: #count, per: #per })))
        });
        let fields = [
            ("rate", rate),
            ("in_flight", self.in_flight.as_ref().map(|value| option(Some(value.print())))),
            ("attempts", self.attempts.as_ref().map(Print::print)),
            ("max_body", self.max_body.map(bytes)),
            ("max_response", self.max_response.map(bytes)),
            ("max_file", self.max_file.map(bytes)),
            ("max_total", self.max_total.map(bytes)),
        ];
        with_default(&quote!(__emp::spec::Limits), fields.len(), &fields)
    }
}
