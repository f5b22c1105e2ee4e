//! `#[variant(..)]`: another connector from the same declaration.
//!
//! A variant is a declaration of its own, with the tokens of the first wherever it says nothing else: whatever reads declarations
//! reads it as any other, and a mistake stands where its tokens do.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::{ToTokens as _, quote};
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::spanned::Spanned as _;
use syn::{Attribute, Data, DeriveInput, Field, LitStr, Meta, Token, parse_quote};

use super::arguments;
use super::keys::VARIANT;
use super::walk::{Parsed, items, parenthesized, separated};
use crate::catalogue::derive::{MISSING_KEY, UNKNOWN_WORD};
use crate::diag::{Diagnostic, Sink};

/// What a variant has of its own.
#[derive(Default)]
struct Own {
    name: Option<Ident>,
    /// The value of `service`.
    service: Option<TokenStream>,
    description: Option<LitStr>,
    /// By field, what stands in `#[env(..)]`.
    env: Vec<(Ident, TokenStream)>,
}

/// The declarations that a struct is: its own, and one for each of its variants.
pub fn declarations(input: &DeriveInput, sink: &Sink) -> Vec<DeriveInput> {
    let (variants, others): (Vec<_>, Vec<_>) =
        input.attrs.iter().cloned().partition(|attribute| attribute.path().is_ident("variant"));
    let main = DeriveInput { attrs: others, ..input.clone() };
    let made: Vec<DeriveInput> = variants.iter().filter_map(|variant| made(&main, variant, sink)).collect();
    std::iter::once(main).chain(made).collect()
}

fn made(main: &DeriveInput, attribute: &Attribute, sink: &Sink) -> Option<DeriveInput> {
    let scope = sink.scope();
    let own = arguments(attribute, &scope, |input| Ok(read(input, &scope)))?;
    let missing = |key: &str, example: &str| {
        sink.report(
            Diagnostic::new(MISSING_KEY, attribute.path().span(), format!("`variant` needs {key}"))
                .help(format!("add `{example}`")),
        );
    };
    let Some(name) = own.name else {
        missing("`name`", "name = RemoteConnector");
        return None;
    };
    let Some(service) = own.service else {
        missing("`service`", "service = \"remote\"");
        return None;
    };
    let mut input = DeriveInput { ident: name, ..main.clone() };
    if let Some(description) = own.description {
        input.attrs.retain(|attribute| !attribute.path().is_ident("doc"));
        input.attrs.insert(0, parse_quote!(#[doc = #description]));
    }
    for attribute in input.attrs.iter_mut().filter(|attribute| attribute.path().is_ident("connector")) {
        if let Meta::List(list) = &mut attribute.meta {
            list.tokens = with_service(list.tokens.clone(), &service);
        }
    }
    if let Data::Struct(data) = &mut input.data {
        let names: Vec<String> = data.fields.iter().filter_map(named).collect();
        for (field, env) in own.env {
            match data.fields.iter_mut().find(|found| found.ident.as_ref() == Some(&field)) {
                Some(found) => read_from(found, &env),
                None => sink.report(unknown(&field, &names)),
            }
        }
    }
    Some(input)
}

fn read(input: ParseStream, sink: &Sink) -> Own {
    let mut own = Own::default();
    items(input, &VARIANT, sink, |met, input| {
        match met.name {
            "name" => own.name = Some(input.call(Ident::parse_any)?),
            "service" => own.service = Some(value(input)?),
            "description" => own.description = Some(input.parse()?),
            _ => separated(input, sink, |input| field(input).map(|field| own.env.push(field))),
        }
        Ok(())
    });
    own
}

/// `url("COMFYUI_REMOTE_URL")`
fn field(input: ParseStream) -> Parsed<(Ident, TokenStream)> {
    let field = input.call(Ident::parse_any)?;
    Ok((field, parenthesized(input)?.parse()?))
}

/// The tokens until the next comma.
fn value(input: ParseStream) -> Parsed<TokenStream> {
    let mut tokens = TokenStream::new();
    while !input.is_empty() && !input.peek(Token![,]) {
        tokens.extend([input.parse::<TokenTree>()?]);
    }
    Ok(tokens)
}

/// The keys of `#[connector(..)]` with another service.
fn with_service(tokens: TokenStream, service: &TokenStream) -> TokenStream {
    let comma = |token: &TokenTree| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ',');
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let keys = tokens.split(comma).filter(|key| !key.is_empty()).map(|key| match key.first() {
        Some(TokenTree::Ident(name)) if name == "service" => quote!(service = #service),
        _ => key.iter().cloned().collect(),
    });
    quote!(#(#keys),*)
}

/// Has a field read another variable.
fn read_from(field: &mut Field, env: &TokenStream) {
    field.attrs.retain(|attribute| !attribute.path().is_ident("env"));
    field.attrs.push(parse_quote!(#[env(#env)]));
}

fn named(field: &Field) -> Option<String> {
    Some(field.ident.as_ref()?.to_token_stream().to_string())
}

fn unknown(field: &Ident, names: &[String]) -> Diagnostic {
    let text = field.to_string();
    let help = match emp_syntax::nearest(&text, names.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("the fields are {}", names.join(", ")),
    };
    Diagnostic::new(UNKNOWN_WORD, field.span(), format!("the struct has no field `{text}`")).help(help)
}
