//! `#[webhook]` as `emp_core::spec` data.

use proc_macro2::TokenStream;
use quote::quote;

use super::print::{Print, option, slice};
use crate::spec::{CallBody, EventAt, HmacSignature, SignedPart, StampAt, Verify, Webhook};

impl Print for Webhook {
    fn print(&self) -> TokenStream {
        let verify = option(self.verify.as_ref().map(Print::print));
        let body = match &self.body {
            CallBody::Hint => quote!(Hint),
            CallBody::SameAsPoll => quote!(SameAsPoll),
            CallBody::At(path) => {
                let path = path.print();
                quote!(At(#path))
            }
        };
        let events = slice(&self.events);
        let event = option(self.event.as_ref().map(Print::print));
        quote! {
            __emp::spec::Webhook {
                verify: #verify,
                body: __emp::spec::CallBody::#body,
                events: #events,
                event: #event,
            }
        }
    }
}

impl Print for Verify {
    fn print(&self) -> TokenStream {
        let variant = match self {
            Self::Standard(secret) => quote!(StandardWebhooks { secret: #secret }),
            Self::Hmac(hmac) => {
                let hmac = hmac.print();
                quote!(Hmac(#hmac))
            }
            Self::Header(name, secret) => quote!(Header { name: #name, secret: #secret }),
        };
        quote!(__emp::spec::Verify::#variant)
    }
}

impl Print for HmacSignature {
    fn print(&self) -> TokenStream {
        let Self { secret, header, prefix, .. } = self;
        let algorithm = if self.sha512 { quote!(Sha512) } else { quote!(Sha256) };
        let encoding = if self.base64 { quote!(Base64) } else { quote!(Hex) };
        let signed = slice(&self.signed);
        let timestamp = option(self.timestamp.as_ref().map(Print::print));
        let tolerance = self
            .tolerance
            .map_or_else(|| quote!(__emp::spec::HmacSignature::TOLERANCE), |tolerance| tolerance.print());
        quote! {
            __emp::spec::HmacSignature {
                secret: #secret,
                header: #header,
                prefix: #prefix,
                algorithm: __emp::spec::HmacAlgorithm::#algorithm,
                encoding: __emp::spec::SignatureEncoding::#encoding,
                signed: #signed,
                timestamp: #timestamp,
                tolerance: #tolerance,
            }
        }
    }
}

impl Print for SignedPart {
    fn print(&self) -> TokenStream {
        let variant = match self {
            Self::Text(text) => quote!(Text(#text)),
            Self::Body => quote!(Body),
            Self::Timestamp => quote!(Timestamp),
            Self::Header(name) => quote!(Header(#name)),
        };
        quote!(__emp::spec::SignedPart::#variant)
    }
}

impl Print for StampAt {
    fn print(&self) -> TokenStream {
        match self {
            Self::Header(name) => quote!(__emp::spec::StampAt::Header(#name)),
            Self::Member(prefix) => quote!(__emp::spec::StampAt::Member(#prefix)),
        }
    }
}

impl Print for EventAt {
    fn print(&self) -> TokenStream {
        match self {
            Self::Path(path) => {
                let path = path.print();
                quote!(__emp::spec::EventAt::Path(#path))
            }
            Self::Header(name) => quote!(__emp::spec::EventAt::Header(#name)),
        }
    }
}
