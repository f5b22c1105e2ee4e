//! [`RawSpec`] to [`Spec`]: the rules that look at one connector. Makes no tokens.

mod cancel;
mod connector;
mod env;
mod openapi;
mod operation;
mod origins;
mod outcome;
mod polling;
mod prepare;
mod protocol;
mod settle;
mod states;
mod stream;
mod token;
mod uses;
mod webhook;
mod websocket;

use proc_macro2::Span;

use crate::catalogue::derive::{CUSTOM, MISSING_ATTRIBUTE, MODE, NO_DESCRIPTION};
use crate::diag::{Diagnostic, Sink};
use crate::raw::RawSpec;
use crate::spec::{Http, Outcome, Spanned, Spec};

/// Checks a declaration. `None` exactly when the sink has errors.
pub fn connector(raw: RawSpec, sink: &Sink) -> Option<Spec> {
    let head = connector::head(&raw, &sink.scope());
    let env = env::fields(&raw.fields, &sink.scope());
    let rules = sink.scope();
    if raw.description.is_empty() {
        rules.report(
            Diagnostic::new(NO_DESCRIPTION, raw.name.span(), format!("`{}` has no doc comment", raw.name))
                .help(format!("write `/// What {} does.` above the derive", raw.name)),
        );
    }
    uses::check(&raw, &rules);
    polling::probe_uses(&raw, &rules);
    let custom = raw.connector.as_ref().is_some_and(|given| given.value.custom);
    let http = if custom {
        no_protocol(&raw, &rules);
        None
    } else {
        http(&raw, &rules)
    };
    let pace = connector::pace(raw.pace.as_ref(), &rules);
    let limits = connector::limits(raw.limits.as_ref(), &rules);
    let openapi = openapi::openapi(raw.openapi.as_ref(), &rules);
    if sink.has_errors() {
        return None;
    }
    let head = head?;
    Some(Spec {
        name: raw.name,
        services: head.services,
        version: head.version,
        description: raw.description,
        unregistered: head.unregistered,
        krate: head.krate,
        env,
        payload: head.payload,
        output: head.output,
        pace,
        limits,
        openapi,
        http,
        uses: raw.uses,
        hooks: raw.hooks,
        lines: raw.lines,
    })
}

/// The attributes of a protocol, for a connector that has its own.
fn no_protocol(raw: &RawSpec, sink: &Sink) {
    let present = [
        ("openapi", raw.openapi.as_ref().map(|given| given.key)),
        ("http", raw.http.as_ref().map(|given| given.key)),
        ("origins", raw.origins.as_ref().map(|given| given.key)),
        ("auth", raw.auth.as_ref().map(|given| given.key)),
        ("prepare", raw.prepare.first().map(|given| given.key)),
        ("submit", raw.submits().next().map(|given| given.key)),
        ("poll", raw.poll.as_ref().map(|given| given.key)),
        ("states", raw.states.as_ref().map(|given| given.key)),
        ("outcome", raw.outcome.as_ref().map(|given| given.key)),
        ("errors", raw.errors.as_ref().map(|given| given.key)),
        ("cancel", raw.cancel.as_ref().map(|given| given.key)),
        ("cleanup", raw.cleanup.as_ref().map(|given| given.key)),
        ("health", raw.health.as_ref().map(|given| given.key)),
        ("stream", raw.stream.as_ref().map(|given| given.key)),
        ("webhook", raw.webhook.as_ref().map(|given| given.key)),
        ("websocket", raw.websocket.as_ref().map(|given| given.key)),
        ("batch_poll", raw.batch_poll.as_ref().map(|given| given.key)),
        ("side_progress", raw.side_progress.as_ref().map(|given| given.key)),
    ];
    for (name, span) in present.into_iter().filter_map(|(name, span)| span.map(|span| (name, span))) {
        sink.report(
            Diagnostic::new(
                CUSTOM,
                span,
                format!("`{}` is custom, and `#[{name}]` is a declared protocol", raw.name),
            )
            .help(format!("remove `#[{name}(..)]`, or remove `custom` from `#[connector]`")),
        );
    }
}

fn http(raw: &RawSpec, sink: &Sink) -> Option<Http> {
    let sync = raw.connector.as_ref().and_then(|given| given.value.sync);
    match (sync, &raw.poll) {
        (Some(sync), Some(poll)) if sync.value => sink.report(
            Diagnostic::new(MODE, poll.key, "a connector with `mode = sync` has no `#[poll]`")
                .help("remove `#[poll(..)]`, or remove `mode = sync`")
                .related(sync.key, "the mode is said here"),
        ),
        (sync, None) if !sync.is_some_and(|sync| sync.value) => {
            missing(
                "poll",
                "#[poll(get = \"/jobs/{job.id}\")]",
                " (or say `mode = sync` in `#[connector]`)",
                raw,
                sink,
            );
        }
        _ => {}
    }
    need(raw.http.as_ref(), "http", "#[http(base = \"https://api.example.com\")]", raw, sink);
    need(raw.auth.as_ref(), "auth", "#[auth(bearer = api_key)]` or `#[auth(none)]", raw, sink);
    need(
        raw.submits().next(),
        "submit",
        "#[submit(post = \"/jobs\", capture(id = \"$.id\"), at_most_once)]",
        raw,
        sink,
    );
    if let Some(auth) = &raw.auth {
        token::auth(&auth.value, sink);
    }
    let sync = sync.is_some_and(|sync| sync.value);
    let (base, allow_hosts) = protocol::base(raw.http.as_ref(), sink)?;
    let prepare = prepare::prepare(raw, sink);
    let operations = operation::operations(raw, sync, sink);
    let submit = raw.submit.as_ref().and_then(|given| protocol::submit(raw, given, sync, sink));
    let poll = match &raw.poll {
        Some(poll) => Some(protocol::poll(poll, sink)?),
        None => None,
    };
    let states = states::states(raw, sync, sink);
    let cancel = match &raw.cancel {
        Some(cancel) => Some(cancel::cancel(cancel, raw, sync, sink)?),
        None => None,
    };
    let cleanup = match &raw.cleanup {
        Some(cleanup) => Some(cancel::cleanup(cleanup, sink)?),
        None => None,
    };
    let health = match &raw.health {
        Some(health) => Some(protocol::health(health, sink)?),
        None => None,
    };
    let stream = stream::stream(raw, sync, sink);
    let websocket = match &raw.websocket {
        Some(_) => Some(websocket::websocket(raw, sink)?),
        None => None,
    };
    let outcome = match &raw.outcome {
        Some(given) => outcome::outcome(given, raw.poll.is_some(), sink)?,
        None => Outcome::default(),
    };
    Some(Http {
        base,
        allow_hosts,
        follow: origins::follow(raw.origins.as_ref()),
        download: origins::download(raw.origins.as_ref(), sink),
        auth: raw.auth.as_ref()?.value.clone(),
        prepare,
        operations,
        submit: submit?,
        poll,
        states: states?,
        outcome,
        errors: raw.errors.as_ref().map(|given| protocol::errors(&given.value)).unwrap_or_default(),
        cancel,
        cleanup,
        health,
        stream,
        websocket,
        webhook: webhook::webhook(raw, sink),
        batch_poll: polling::batch_poll(raw, sink),
        side_progress: polling::side_progress(raw, sync, sink),
    })
}

fn need<T>(given: Option<&T>, name: &str, example: &str, raw: &RawSpec, sink: &Sink) {
    if given.is_none() {
        missing(name, example, "", raw, sink);
    }
}

fn missing(name: &str, example: &str, or: &str, raw: &RawSpec, sink: &Sink) {
    sink.report(
        Diagnostic::new(MISSING_ATTRIBUTE, raw.name.span(), format!("`{}` has no `#[{name}]`", raw.name))
            .help(format!("add `{example}`{or}")),
    );
}

/// A missing key of an attribute, by what it is called in a sentence.
fn missing_key(attribute: &str, span: Span, key: &str, example: &str) -> Diagnostic {
    Diagnostic::new(crate::catalogue::derive::MISSING_KEY, span, format!("`{attribute}` needs {key}"))
        .help(format!("add `{example}`"))
}

/// The value of a key that was written.
fn value<T: Clone>(given: Option<&Spanned<T>>) -> Option<T> {
    given.map(|given| given.value.clone())
}
