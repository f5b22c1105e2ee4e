//! Where the result is, as `emp_core::spec` data.

use emp_syntax::rule::FailureKind;
use proc_macro2::TokenStream;
use quote::quote;

use super::limits::with_default;
use super::print::{Print, kind, option, slice};
use crate::spec::{Each, Extra, Files, Outcome, Part, ResultAt, ResultRequest, Take};

impl Print for Outcome {
    fn print(&self) -> TokenStream {
        let minimum = |(count, kind): (u32, FailureKind)| {
            let count = proc_macro2::Literal::u32_unsuffixed(count);
            let kind = self::kind(kind);
            option(Some(quote!(__emp::spec::Minimum { count: #count, kind: #kind })))
        };
        let fields = [
            ("request", self.request.as_ref().map(|request| option(Some(request.print())))),
            ("take", self.take.declared().then(|| self.take.print())),
            ("first_of", (!self.first_of.is_empty()).then(|| slice(&self.first_of))),
            ("also", (!self.also.is_empty()).then(|| slice(&self.also))),
            ("types", (!self.types.is_empty()).then(|| slice(&self.types))),
            ("min", self.min.map(minimum)),
            ("partial", self.partial.as_ref().map(|when| option(Some(when.print())))),
            ("refresh", self.refresh.then(|| quote!(true))),
            ("meta", (!self.meta.is_empty()).then(|| slice(&self.meta))),
            ("keep_for", self.keep_for.map(|value| option(Some(value.print())))),
        ];
        with_default(&quote!(__emp::spec::Outcome), fields.len(), &fields)
    }
}

impl Print for ResultRequest {
    fn print(&self) -> TokenStream {
        let (request, rules) = (self.request.print(), slice(&self.rules));
        let on_http_error = option(self.on_http_error.map(kind));
        quote!(__emp::spec::ResultRequest { request: #request, rules: #rules, on_http_error: #on_http_error })
    }
}

impl Print for Part {
    fn print(&self) -> TokenStream {
        let (at, take) = (option(self.at.as_ref().map(Print::print)), self.take.print());
        quote!(__emp::spec::Part { at: #at, take: #take })
    }
}

impl Print for Extra {
    fn print(&self) -> TokenStream {
        let (name, at, take) = (&self.name.value, self.at.print(), self.take.print());
        let when = option(self.when.as_ref().map(Print::print));
        quote!(__emp::spec::Extra { name: #name, at: #at, take: #take, when: #when })
    }
}

impl Print for ResultAt {
    fn print(&self) -> TokenStream {
        match self {
            Self::Request(request) => {
                let request = request.print();
                quote!(__emp::spec::ResultAt::Request(#request))
            }
            Self::Found(selectors) => {
                let selectors = slice(selectors);
                quote!(__emp::spec::ResultAt::Found(#selectors))
            }
        }
    }
}

impl Take {
    /// Anything of it was written.
    fn declared(&self) -> bool {
        let Self { json, text, jsonl, raw, mime, base64, files } = self;
        *raw || *jsonl
            || [json, text, mime, base64].iter().any(|list| !list.is_empty())
            || !matches!(files, Files::None)
    }
}

impl Print for Take {
    fn print(&self) -> TokenStream {
        let list = |list: &[_]| (!list.is_empty()).then(|| slice(list));
        let fields = [
            ("json", list(&self.json)),
            ("text", list(&self.text)),
            ("jsonl", self.jsonl.then(|| quote!(true))),
            ("raw", self.raw.then(|| quote!(true))),
            ("mime", list(&self.mime)),
            ("base64", list(&self.base64)),
            ("files", (!matches!(self.files, Files::None)).then(|| self.files.print())),
        ];
        with_default(&quote!(__emp::spec::Take), fields.len(), &fields)
    }
}

impl Print for Files {
    fn print(&self) -> TokenStream {
        let variant = match self {
            Self::None => quote!(None),
            Self::Urls(selectors) => {
                let selectors = slice(selectors);
                quote!(Urls(#selectors))
            }
            Self::Auto => quote!(Auto),
            Self::Each(each) => {
                let each = each.print();
                quote!(Each(&#each))
            }
        };
        quote!(__emp::spec::Files::#variant)
    }
}

impl Print for Each {
    fn print(&self) -> TokenStream {
        let (items, request) = (self.items.print(), self.request.print());
        let name = option(self.name.as_ref().map(Print::print));
        quote!(__emp::spec::Each { items: #items, request: #request, name: #name })
    }
}
