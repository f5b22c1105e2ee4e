//! The calls of a service: F42, F43, and that nobody else can make one.

use emp_core::ErrorCode;
use emp_core::spec::{Body, CallBody, HttpProtocol, Pair, PairValue, Verify};
use emp_core::syntax::hole::{Hole, Root};
use emp_core::syntax::json::{Json, Member};
use emp_core::syntax::template::Part;

use super::conduct::row;
use super::plan::{Plan, Work};
use super::scenario::Judged;
use super::script::{Expect, Script};
use crate::fault::{Fault, Step, Trouble, When};
use crate::rig::Calling;

/// The scenarios of calls.
pub(super) fn plans(http: &HttpProtocol) -> Vec<Plan> {
    let told = http.submits().any(told);
    let webhook = http.webhook.as_ref();
    // What is believed ends a job: no poll needs to be answered, and none is.
    let believed =
        webhook.is_some_and(|webhook| !matches!(webhook.body, CallBody::Hint)) && http.stream.is_none();
    let silent = || Fault::at(Step::Poll, Trouble::Cut).when(When::Always);
    let called = |calling: Calling, expect: Expect| {
        let script = Script::new(expect).calling(calling);
        if believed { script.fault(silent()) } else { script }
    };
    let proven = webhook.and_then(|webhook| webhook.verify.as_ref());
    // With no poll answered, only a call that was believed could end the job well.
    let unmoved = || if believed { Expect::Fails(vec![ErrorCode::EDeadline]) } else { Expect::Succeeds };
    let only = |applies: bool, reason: &str, script: Script| -> Work {
        if !told {
            Judged::not_applicable("it does not tell its service where to call").into()
        } else if applies {
            script.into()
        } else {
            Judged::not_applicable(reason).into()
        }
    };
    vec![
        row(
            "F42.webhook_alone",
            "a call that is proven ends a job that no poll is answered for",
            only(
                believed,
                "what a call says is not believed: the job is polled",
                called(Calling::Due, Expect::Succeeds),
            ),
        ),
        row(
            "F42.webhook_twice",
            "a call that comes again, before the end and after it, changes nothing",
            only(true, "", called(Calling::Twice, Expect::Succeeds)),
        ),
        row(
            "F42.webhook_and_poll",
            "a call and a poll that both tell the end give one result",
            only(true, "", Script::new(Expect::Succeeds).calling(Calling::Due)),
        ),
        row(
            "F43.webhook_first",
            "a call before the submit's answer is not forgotten",
            only(true, "", called(Calling::First, Expect::Succeeds)),
        ),
        row(
            "webhook.forged",
            "a call that is signed with another secret is refused, and changes nothing",
            only(
                proven.is_some(),
                "it does not say how a call is proven",
                called(Calling::Forged, unmoved()),
            ),
        ),
        row(
            "webhook.stale",
            "a call that was signed an hour ago is refused, and changes nothing",
            only(
                proven.is_some_and(dated),
                "it does not say when a call was signed",
                called(Calling::Stale, unmoved()),
            ),
        ),
    ]
}

/// Whether the moment of signing is part of the proof.
fn dated(verify: &Verify) -> bool {
    match verify {
        Verify::StandardWebhooks { .. } => true,
        Verify::Hmac(hmac) => hmac.timestamp.is_some(),
        Verify::Header { .. } => false,
    }
}

/// Whether a submit says where to call.
fn told(submit: &emp_core::spec::Submit) -> bool {
    let request = &submit.request;
    let hole = |hole: &Hole| hole.reference.root == Root::Webhook;
    let pair = |pair: &Pair| match &pair.value {
        PairValue::Hole(found) => hole(found),
        PairValue::Text(template) => {
            template.parts.iter().any(|part| matches!(part, Part::Hole { hole: found, .. } if hole(found)))
        }
    };
    let body = match &request.body {
        Body::Json(json) => in_json(json),
        Body::Form(members) | Body::Multipart(members) => in_members(members),
        _ => false,
    };
    body || request.query.iter().chain(request.headers).any(pair)
}

fn in_json(json: &Json) -> bool {
    match json {
        Json::Hole(hole) => hole.reference.root == Root::Webhook,
        Json::Array(items) => items.iter().any(in_json),
        Json::Object(members) => in_members(members),
        _ => false,
    }
}

fn in_members(members: &[Member]) -> bool {
    members.iter().any(|member| matches!(member, Member::Field { value, .. } if in_json(value)))
}
