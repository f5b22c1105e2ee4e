//! M62: a function of the author's at one place, the rest of the language around it.

use std::collections::BTreeMap;

use emp_core::connector::Entry;
use emp_core::hook::{Answer, FailureKind, Known, StateVerdict, Value};
use emp_core::{Connector, Timestamp};
use emp_engine::context::Context;
use emp_engine::decide::{Verdict, decide};
use emp_engine::exchange::Exchange;
use emp_engine::memory::{Memory, Stage};
use emp_engine::outcome;
use emp_engine::progress;
use emp_engine::request;
use emp_engine::select::View;
use http::HeaderMap;
use serde_json::json;

use crate::support::{job, submitted};

/// Hooks at every place.
#[derive(Connector)]
#[connector(service = "hooked", version = "1.0.0", unregistered)]
#[http(base = "https://api.example.com")]
#[auth(none)]
#[submit(
    post = "/jobs",
    json { "graph": with(Self::graph), "seed": with(Self::nothing), ..with(Self::options) },
    capture(id = with(Self::id)),
    at_most_once,
)]
#[poll(get = "/jobs/{job.id}", progress = with(Self::steps) | percent)]
#[states(
    at = "$.status", running = ["working"], succeeded = ["done"], unknown = running(warn),
    rules(with(Self::judge), with(Self::id) == "gone" => lost),
)]
#[outcome(json = [with(Self::result), "$.result"])]
#[errors(with(Self::classify), 4xx => auth)]
struct Hooked {}

impl Hooked {
    fn graph(known: &Known<'_>) -> Option<Value> {
        Some(Value::from(known.get("payload.prompt")?.as_str()?.to_uppercase()))
    }

    fn nothing(known: &Known<'_>) -> Option<Value> {
        known.get("payload.seed").map(|_| Value::Null)
    }

    fn options(known: &Known<'_>) -> Option<Value> {
        known.get("payload.options")
    }

    fn id(answer: &Answer<'_>) -> Option<Value> {
        answer.header("Location")?.rsplit('/').next().map(Value::from)
    }

    fn steps(answer: &Answer<'_>) -> Option<Value> {
        answer.pointer("/steps").cloned()
    }

    fn judge(answer: &Answer<'_>) -> Option<StateVerdict> {
        (answer.pointer("/status")? == "broken")
            .then_some(StateVerdict::Failed { kind: FailureKind::Moderated, message: None })
    }

    fn result(answer: &Answer<'_>) -> Option<Value> {
        answer.pointer("/files").cloned()
    }

    fn classify(answer: &Answer<'_>) -> Option<FailureKind> {
        answer.text.contains("credit").then_some(FailureKind::Billing)
    }
}

fn looked<R>(code: u16, body: &Value, location: Option<&str>, act: impl FnOnce(&View<'_>) -> R) -> R {
    let connector = Entry::of::<Hooked>().load(&BTreeMap::new()).unwrap();
    let job = submitted("j1");
    let context = Context::of(&job, &connector, "key");
    let mut headers = HeaderMap::new();
    headers.extend(location.map(|location| (http::header::LOCATION, location.parse().unwrap())));
    let exchange = Exchange::new(code, headers, body.to_string().as_bytes());
    let memory = Memory::default();
    act(&View { exchange: &exchange, context: &context, memory: &memory, now: Timestamp(1_700_000_060_000) })
}

#[test]
fn m62_a_hook_makes_a_value_and_members_of_a_body_and_null_leaves_them_out() {
    let connector = Entry::of::<Hooked>().load(&BTreeMap::new()).unwrap();
    let http = Hooked::SPEC.http().unwrap();
    let body = |payload: Value| {
        let job = job(payload);
        let request = request::submit(http, &http.submit, &Context::of(&job, &connector, "key"));
        request.map(|request| serde_json::from_slice::<Value>(&request.body.unwrap()).unwrap())
    };
    let payload = json!({ "prompt": "a cat", "seed": 7, "options": { "size": 4 } });
    assert_eq!(body(payload).unwrap(), json!({ "graph": "A CAT", "size": 4 }));
    assert_eq!(body(json!({})).unwrap(), json!({}));
    let error = body(json!({ "prompt": "a", "options": 4 })).unwrap_err();
    assert!(error.message.contains("with(Self::options)"), "{error}");
}

#[test]
fn m62_a_hook_finds_a_value_of_an_answer() {
    let http = Hooked::SPEC.http().unwrap();
    looked(200, &json!({ "steps": 40, "files": ["a"] }), Some("/jobs/j9"), |view| {
        assert_eq!(outcome::captured(http.submit.capture, view)["id"], "j9");
        let progress = progress::Places::of(http.poll.as_ref().unwrap()).read(view).unwrap();
        assert!((progress.fraction.unwrap() - 0.4).abs() < 1e-9);
        assert_eq!(outcome::take(&http.outcome.take, view, |_| false).unwrap().json, Some(json!(["a"])));
    });
    looked(200, &json!({ "result": "b" }), None, |view| {
        assert_eq!(
            outcome::take(&http.outcome.take, view, |_| false).unwrap().json,
            Some(json!("b")),
            "the next of the fallback list"
        );
    });
}

#[test]
fn m62_a_hook_judges_before_the_rules_and_leaves_the_rest_to_them() {
    let http = Hooked::SPEC.http().unwrap();
    let verdict = |status: &str, location| {
        looked(200, &json!({ "status": status }), location, |view| decide(http, view))
    };
    assert!(matches!(verdict("broken", None), Verdict::Failed { kind: FailureKind::Moderated, .. }));
    assert_eq!(verdict("working", None), Verdict::Pending(Stage::Running));
    assert_eq!(verdict("working", Some("/jobs/gone")), Verdict::Lost, "a hook may also stand in a rule");
    assert_eq!(verdict("done", None), Verdict::Succeeded);
}

#[test]
fn m62_a_hook_classifies_a_refusal_before_the_rules_do() {
    let http = Hooked::SPEC.http().unwrap();
    let kind = |text: &str| match looked(400, &json!({ "error": text }), None, |view| decide(http, view)) {
        Verdict::Refused(refusal) => (refusal.kind, refusal.declared),
        verdict => panic!("{verdict:?}"),
    };
    assert_eq!(kind("out of credit"), (FailureKind::Billing, true));
    assert_eq!(kind("who are you"), (FailureKind::Auth, true));
}
