//! `#[cancel]`: one way to cancel, and none that hits another's job. `#[cleanup]`, which comes after.

use super::protocol::request;
use super::{operation, value};
use crate::catalogue::life::{CANCEL_FORM, CANCEL_SCOPE};
use crate::diag::{Diagnostic, Sink};
use crate::raw::{RawCancel, RawCleanup, RawSpec};
use crate::spec::{Cancel, CancelScope, Cleanup, Setting, Spanned};

const EXAMPLE: &str = "post = \"/jobs/{job.id}/cancel\"";

pub(super) fn cancel(given: &Spanned<RawCancel>, raw: &RawSpec, sync: bool, sink: &Sink) -> Option<Cancel> {
    let cancel = &given.value;
    form(given, raw, sync, sink);
    scope(cancel, raw, sink);
    let stages = cancel.when.iter().map(|at| {
        let (stage, found) = &at.value;
        request(found, "when", at.key, "when(queued) = post(\"/queue\")", sink).map(|found| (*stage, found))
    });
    let stages: Option<Vec<_>> = stages.collect();
    let needs_request = cancel.drop_connection.is_none() && cancel.when.is_empty();
    let request = if needs_request || cancel.request.target.is_some() {
        Some(request(&cancel.request, "cancel", given.key, EXAMPLE, sink)?)
    } else {
        None
    };
    Some(Cancel {
        request,
        stages: stages?,
        scope: value(cancel.scope.as_ref()).unwrap_or(CancelScope::Job),
        ask_first: cancel.only_if.is_some(),
        ok: cancel.ok.clone(),
        too_late: cancel.too_late.clone(),
        gone: cancel.gone.clone(),
    })
}

fn form(given: &Spanned<RawCancel>, raw: &RawSpec, sync: bool, sink: &Sink) {
    let cancel = &given.value;
    let report = |span, what: &str, help: &str| {
        sink.report(Diagnostic::new(CANCEL_FORM, span, what.to_owned()).help(help));
    };
    let asks = cancel.only_if.as_ref().map(|only_if| only_if.key).or(cancel.when.first().map(|at| at.key));
    if let Some(drop) = cancel.drop_connection {
        if cancel.request.target.is_some() || !cancel.when.is_empty() {
            report(
                drop,
                "a cancel is a request or a connection that closes, not both",
                "remove `drop_connection`, or the request",
            );
        } else if !sync && raw.poll.is_some() {
            report(
                drop,
                "the service works at a polled job without a connection",
                "write a request: `#[cancel(post = \"/jobs/{job.id}/cancel\")]`",
            );
        }
    }
    if let Some(asks) = asks
        && raw.poll.is_none()
    {
        report(
            asks,
            "the state of a job is known by its poll, and there is none",
            "remove it, and write one request",
        );
    }
}

fn scope(cancel: &RawCancel, raw: &RawSpec, sink: &Sink) {
    let Some(scope) = cancel.scope.as_ref().filter(|scope| scope.value == CancelScope::Service) else {
        return;
    };
    let in_flight = raw.limits.as_ref().and_then(|limits| limits.value.in_flight.as_ref());
    if !in_flight.is_some_and(|in_flight| in_flight.value == Setting::Fixed(1)) {
        let mistake = Diagnostic::new(
            CANCEL_SCOPE,
            scope.key,
            "a cancel of whatever runs hits other jobs when there are several",
        )
        .help("add `#[limits(in_flight = 1)]`, or cancel one job: `scope = job`");
        sink.report(match in_flight {
            Some(in_flight) => mistake.related(in_flight.span, "the limit is here"),
            None => mistake,
        });
    }
}

pub(super) fn cleanup(given: &Spanned<RawCleanup>, sink: &Sink) -> Option<Cleanup> {
    let raw = &given.value;
    operation::condition(raw.when.as_ref(), sink);
    let request = request(&raw.request, "cleanup", given.key, "delete = \"/jobs/{job.id}\"", sink)?;
    Some(Cleanup { request, when: value(raw.when.as_ref()) })
}
