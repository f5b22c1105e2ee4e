//! [`Spec`] to tokens: `static` tables and one small impl. A reader of `cargo expand` should recognise the declaration.
//!
//! Generated code names `::core` and `__emp`, an alias of `emp_core`'s private module inside a `const` block, and nothing else:
//! whatever an author shadows or renames, it means the same.

mod body;
mod hook;
mod life;
mod limits;
mod openapi;
mod outcome;
mod polling;
mod print;
mod protocol;
mod stream;
mod webhook;
mod websocket;

use emp_syntax::hole::Root;
use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::{Attribute, Data, DataStruct, DeriveInput, Field};

use self::print::{Print, option, slice};
use crate::spec::{DurationUnit, EnvField, EnvKind, PayloadAsset, PayloadMember, Spec, TypeRef};

/// The code of a checked connector.
pub fn connector(spec: &Spec) -> TokenStream {
    let name = &spec.name;
    let private = private(spec.krate.as_ref());
    let hooks = hook::constants(spec);
    let table = table(spec);
    let fields = fields(&spec.env);
    let custom = spec.http.is_none().then(custom);
    let assertions = assertions(spec);
    quote! {
        const _: () = {
            use #private as __emp;

            #hooks

            static SPEC: __emp::spec::ConnectorSpec = #table;

            #[automatically_derived]
            impl __emp::Connector for #name {
                const SPEC: &'static __emp::spec::ConnectorSpec = &SPEC;

                #fields
                #custom
            }

            #assertions
        };
    }
}

/// The type of a variant: the struct without the declaration.
pub fn structure(input: &DeriveInput) -> TokenStream {
    let plain = |attributes: &[Attribute]| -> Vec<Attribute> {
        let kept = |attribute: &&Attribute| ["cfg", "doc"].iter().any(|name| attribute.path().is_ident(name));
        attributes.iter().filter(kept).cloned().collect()
    };
    let (attributes, visibility, name) = (plain(&input.attrs), &input.vis, &input.ident);
    let Data::Struct(DataStruct { fields, .. }) = &input.data else { return TokenStream::new() };
    let fields = fields.iter().map(|field| {
        let (attributes, Field { vis, ident, ty, .. }) = (plain(&field.attrs), field);
        quote!(#(#attributes)* #vis #ident: #ty)
    });
    quote!(#(#attributes)* #visibility struct #name { #(#fields),* })
}

/// An impl that does nothing, for a declaration with mistakes: code that uses the type gets no errors of its own.
pub fn stub(name: &Ident, krate: Option<&TypeRef>) -> TokenStream {
    let private = private(krate);
    let text = name.unraw().to_string();
    quote! {
        const _: () = {
            use #private as __emp;

            static SPEC: __emp::spec::ConnectorSpec = __emp::spec::ConnectorSpec {
                name: #text,
                services: &[],
                version: "0.0.0",
                description: "",
                source: __emp::spec::SourceLocation { file: ::core::file!(), line: ::core::line!(), lines: 0 },
                fingerprint: 0,
                env: &[],
                payload: __emp::spec::PayloadSchema::Any,
                output: ::core::option::Option::None,
                pace: __emp::spec::Pace::DEFAULT,
                limits: __emp::spec::Limits::DEFAULT,
                openapi: ::core::option::Option::None,
                protocol: __emp::spec::Protocol::Custom,
            };

            #[automatically_derived]
            impl __emp::Connector for #name {
                const SPEC: &'static __emp::spec::ConnectorSpec = &SPEC;

                fn from_settings(
                    _settings: &__emp::Settings,
                    _errors: &mut __emp::Vec<__emp::EnvError>,
                ) -> ::core::option::Option<Self> {
                    ::core::option::Option::None
                }
            }
        };
    }
}

fn private(krate: Option<&TypeRef>) -> TokenStream {
    let path = krate.map_or_else(|| quote!(::emp_core), |krate| krate.tokens.clone());
    quote!(#path::__private0_1_0)
}

fn table(spec: &Spec) -> TokenStream {
    let name = spec.name.unraw().to_string();
    let services = slice(&spec.services);
    let Spec { version, description, lines, .. } = spec;
    let fingerprint = proc_macro2::Literal::u64_unsuffixed(spec.fingerprint());
    let env = spec.env.iter().map(env_field);
    let payload = payload(spec);
    let output = option(spec.output.as_ref().map(|found| {
        let path = &found.tokens;
        quote_spanned!(found.span=> __emp::schema_of::<#path>)
    }));
    let pace = spec.pace.print();
    let limits = spec.limits.print();
    let openapi = option(spec.openapi.as_ref().map(Print::print));
    let protocol = spec.http.as_ref().map(Print::print);
    let protocol = protocol.map_or_else(|| quote!(Custom), |http| quote!(Http(#http)));
    quote! {
        __emp::spec::ConnectorSpec {
            name: #name,
            services: #services,
            version: #version,
            description: #description,
            source: __emp::spec::SourceLocation { file: ::core::file!(), line: ::core::line!(), lines: #lines },
            fingerprint: #fingerprint,
            env: &[#(#env),*],
            payload: #payload,
            output: #output,
            pace: #pace,
            limits: #limits,
            openapi: #openapi,
            protocol: __emp::spec::Protocol::#protocol,
        }
    }
}

fn env_field(field: &EnvField) -> TokenStream {
    let name = field.field.unraw().to_string();
    let variable = &field.variable.value;
    let kind = kind(&field.kind);
    let required = field.required;
    let default = option(field.default.as_ref());
    let range = option(field.range.map(|(low, high)| quote!((#low, #high))));
    let unit = match field.unit {
        DurationUnit::Seconds => quote!(__emp::spec::DurationUnit::Seconds),
        DurationUnit::Millis => quote!(__emp::spec::DurationUnit::Millis),
    };
    let description = &field.description;
    quote! {
        __emp::spec::EnvField {
            field: #name,
            variable: #variable,
            kind: #kind,
            required: #required,
            default: #default,
            range: #range,
            unit: #unit,
            description: #description,
        }
    }
}

fn kind(kind: &EnvKind) -> TokenStream {
    let variant = match kind {
        EnvKind::Text => quote!(Text),
        EnvKind::Secret => quote!(Secret),
        EnvKind::Url => quote!(Url),
        EnvKind::Bool => quote!(Bool),
        EnvKind::Float => quote!(Float),
        EnvKind::Duration => quote!(Duration),
        EnvKind::Other(name) => quote!(Other(#name)),
        EnvKind::Integer { min, max } => {
            let (min, max) = (print::integer(*min), print::integer(*max));
            quote!(Integer { min: #min, max: #max })
        }
        EnvKind::List(inner) => {
            let inner = self::kind(inner);
            quote!(List(&#inner))
        }
    };
    quote!(__emp::spec::EnvKind::#variant)
}

fn payload(spec: &Spec) -> TokenStream {
    if let Some(found) = &spec.payload {
        let path = &found.tokens;
        let members = spec.payload_members();
        let required = members.iter().filter(|member| member.required).map(|member| &member.name);
        return quote_spanned!(found.span=> __emp::spec::PayloadSchema::Typed {
            schema: __emp::payload_schema::<#path>,
            required: &[#(#required),*],
        });
    }
    let members = spec.payload_members();
    if spec.http.is_none() || members.is_empty() {
        return quote!(__emp::spec::PayloadSchema::Any);
    }
    let members = members.iter().map(|PayloadMember { name, required, object, asset }| {
        let asset = option(asset.as_ref().map(|PayloadAsset { types, inline }| {
            quote!(__emp::spec::PayloadAsset { types: &[#(#types),*], inline: #inline })
        }));
        quote!(__emp::spec::PayloadField { name: #name, required: #required, object: #object, asset: #asset })
    });
    quote!(__emp::spec::PayloadSchema::Holes(&[#(#members),*]))
}

/// `from_settings`: all fields are filled before the first missing one ends it, so that every fault is found.
fn fields(env: &[EnvField]) -> TokenStream {
    let other = |kind: &EnvKind| matches!(kind, EnvKind::Other(_));
    let values = env.iter().enumerate().map(|(index, field)| {
        let name = field.field.unraw().to_string();
        match (&field.kind, field.required || field.default.is_some()) {
            (kind, true) if other(kind) => quote!(__emp::parse_field(settings, &SPEC.env[#index], errors)),
            (kind, false) if other(kind) => quote! {
                match settings.get(#name) {
                    ::core::option::Option::None => ::core::option::Option::Some(::core::option::Option::None),
                    ::core::option::Option::Some(_) => {
                        __emp::parse_field(settings, &SPEC.env[#index], errors).map(::core::option::Option::Some)
                    }
                }
            },
            _ => quote!(settings.field(#name)),
        }
    });
    let names = env.iter().map(|field| &field.field);
    let positions = (0..env.len()).map(syn::Index::from);
    let (settings, errors, bind) = match (env.is_empty(), env.iter().any(|field| other(&field.kind))) {
        (true, _) => (quote!(_settings), quote!(_errors), None),
        (false, false) => (quote!(settings), quote!(_errors), Some(quote!(let fields = (#(#values,)*);))),
        (false, true) => (quote!(settings), quote!(errors), Some(quote!(let fields = (#(#values,)*);))),
    };
    quote! {
        fn from_settings(
            #settings: &__emp::Settings,
            #errors: &mut __emp::Vec<__emp::EnvError>,
        ) -> ::core::option::Option<Self> {
            #bind
            ::core::option::Option::Some(Self { #(#names: fields.#positions?),* })
        }
    }
}

fn custom() -> TokenStream {
    quote! {
        fn custom(self: __emp::Arc<Self>) -> ::core::option::Option<__emp::Arc<dyn __emp::CustomRunner>> {
            ::core::option::Option::Some(__emp::runner(self))
        }
    }
}

/// What rustc checks for us, at the author's own tokens.
fn assertions(spec: &Spec) -> TokenStream {
    let name = &spec.name;
    let registered = (!spec.unregistered).then(|| {
        let check = quote_spanned!(name.span()=> registered::<#name>());
        quote! {
            // Build.rs has seen this connector.
            const _: fn() = || {
                fn registered<T: __emp::Registered>() {}
                #check
            };
        }
    });
    let payload = spec.payload.as_ref().map(|found| members(found, spec));
    let read = read(spec);
    quote!(#registered #payload #read)
}

/// Reads the fields that the declaration names, which nothing else does: a field that is not named is rustc's to report.
fn read(spec: &Spec) -> TokenStream {
    let name = &spec.name;
    let named = |field: &&EnvField| {
        let field = field.field.unraw().to_string();
        spec.uses.iter().any(|used| used.reference.root == Root::Env && used.first() == Some(&field))
    };
    let fields: Vec<_> = spec.env.iter().filter(named).map(|field| &field.field).collect();
    if fields.is_empty() {
        return TokenStream::new();
    }
    quote! {
        // The declaration reads these fields.
        const _: fn(&#name) = |connector: &#name| {
            #(let _ = &connector.#fields;)*
        };
    }
}

/// Touches each field that a hole names, at the hole, so that rustc says which one is not there.
fn members(payload: &TypeRef, spec: &Spec) -> TokenStream {
    let path = &payload.tokens;
    let mut seen = std::collections::BTreeSet::new();
    let touches = spec.uses.iter().filter_map(|used| {
        let name = used.payload_member()?;
        // Every wrong hole is underlined, but a right one is touched once.
        seen.insert((name.to_owned(), format!("{:?}", used.span))).then(|| {
            // Inside a text rustc would offer to replace all of it.
            let span = if used.in_text { Span::mixed_site().located_at(used.span) } else { used.span };
            let field = member(name, span);
            quote_spanned!(used.span=> let _ = &payload.#field;)
        })
    });
    let touches: TokenStream = touches.collect();
    if touches.is_empty() {
        return TokenStream::new();
    }
    quote! {
        // The payload has the members that the holes name.
        const _: fn(&#path) = |payload: &#path| { #touches };
    }
}

fn member(name: &str, span: Span) -> TokenStream {
    if let Ok(ident) = syn::parse_str::<Ident>(name) {
        let ident = Ident::new(&ident.to_string(), span);
        return ident.into_token_stream();
    }
    let raw = syn::parse_str::<Ident>(&format!("r#{name}"));
    raw.map_or_else(
        |_| format_ident!("{}", "unnameable").into_token_stream(),
        |ident| {
            let mut ident = ident;
            ident.set_span(span);
            ident.into_token_stream()
        },
    )
}
