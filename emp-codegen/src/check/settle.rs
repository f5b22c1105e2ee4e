//! Settle rules: one for a billable submit, and one that really works.

use std::time::Duration;

use emp_syntax::hole::{Hole, HoleDefault, Reference, Root};
use emp_syntax::json::{Json, Member};
use emp_syntax::template::{Part, Template};

use super::{missing_key, protocol, value};
use crate::catalogue::derive::{KEY_PLACE, MODE, NO_SETTLE_RULE, SETTLE_TWICE};
use crate::diag::{Diagnostic, Sink};
use crate::raw::{RawLookup, RawRequest, RawSettle, RawSubmit};
use crate::spec::{Body, KeyPlace, Lookup, PairValue, Settle, Spanned, Target};

pub(super) fn settle(given: &Spanned<RawSubmit>, billable: bool, sync: bool, sink: &Sink) -> Option<Settle> {
    let submit = &given.value;
    if let [first, second, ..] = submit.settle.as_slice() {
        sink.report(
            Diagnostic::new(SETTLE_TWICE, second.span, "this submit has two settle rules")
                .related(first.span, "the first one is here"),
        );
        return None;
    }
    let Some(rule) = submit.settle.first() else {
        if billable {
            sink.report(Diagnostic::new(
                NO_SETTLE_RULE,
                given.key,
                "this submit costs money and does not say what a lost answer means",
            ));
            return None;
        }
        return Some(Settle::AtLeastOnce);
    };
    match &rule.value {
        RawSettle::AtMostOnce => Some(Settle::AtMostOnce),
        RawSettle::AtLeastOnce => Some(Settle::AtLeastOnce),
        RawSettle::Idempotent { key, ttl } => {
            let Some(key) = key else {
                sink.report(missing_key(
                    "idempotent",
                    rule.key,
                    "a place for the key",
                    "header(\"Idempotency-Key\")",
                ));
                return None;
            };
            place(key, &submit.request, sink);
            let Some(ttl) = value(ttl.as_ref()) else {
                sink.report(missing_key("idempotent", rule.key, "`ttl`", "ttl = \"24h\""));
                return None;
            };
            Some(Settle::Idempotent { key: key.value.clone(), ttl })
        }
        RawSettle::AssignId { absent_for, resend } => {
            if sync {
                sink.report(
                    Diagnostic::new(
                        MODE,
                        rule.key,
                        "a sync connector has nothing to look up by an assigned id",
                    )
                    .help("use `idempotent(..)`, `at_most_once` or `at_least_once`"),
                );
            }
            if !mentions(&submit.request, "assigned_id") {
                sink.report(
                    Diagnostic::new(KEY_PLACE, rule.key, "the submit never sends `job.assigned_id`")
                        .help("send it where the service takes it: `json { \"id\": job.assigned_id }`"),
                );
            }
            Some(Settle::AssignId {
                absent_for: value(absent_for.as_ref()).unwrap_or(Duration::from_secs(30)),
                resend: *resend,
            })
        }
        RawSettle::Lookup(raw) => {
            if sync {
                sink.report(
                    Diagnostic::new(MODE, rule.key, "a sync connector has nothing to look up")
                        .help("use `idempotent(..)`, `at_most_once` or `at_least_once`"),
                );
            }
            if !mentions(&submit.request, "job_id") {
                sink.report(
                    Diagnostic::new(
                        KEY_PLACE,
                        rule.key,
                        "the submit never sends `queue.job_id`, so no search can find it",
                    )
                    .help("send it where the service keeps it: `json { \"tag\": queue.job_id }`"),
                );
            }
            lookup(raw, rule, sink).map(Settle::Lookup)
        }
    }
}

fn lookup(raw: &RawLookup, rule: &Spanned<RawSettle>, sink: &Sink) -> Option<Lookup> {
    let request = protocol::request(&raw.request, "lookup", rule.key, "get = \"/jobs\"", sink);
    for (key, given, example) in [
        ("`items`", &raw.items, "items = \"$.jobs[*]\""),
        ("`tag`", &raw.tag, "tag = \"$.tag\""),
        ("`id`", &raw.id, "id = \"$.id\""),
    ] {
        if given.is_none() {
            sink.report(missing_key("lookup", rule.key, key, example));
        }
    }
    Some(Lookup {
        request: request?,
        items: value(raw.items.as_ref())?,
        tag: value(raw.tag.as_ref())?,
        id: value(raw.id.as_ref())?,
        wait: value(raw.wait.as_ref()).unwrap_or(Duration::from_secs(10)),
    })
}

/// The key's place is free, and it is one that is sent.
fn place(key: &Spanned<KeyPlace>, request: &RawRequest, sink: &Sink) {
    match &key.value {
        KeyPlace::Header(name) => {
            if let Some(header) = request.headers.iter().find(|header| header.name.value == *name) {
                sink.report(
                    Diagnostic::new(KEY_PLACE, key.span, format!("the header `{name}` is written already"))
                        .help("remove the header: the engine writes the key there")
                        .related(header.name.span, "the header is written here"),
                );
            }
        }
        KeyPlace::Field(name) => match &request.body {
            None => sink.report(
                Diagnostic::new(
                    KEY_PLACE,
                    key.span,
                    format!("the key is the member \"{name}\" of a body that is not there"),
                )
                .help(
                    "add a body: `json { .. }`, or put the key into a header: `header(\"Idempotency-Key\")`",
                ),
            ),
            Some(body) if has_member(&body.value, name) => sink.report(
                Diagnostic::new(KEY_PLACE, key.span, format!("the member \"{name}\" is written already"))
                    .help(format!("remove \"{name}\" from the body: the engine writes the key there"))
                    .related(body.span, "the body is here"),
            ),
            Some(Spanned { value: Body::Raw { .. }, key: raw, .. }) => sink.report(
                Diagnostic::new(
                    KEY_PLACE,
                    key.span,
                    format!("the key is the member \"{name}\" of a raw body"),
                )
                .help("put the key into a header: `header(\"Idempotency-Key\")`")
                .related(*raw, "the body is here"),
            ),
            Some(_) => {}
        },
    }
}

fn has_member(body: &Body, wanted: &str) -> bool {
    let members = match body {
        Body::Json(Json::Object(members)) => members,
        Body::Form(members) | Body::Multipart(members) => members.as_slice(),
        Body::Json(_) | Body::Raw { .. } => return false,
    };
    members.iter().any(|member| matches!(member, Member::Field { name, .. } if name == wanted))
}

/// Whether a request refers to `job.<name>` or `queue.<name>`.
fn mentions(request: &RawRequest, name: &str) -> bool {
    let named = |reference: &Reference| {
        matches!(reference.root, Root::Job | Root::Queue)
            && matches!(reference.path.first(), Some(emp_syntax::hole::Step::Name(first)) if first == name)
    };
    let target = request.target.as_ref().is_some_and(|target| match &target.value.1 {
        Target::Path(template) => in_template(template, &named),
        Target::Captured(reference) => named(reference),
    });
    let pairs = request.query.iter().chain(&request.headers).any(|pair| match &pair.value {
        PairValue::Text(template) => in_template(template, &named),
        PairValue::Hole(hole) => in_hole(hole, &named),
    });
    target || pairs || request.body.as_ref().is_some_and(|body| in_body(&body.value, &named))
}

fn in_hole(hole: &Hole, named: &impl Fn(&Reference) -> bool) -> bool {
    named(&hole.reference)
        || matches!(&hole.default, Some(HoleDefault::Reference(reference)) if named(reference))
}

fn in_template(template: &Template, named: &impl Fn(&Reference) -> bool) -> bool {
    template.parts.iter().any(|part| matches!(part, Part::Hole { hole, .. } if in_hole(hole, named)))
}

fn in_body(body: &Body, named: &impl Fn(&Reference) -> bool) -> bool {
    match body {
        Body::Json(value) | Body::Raw { value, .. } => in_json(value, named),
        Body::Form(members) | Body::Multipart(members) => in_members(members, named),
    }
}

fn in_members(members: &[Member], named: &impl Fn(&Reference) -> bool) -> bool {
    members.iter().any(|member| match member {
        Member::Field { value, .. } => in_json(value, named),
        Member::Spread(reference) => named(reference),
        Member::SpreadHook(_) => false,
    })
}

fn in_json(json: &Json, named: &impl Fn(&Reference) -> bool) -> bool {
    match json {
        // What a function reads is not seen: what a rule needs must be declared.
        Json::Literal(_) | Json::Hook(_) => false,
        Json::Text(template) => in_template(template, named),
        Json::Hole(hole) => in_hole(hole, named),
        Json::Asset(asset) => in_hole(&asset.hole, named),
        Json::Array(elements) | Json::First(elements) => {
            elements.iter().any(|element| in_json(element, named))
        }
        Json::Object(members) => in_members(members, named),
    }
}
