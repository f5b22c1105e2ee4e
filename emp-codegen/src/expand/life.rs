//! Origins, credentials, cancel, cleanup and webhooks as `emp_core::spec` data.

use proc_macro2::TokenStream;
use quote::quote;

use super::print::{Print, slice};
use crate::spec::Download;

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
