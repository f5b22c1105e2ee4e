//! `#[openapi]`.

use proc_macro2::TokenStream;
use quote::quote;

use super::print::{Print, option};
use crate::spec::{OpenApi, Spanned};

impl Print for OpenApi {
    fn print(&self) -> TokenStream {
        let name = |given: &Option<Spanned<String>>| option(given.as_ref().map(|given| &given.value));
        let file = &self.file.value;
        let (submit, poll, cancel) = (name(&self.submit), name(&self.poll), name(&self.cancel));
        quote!(__emp::spec::OpenApi { file: #file, submit: #submit, poll: #poll, cancel: #cancel })
    }
}
