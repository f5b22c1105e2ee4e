//! `#[stream]` as `emp_core::spec` data.

use proc_macro2::TokenStream;
use quote::quote;

use super::print::{Print, option, slice};
use crate::spec::{Stream, StreamFormat};

impl Print for Stream {
    fn print(&self) -> TokenStream {
        let format = match &self.format {
            StreamFormat::Sse => quote!(Sse),
            StreamFormat::Ndjson => quote!(Ndjson),
            StreamFormat::Chunks { request, items } => {
                let (request, items) = (request.print(), items.print());
                quote!(Chunks { request: #request, items: #items })
            }
        };
        let when = option(self.when.as_ref().map(Print::print));
        let body = option(self.body.as_ref().map(Print::print));
        let done = option(self.done.as_ref().map(Print::print));
        let end = option(self.end.as_ref());
        let (delta, error) = (slice(&self.delta), slice(&self.error));
        let idle_timeout =
            self.idle_timeout.map_or_else(|| quote!(__emp::spec::Stream::IDLE), |idle| idle.print());
        quote! {
            __emp::spec::Stream {
                format: __emp::spec::StreamFormat::#format,
                when: #when,
                body: #body,
                delta: #delta,
                done: #done,
                end: #end,
                error: #error,
                idle_timeout: #idle_timeout,
            }
        }
    }
}
