//! `#[webhook]`: somebody is told where to call, and what is believed is proven and about our job.

use emp_syntax::hole::Root;

use super::value;
use crate::catalogue::life::{WEBHOOK_BODY, WEBHOOK_URL};
use crate::diag::{Diagnostic, Sink};
use crate::raw::RawSpec;
use crate::spec::{CallBody, SignedPart, Spanned, Verify, Webhook};

pub(super) fn webhook(raw: &RawSpec, sink: &Sink) -> Option<Webhook> {
    let given = raw.webhook.as_ref()?;
    let declared = &given.value;
    let told =
        raw.uses.iter().any(|used| used.reference.root == Root::Webhook && used.first() == Some("url"));
    if !told {
        sink.report(
            Diagnostic::new(WEBHOOK_URL, given.key, "no submit tells the service where to call")
                .help("write `webhook.url?` into `#[submit]`: `json { \"webhook\": webhook.url? }`"),
        );
    }
    if let (Some(event), None) = (&declared.event, &declared.events) {
        sink.report(super::missing_key(
            "webhook",
            event.key,
            "the `events` that are wanted",
            "events = [\"completed\"]",
        ));
    }
    if let Some(verify) = &declared.verify {
        proof(verify, sink);
    }
    if let Some(body) = &declared.body {
        believed(raw, body, declared.verify.is_some(), sink);
    }
    Some(Webhook {
        verify: value(declared.verify.as_ref()),
        body: value(declared.body.as_ref()).unwrap_or(CallBody::Hint),
        events: declared
            .events
            .iter()
            .flat_map(|events| &events.value)
            .map(|event| event.value.clone())
            .collect(),
        event: value(declared.event.as_ref()),
    })
}

/// A moment that is signed is known, and one that is known is signed.
fn proof(verify: &Spanned<Verify>, sink: &Sink) {
    let Verify::Hmac(hmac) = &verify.value else { return };
    let signed = hmac.signed.contains(&SignedPart::Timestamp);
    let (what, help) = match (signed, &hmac.timestamp) {
        (true, None) => (
            "`{timestamp}` is signed, and nothing says where it stands",
            "add `timestamp = header(\"X-Timestamp\")`, or `timestamp = \"t=\"` when it stands beside the signature",
        ),
        (false, Some(_)) => (
            "the moment of signing is not signed, so that anybody could make an old call new",
            "sign it: `signed = \"{timestamp}.{body}\"`, or remove `timestamp`",
        ),
        _ => return,
    };
    sink.report(Diagnostic::new(WEBHOOK_BODY, verify.span, what).help(help));
}

/// What a call says in place of a poll.
fn believed(raw: &RawSpec, body: &Spanned<CallBody>, proven: bool, sink: &Sink) {
    let report = |what: &str, help: &str| {
        sink.report(Diagnostic::new(WEBHOOK_BODY, body.span, what).help(help));
    };
    if !proven {
        report(
            "nothing proves that this body is the service's",
            "add `verify = standard_webhooks(webhook_secret)`, or remove `body`: the job is asked after when it is called for",
        );
    }
    let mut polls = raw.poll.iter().chain(&raw.polls).peekable();
    if polls.peek().is_none() {
        report(
            "there is no poll that this body could be the answer of",
            "remove `#[webhook]`: the answer to the submit is the end",
        );
    } else if polls.any(|poll| poll.value.echo.is_empty()) {
        report(
            "nothing says where this body repeats the job's id: it may be about another job",
            "say where in `#[poll]`: `echo = \"$.id\"`",
        );
    }
    let own = raw.outcome.as_ref().filter(|outcome| outcome.value.request.target.is_none());
    if let Some(raw) = own.and_then(|outcome| outcome.value.take.raw) {
        sink.report(
            Diagnostic::new(
                WEBHOOK_BODY,
                body.span,
                "the result is the bytes of a poll's answer, which a call does not carry",
            )
            .help("remove `body`: the job is asked after when it is called for")
            .related(raw, "the result is here"),
        );
    }
}
