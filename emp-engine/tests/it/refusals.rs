//! What a refusal means, by its code and by what stands beside it.

use std::collections::BTreeMap;

use emp_core::connector::Entry;
use emp_core::error::FailureKind;
use emp_core::{Connector, Timestamp};
use emp_engine::context::Context;
use emp_engine::decide::refusal;
use emp_engine::exchange::Exchange;
use emp_engine::memory::Memory;
use emp_engine::select::View;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};

use crate::support::submitted;

/// Tells the ingress from the application by a header, a user's timeout from its own, and gives a hint.
#[derive(Connector)]
#[connector(service = "ingress", version = "1.0.0", unregistered)]
#[http(base = "https://ingress.example.com")]
#[auth(none)]
#[submit(post = "/jobs", json { "prompt": payload.prompt }, capture(id = "$.id"), at_most_once)]
#[poll(get = "/jobs/{job.id}")]
#[states(at = "$.status", succeeded = ["done"], unknown = running(warn))]
#[errors(message = ["$.detail[0].msg", "$.detail", header("x-error")], code = "$.error.code", retry = [header("x-should-retry"), "$.retry"],
    429 if "$.error.code" == "insufficient_quota" => billing,
    504 if header("x-request-timeout-type") == "user" => timeout,
    502 | 503 | 504 if header("x-request-id") absent => transient,
    5xx => service,
)]
struct Ingress {}

fn refused(code: u16, head: &[(&str, &str)], body: &Value) -> (FailureKind, bool, Option<String>) {
    let connector = Entry::of::<Ingress>().load(&BTreeMap::<String, String>::new()).unwrap();
    let job = submitted("j1");
    let context = Context::of(&job, &connector, "key");
    let headers: HeaderMap = head
        .iter()
        .map(|(name, value)| {
            (HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap())
        })
        .collect();
    let exchange = Exchange::new(code, headers, body.to_string().as_bytes());
    let (memory, now) = (Memory::default(), Timestamp(0));
    let view = View { exchange: &exchange, context: &context, memory: &memory, now };
    let refusal = refusal(connector.spec.http().unwrap(), &view);
    (refusal.kind, refusal.error.retriable, refusal.error.detail)
}

#[test]
fn m50_m51_the_ingress_is_told_from_the_application_and_a_quota_from_a_rate() {
    let kind = |code, head: &[(&str, &str)], body: Value| refused(code, head, &body).0;
    assert_eq!(kind(502, &[], json!({})), FailureKind::Transient);
    assert_eq!(kind(503, &[("x-request-id", "1")], json!({})), FailureKind::Service);
    assert_eq!(kind(504, &[("x-request-timeout-type", "user")], json!({})), FailureKind::Timeout);
    assert_eq!(kind(500, &[], json!({})), FailureKind::Service);
    assert_eq!(kind(429, &[], json!({ "error": { "code": "insufficient_quota" } })), FailureKind::Billing);
    assert_eq!(kind(429, &[], json!({ "error": { "code": "rpm" } })), FailureKind::RateLimited);
}

#[test]
fn m48_the_text_of_a_refusal_is_the_first_that_is_there() {
    let detail = |head: &[(&str, &str)], body: Value| refused(422, head, &body).2;
    assert_eq!(detail(&[], json!({ "detail": [{ "msg": "no" }] })).as_deref(), Some("no"));
    assert_eq!(detail(&[], json!({ "detail": "bad" })).as_deref(), Some("bad"));
    assert_eq!(detail(&[("x-error", "odd")], json!({})).as_deref(), Some("odd"));
    let coded = detail(&[], json!({ "detail": "bad", "error": { "code": 7 } }));
    assert_eq!(coded.as_deref(), Some("7: bad"));
}

#[test]
fn m51_a_hint_outweighs_the_kind_and_garbage_is_none() {
    let again = |code, value: &str| refused(code, &[("x-should-retry", value)], &json!({})).1;
    assert!(again(409, "true") && again(400, "TRUE") && !again(503, "false"));
    assert!(again(429, "perhaps") && !again(400, "perhaps"));
    assert!(!refused(503, &[], &json!({ "retry": false })).1, "a boolean of the body is one too");
}
