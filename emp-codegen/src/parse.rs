//! Tokens to [`RawSpec`]: what was written, and where. Only what cannot be read is an error here.

mod asset;
mod auth;
mod body;
mod call;
mod cancel;
mod cleanup;
mod clocks;
mod container;
mod field;
mod hook;
mod json;
pub mod keys;
mod openapi;
mod operation;
mod origins;
mod outcome;
mod polling;
mod prepare;
mod protocol;
mod reference;
mod request;
mod rule;
mod selector;
mod stream;
mod token;
mod value;
mod variant;
mod walk;
mod webhook;
mod websocket;

use std::cell::RefCell;

use syn::parse::ParseStream;
use syn::spanned::Spanned as _;
use syn::{Attribute, Data, DeriveInput, Expr, Fields, Lit, Meta, Visibility};

use self::walk::{Context, Parsed};
use crate::catalogue::derive::{DUPLICATE, GENERIC, NOT_A_STRUCT};
use crate::diag::{Diagnostic, Sink};
use crate::raw::{Given, RawSpec, Reach};
use crate::spec::{Place, Spanned};

pub use self::variant::declarations;

/// Whether a text is a host name, perhaps with `*.` before it.
pub(crate) fn host(name: &Spanned<String>) -> Result<(), Diagnostic> {
    field::host(name)
}

/// Reads a connector's declaration. `None` when so little could be read that checking it makes no sense; with errors in the sink
/// the result is not to be checked further.
pub fn connector(input: &DeriveInput, sink: &Sink) -> Option<RawSpec> {
    let fields = named_fields(input, sink)?;
    let (uses, hooks) = (RefCell::new(Vec::new()), RefCell::new(Vec::new()));
    let probes = RefCell::new(Vec::new());
    let context = |place| Context { sink: sink.scope(), place, uses: &uses, hooks: &hooks, probes: &probes };
    let attributes = Attributes { all: &input.attrs, sink };

    let (submit, poll) = (context(Place::Submit), context(Place::Poll));
    let mut operations = operation::submits(&attributes, &submit);
    let mut polls = operation::polls(&attributes, &poll, &operations);

    let prepare = operation::prepares(&attributes, &context);

    let mut raw = RawSpec {
        name: input.ident.clone(),
        reach: reach(&input.vis),
        description: description(&input.attrs),
        fields: Vec::new(),
        connector: attributes.one("connector", &context(Place::Setting), container::connector),
        openapi: attributes.one("openapi", &context(Place::Setting), openapi::openapi),
        http: attributes.one("http", &context(Place::Base), container::http),
        origins: attributes.one("origins", &context(Place::Setting), origins::origins),
        auth: attributes.one("auth", &context(Place::Auth), auth::auth).and_then(|given| given.value),
        prepare,
        submit: operation::main(&mut operations, |submit| submit.when.is_some()),
        operations,
        poll: operation::main(&mut polls, |poll| poll.when.is_some()),
        polls,
        states: attributes.one("states", &context(Place::Poll), protocol::states),
        outcome: attributes.one("outcome", &context(Place::Job), outcome::outcome),
        errors: attributes.one("errors", &context(Place::Job), protocol::errors),
        cancel: attributes.one("cancel", &context(Place::Job), cancel::cancel),
        cleanup: attributes.one("cleanup", &context(Place::Job), cleanup::cleanup),
        pace: attributes.one("pace", &context(Place::Job), container::pace),
        limits: attributes.one("limits", &context(Place::Setting), container::limits),
        health: attributes.one("health", &context(Place::Health), protocol::health),
        stream: attributes.one("stream", &context(Place::Captured), stream::stream),
        webhook: attributes.one("webhook", &context(Place::Setting), webhook::webhook),
        websocket: attributes.one("websocket", &context(Place::Job), websocket::websocket),
        batch_poll: attributes.one("batch_poll", &context(Place::Batch), polling::batch_poll),
        side_progress: attributes.one("side_progress", &context(Place::Lookup), polling::side_progress),
        probe_uses: Vec::new(),
        uses: Vec::new(),
        hooks: Vec::new(),
        lines: crate::lines::count(input),
    };
    let env = context(Place::Setting);
    raw.fields = fields.iter().filter_map(|found| field::field(found, &env)).collect();
    raw.uses = uses.into_inner();
    raw.hooks = hooks.into_inner();
    raw.probe_uses = probes.into_inner();
    Some(raw)
}

fn reach(visibility: &Visibility) -> Reach {
    match visibility {
        Visibility::Public(_) => Reach::Crate,
        Visibility::Restricted(to) if to.path.is_ident("crate") => Reach::Crate,
        Visibility::Restricted(_) | Visibility::Inherited => Reach::Module,
    }
}

fn named_fields<'a>(
    input: &'a DeriveInput,
    sink: &Sink,
) -> Option<&'a syn::punctuated::Punctuated<syn::Field, syn::Token![,]>> {
    if !input.generics.params.is_empty() {
        sink.report(Diagnostic::new(
            GENERIC,
            input.generics.params.span(),
            format!("`{}` has generic parameters", input.ident),
        ));
    }
    let what = match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) => return Some(&fields.named),
            Fields::Unnamed(_) => "a tuple struct",
            Fields::Unit => "a struct without braces",
        },
        Data::Enum(_) => "an enum",
        Data::Union(_) => "a union",
    };
    sink.report(
        Diagnostic::new(NOT_A_STRUCT, input.ident.span(), format!("`{}` is {what}", input.ident))
            .help(format!("write `struct {} {{ .. }}`", input.ident)),
    );
    None
}

struct Attributes<'a> {
    all: &'a [Attribute],
    sink: &'a Sink,
}

impl Attributes<'_> {
    /// The attribute with a name; a second one is a mistake.
    fn one<T>(
        &self,
        name: &str,
        context: &Context<'_>,
        parse: impl Fn(ParseStream, &Context<'_>) -> T,
    ) -> Given<T> {
        let mut found = self.all.iter().filter(|attribute| attribute.path().is_ident(name));
        let attribute = found.next()?;
        for second in found {
            self.sink.report(
                Diagnostic::new(DUPLICATE, second.path().span(), format!("`#[{name}]` is there twice"))
                    .help("keep one of the two, or put the keys of both into one")
                    .related(attribute.path().span(), "the first one is here"),
            );
        }
        let span = attribute.path().span();
        let value = arguments(attribute, &context.sink, |input| Ok(parse(input, context)))?;
        Some(Spanned { value, key: span, span })
    }
}

/// Reads what stands in an attribute's parentheses.
fn arguments<T>(
    attribute: &Attribute,
    sink: &Sink,
    parse: impl FnOnce(ParseStream) -> Parsed<T>,
) -> Option<T> {
    let mut result = None;
    let read = attribute.parse_args_with(|input: ParseStream<'_>| {
        result = Some(parse(input));
        if sink.has_errors() || matches!(result, Some(Err(_))) {
            // What is left belongs to a mistake that is reported already.
            let _: syn::Result<proc_macro2::TokenStream> = input.parse();
        }
        Ok(())
    });
    match (result, read) {
        (Some(Err(mistake)), _) => {
            sink.report(mistake);
            None
        }
        (Some(Ok(value)), read) => {
            if let Err(error) = read
                && !sink.has_errors()
            {
                sink.report(error.into());
            }
            Some(value)
        }
        (None, read) => {
            if let Err(error) = read {
                sink.report(error.into());
            }
            None
        }
    }
}

/// The text of doc comments.
fn description(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter_map(|attribute| match &attribute.meta {
        Meta::NameValue(meta) if meta.path.is_ident("doc") => match &meta.value {
            Expr::Lit(literal) => match &literal.lit {
                Lit::Str(text) => Some(text.value().trim().to_owned()),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    });
    lines.collect::<Vec<_>>().join("\n").trim().to_owned()
}
