//! What surrounds a poll, as `emp_core::spec` data.

use proc_macro2::TokenStream;
use quote::quote;

use super::print::{Print, integer, option, slice};
use crate::spec::{BatchPoll, Envelope, Learn, Listed, Probe, SideProgress};

impl Print for Envelope {
    fn print(&self) -> TokenStream {
        let (ok, message) = (self.ok.print(), slice(&self.message));
        quote!(__emp::spec::Envelope { ok: #ok, message: #message })
    }
}

impl Print for Probe {
    fn print(&self) -> TokenStream {
        let (name, request) = (&self.name.value, self.request.print());
        quote!(__emp::spec::Probe { name: #name, request: #request })
    }
}

impl Print for Listed {
    fn print(&self) -> TokenStream {
        let (items, id) = (self.items.print(), self.id.print());
        quote!(__emp::spec::Listed { items: #items, id: #id })
    }
}

impl Print for Learn {
    fn print(&self) -> TokenStream {
        let by = option(self.by.as_ref().map(Print::print));
        quote!(__emp::spec::Learn { by: #by })
    }
}

impl Print for BatchPoll {
    fn print(&self) -> TokenStream {
        let (request, listed, next) = (self.request.print(), self.listed.print(), slice(&self.next));
        let (pages, every, complete) = (integer(self.pages.into()), self.every.print(), self.complete);
        let count = |value: usize| proc_macro2::Literal::usize_unsuffixed(value);
        let (most, worth_it_above) = (count(self.most), count(self.worth_it_above));
        quote! {
            __emp::spec::BatchPoll {
                request: #request,
                listed: #listed,
                next: #next,
                pages: #pages,
                most: #most,
                worth_it_above: #worth_it_above,
                every: #every,
                complete: #complete,
            }
        }
    }
}

impl Print for SideProgress {
    fn print(&self) -> TokenStream {
        let (request, every) = (self.request.print(), self.every.print());
        let (progress, progress_text) = (slice(&self.progress), slice(&self.progress_text));
        let (eta, preview) = (slice(&self.eta), slice(&self.preview));
        quote! {
            __emp::spec::SideProgress {
                request: #request,
                progress: #progress,
                progress_text: #progress_text,
                eta: #eta,
                preview: #preview,
                every: #every,
            }
        }
    }
}
