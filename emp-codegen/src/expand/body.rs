//! Bodies, assets and prepare steps as `emp_core::spec` data.

use emp_syntax::asset::Asset;
use proc_macro2::{Literal, TokenStream};
use quote::quote;

use super::print::{Print, list, option, slice, text, variant};
use crate::spec::{Body, Prepare};

impl Print for Body {
    fn print(&self) -> TokenStream {
        let variant = match self {
            Self::Json(json) => {
                let json = json.print();
                quote!(Json(#json))
            }
            Self::Form(parts) => {
                let parts = slice(parts);
                quote!(Form(#parts))
            }
            Self::Multipart(parts) => {
                let parts = slice(parts);
                quote!(Multipart(#parts))
            }
            Self::Raw { value, content_type } => {
                let (value, content_type) = (value.print(), option(content_type.as_ref()));
                quote!(Raw { value: #value, content_type: #content_type })
            }
        };
        quote!(__emp::spec::Body::#variant)
    }
}

impl Print for Asset {
    fn print(&self) -> TokenStream {
        let (adapter, hole) = (variant(&self.adapter), self.hole.print());
        let max = option(self.max.map(Literal::u64_unsuffixed));
        let types = self.types.iter().map(|mime| text(mime));
        let inline = self.inline;
        quote! {
            __emp::asset::Asset {
                adapter: __emp::asset::Adapter::#adapter,
                hole: #hole,
                max: #max,
                types: __emp::Cow::Borrowed(&[#(#types),*]),
                inline: #inline,
            }
        }
    }
}

impl Print for Prepare {
    fn print(&self) -> TokenStream {
        let when = option(self.when.as_ref().map(Print::print));
        let each = option(self.each.as_ref().map(Print::print));
        let request = self.request.print();
        let (accept, capture) = (slice(&self.accept), slice(&self.capture));
        quote! {
            __emp::spec::Prepare {
                when: #when,
                each: #each,
                request: #request,
                accept: #accept,
                capture: #capture,
            }
        }
    }
}

/// `First(..)` of a JSON value.
pub(super) fn first(values: &[emp_syntax::json::Json]) -> TokenStream {
    let values = list(values);
    quote!(First(#values))
}
