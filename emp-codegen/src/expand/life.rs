//! Origins, credentials, cancel, cleanup and webhooks as `emp_core::spec` data.

use proc_macro2::TokenStream;
use quote::quote;

use super::print::{Print, integer, option, slice};
use crate::spec::{
    Cancel, CancelScope, CancelStage, Claim, ClaimValue, Cleanup, ClientAuth, Download, Jwt, OAuth2, TokenUrl,
};

impl Print for Download {
    fn print(&self) -> TokenStream {
        if self.hosts.is_empty() {
            return quote!(__emp::spec::Download::DEFAULT);
        }
        let hosts = slice(&self.hosts);
        let auth = if self.same_auth { quote!(SameAsApi) } else { quote!(None) };
        quote!(__emp::spec::Download { hosts: #hosts, auth: __emp::spec::DownloadAuth::#auth })
    }
}

impl Print for Jwt {
    fn print(&self) -> TokenStream {
        let (key, claims) = (&self.key, slice(&self.claims.value));
        let refresh_before = self.refresh_before.print();
        quote! {
            __emp::spec::Jwt {
                alg: __emp::spec::JwtAlg::Hs256,
                key: #key,
                claims: #claims,
                refresh_before: #refresh_before,
            }
        }
    }
}

impl Print for Claim {
    fn print(&self) -> TokenStream {
        let name = &self.name.value;
        let value = match &self.value {
            ClaimValue::Json(json) => {
                let json = json.print();
                quote!(Json(#json))
            }
            ClaimValue::Now(offset) => {
                let offset = integer(*offset);
                quote!(Now(#offset))
            }
        };
        quote!(__emp::spec::Claim { name: #name, value: __emp::spec::ClaimValue::#value })
    }
}

impl Print for OAuth2 {
    fn print(&self) -> TokenStream {
        let token_url = self.token_url.value.print();
        let Self { client_id, client_secret, .. } = self;
        let client_auth = match self.client_auth {
            ClientAuth::Basic => quote!(Basic),
            ClientAuth::Body => quote!(Body),
        };
        let scope = option(self.scope.as_ref());
        let (params, refresh_before) = (slice(&self.params), self.refresh_before.print());
        quote! {
            __emp::spec::OAuth2 {
                token_url: #token_url,
                client_id: #client_id,
                client_secret: #client_secret,
                client_auth: __emp::spec::ClientAuth::#client_auth,
                scope: #scope,
                params: #params,
                refresh_before: #refresh_before,
            }
        }
    }
}

impl Print for TokenUrl {
    fn print(&self) -> TokenStream {
        let variant = match self {
            Self::Absolute(template) => {
                let template = template.print();
                quote!(Absolute(#template))
            }
            Self::Path(template) => {
                let template = template.print();
                quote!(Path(#template))
            }
            Self::Env(field) => quote!(Env(#field)),
        };
        quote!(__emp::spec::TokenUrl::#variant)
    }
}

impl Print for Cancel {
    fn print(&self) -> TokenStream {
        let Self { ask_first, .. } = self;
        let (ok, too_late, gone) = (slice(&self.ok), slice(&self.too_late), slice(&self.gone));
        let request = option(self.request.as_ref().map(Print::print));
        let stages = self.stages.iter().map(|(stage, request)| {
            let stage = match stage {
                CancelStage::Queued => quote!(Queued),
                CancelStage::Running => quote!(Running),
            };
            let request = request.print();
            quote!(__emp::spec::CancelAt { stage: __emp::spec::CancelStage::#stage, request: #request })
        });
        let scope = match self.scope {
            CancelScope::Job => quote!(Job),
            CancelScope::Service => quote!(Service),
        };
        quote! {
            __emp::spec::Cancel {
                request: #request,
                stages: &[#(#stages),*],
                scope: __emp::spec::CancelScope::#scope,
                ask_first: #ask_first,
                ok: #ok,
                too_late: #too_late,
                gone: #gone,
            }
        }
    }
}

impl Print for Cleanup {
    fn print(&self) -> TokenStream {
        let request = self.request.print();
        let when = option(self.when.as_ref().map(Print::print));
        quote!(__emp::spec::Cleanup { request: #request, when: #when })
    }
}
