//! `#[http]`, the requests, and what surrounds them.

use std::time::Duration;

use emp_syntax::template::{Part, Template};
use proc_macro2::Span;

use super::{missing_key, polling, settle, value};
use crate::catalogue::derive::{BASE, NO_ID, PATH, SECRET_PLACE};
use crate::diag::{Diagnostic, Sink};
use crate::raw::{RawErrors, RawHealth, RawHttp, RawPoll, RawRequest, RawSettle, RawSpec, RawSubmit};
use crate::spec::{Base, Errors, Health, Poll, Request, Spanned, Submit, Target};

pub(super) fn base(given: Option<&Spanned<RawHttp>>, sink: &Sink) -> Option<(Base, Vec<String>)> {
    let given = given?;
    let raw = &given.value;
    let Some(base) = &raw.base else {
        sink.report(missing_key("http", given.key, "`base`", "base = \"https://api.example.com\""));
        return None;
    };
    if let Base::Template(template) = &base.value {
        literal_base(template, base.span, raw.allow_http, sink);
    }
    for host in &raw.allow_hosts {
        sink.take(crate::parse::host(host));
    }
    Some((base.value.clone(), raw.allow_hosts.iter().map(|host| host.value.clone()).collect()))
}

fn literal_base(template: &Template, span: Span, allow_http: bool, sink: &Sink) {
    let head = match template.parts.first() {
        Some(Part::Literal(text)) => text.as_ref(),
        _ => "",
    };
    let (scheme, rest) = head.split_once("://").unwrap_or(("", head));
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let wrong = |what: &str, help: String| {
        sink.report(Diagnostic::new(BASE, span, what.to_owned()).help(help));
    };
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let name = if host.starts_with('[') { host.split(']').next() } else { host.split(':').next() };
    let name = name.unwrap_or_default();
    let loopback = matches!(name, "localhost" | "[::1")
        || name.parse::<std::net::Ipv4Addr>().is_ok_and(|address| address.is_loopback());
    let ends_inside = template.parts.len() > 1 && !rest.contains(['/', '?', '#']);
    match scheme {
        _ if authority.contains('@') => {
            wrong("a base holds no user or password", "remove them, and declare them in `#[auth(basic(..))]`".to_owned());
        }
        "https" | "http" if authority.is_empty() || ends_inside => wrong(
            "the host of a base is written out",
            "write `base = \"https://api.example.com/v2/{env.x}\"`; a host that differs by installation is `base = env.base_url`".to_owned(),
        ),
        "https" => {}
        "http" if loopback || allow_http => {}
        "http" => wrong(
            "a plain http base shows the credential to everybody on the way",
            format!("write `base = \"https://{rest}\"`, or add `allow_http` when the network is yours"),
        ),
        _ => wrong("this base is not an https URL", "write `base = \"https://api.example.com\"`, or `base = env.base_url`".to_owned()),
    }
    if rest.contains(['?', '#']) {
        wrong(
            "a base has neither query nor fragment",
            "put query pairs into the requests: `query(\"k\" = \"v\")`".to_owned(),
        );
    }
}

/// A request that has its verb and a sound path.
pub(super) fn request(
    raw: &RawRequest,
    attribute: &str,
    span: Span,
    example: &str,
    sink: &Sink,
) -> Option<Request> {
    let Some(target) = &raw.target else {
        sink.report(missing_key(attribute, span, "a verb and a path", example));
        return None;
    };
    let (method, url) = target.value.clone();
    match &url {
        Target::Path(template) => path(template, target.span, sink),
        Target::Captured(found) if found.root != emp_syntax::hole::Root::Job => sink.report(
            Diagnostic::new(PATH, target.span, format!("`{found}` is not a URL that the service supplied"))
                .help("write a path below the base, or a captured URL such as `job.poll_url`"),
        ),
        Target::Captured(_) => {}
    }
    for header in &raw.headers {
        if matches!(header.name.value.as_str(), "authorization" | "proxy-authorization" | "cookie") {
            sink.report(
                Diagnostic::new(
                    SECRET_PLACE,
                    header.name.span,
                    format!("the header `{}` is a credential", header.name.value),
                )
                .help("declare it in `#[auth(..)]`: `#[auth(bearer = api_key)]`"),
            );
        }
    }
    Some(Request {
        method,
        url,
        query: raw.query.clone(),
        headers: raw.headers.clone(),
        body: value(raw.body.as_ref()),
        max_body: value(raw.max_body.as_ref()),
        timeout: value(raw.timeout.as_ref()),
    })
}

fn path(template: &Template, span: Span, sink: &Sink) {
    let head = match template.parts.first() {
        Some(Part::Literal(text)) => text.as_ref(),
        _ => "",
    };
    if !head.starts_with('/') || head.starts_with("//") {
        let help = if head.contains("://") || head.starts_with("//") {
            "write the host in `#[http(base = ..)]` and the rest here, beginning with `/`".to_owned()
        } else {
            format!("write `\"/{template}\"`")
        };
        sink.report(Diagnostic::new(PATH, span, "this path does not begin with one `/`").help(help));
    }
    let holds = |mark: char| {
        template.parts.iter().any(|part| matches!(part, Part::Literal(text) if text.contains(mark)))
    };
    if holds('?') || holds('#') {
        let text = template.to_string();
        let fix = text.split_once('?').and_then(|(path, query)| {
            let (key, value) = query.split('&').next()?.split_once('=')?;
            Some(format!("write `\"{path}\", query(\"{key}\" = \"{value}\")`"))
        });
        sink.report(
            Diagnostic::new(PATH, span, "a path has neither query nor fragment")
                .help(fix.unwrap_or_else(|| "write `query(\"key\" = \"value\")` beside it".to_owned())),
        );
    }
}

pub(super) fn submit(raw: &RawSpec, given: &Spanned<RawSubmit>, sync: bool, sink: &Sink) -> Option<Submit> {
    let submit = &given.value;
    let request = request(&submit.request, "submit", given.key, "post = \"/jobs\"", sink);
    let billable = submit.billable.is_none_or(|billable| billable.value);
    let settle = settle::settle(given, billable, sync, sink);
    let assigned = submit.settle.iter().any(|rule| matches!(rule.value, RawSettle::AssignId { .. }));
    if !sync
        && !assigned
        && raw.poll.is_some()
        && !submit.capture.iter().any(|capture| capture.name.value == "id")
    {
        sink.report(Diagnostic::new(NO_ID, given.key, "the submit's answer gives no id"));
    }
    Some(Submit {
        request: request?,
        envelope: polling::envelope(submit.envelope.as_ref(), sink),
        accept: value(submit.accept.as_ref())
            .unwrap_or_else(|| vec![emp_syntax::rule::CodePattern::Class(2)]),
        capture: submit.capture.clone(),
        feeds_poll: submit.feeds_poll,
        hold: value(submit.hold.as_ref()),
        billable,
        settle: settle?,
        rejects: value(submit.rejects.as_ref()).unwrap_or_default(),
    })
}

pub(super) fn poll(given: &Spanned<RawPoll>, sink: &Sink) -> Option<Poll> {
    let raw = &given.value;
    Some(Poll {
        request: request(&raw.request, "poll", given.key, "get = \"/jobs/{job.id}\"", sink)?,
        envelope: polling::envelope(raw.envelope.as_ref(), sink),
        also: polling::also(&raw.also, sink),
        echo: raw.echo.clone(),
        listed: polling::listed(&raw.listed, "poll", sink),
        hold: value(raw.hold.as_ref()),
        progress: raw.progress.clone(),
        progress_text: raw.progress_text.clone(),
        queue_position: raw.queue_position.clone(),
        eta: raw.eta.clone(),
        logs: raw.logs.clone(),
        preview: raw.preview.clone(),
    })
}

pub(super) fn health(given: &Spanned<RawHealth>, sink: &Sink) -> Option<Health> {
    let raw = &given.value;
    Some(Health {
        request: request(&raw.request, "health", given.key, "get = \"/health\"", sink)?,
        every: value(raw.every.as_ref()).unwrap_or(Duration::from_secs(30)),
        ready: raw.ready.clone(),
        metrics: raw.metrics.clone(),
    })
}

pub(super) fn errors(raw: &RawErrors) -> Errors {
    Errors {
        message: raw.message.clone(),
        code: raw.code.clone(),
        classify: raw.classify.clone(),
        retry: raw.retry.clone(),
        rules: raw.rules.clone(),
    }
}
