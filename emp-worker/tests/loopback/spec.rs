//! A connector of a polled service, written by hand.

use std::sync::OnceLock;
use std::time::Duration;

use emp_core::spec::{
    Auth, Base, Body, Cancel, Capture, ConnectorSpec, Download, Errors, Follow, HttpProtocol, KeyPlace,
    Limits, Outcome, Pace, PayloadSchema, Poll, Protocol, RequestSpec, Settle, SourceLocation, StateSet,
    States, Submit, Take, Unknown, UrlSpec,
};
use emp_core::syntax::hole::Hole;
use emp_core::syntax::json::{Json, Member};
use emp_core::syntax::jsonpath::JsonPath;
use emp_core::syntax::rule::{CodePattern, FailureKind, StateVerdict};
use emp_core::syntax::selector::{Selector, Source};
use emp_core::syntax::template::Template;

/// `POST /jobs`, `GET /jobs/{id}`, `POST /jobs/{id}/cancel`; submits with one idempotency key are one.
pub(crate) fn spec() -> &'static ConnectorSpec {
    static SPEC: OnceLock<ConnectorSpec> = OnceLock::new();
    SPEC.get_or_init(|| ConnectorSpec {
        name: "PolledConnector",
        services: &["polled"],
        version: "1.0.0",
        description: "",
        source: SourceLocation { file: file!(), line: line!(), lines: 1 },
        fingerprint: 42,
        env: &[],
        payload: PayloadSchema::Any,
        output: None,
        pace: Pace {
            first: Duration::from_millis(20),
            min: Duration::from_millis(20),
            max: Duration::from_millis(50),
            ..Pace::DEFAULT
        },
        limits: Limits::DEFAULT,
        openapi: None,
        protocol: Protocol::Http(http()),
    })
}

fn http() -> HttpProtocol {
    HttpProtocol {
        base: Base::Template(template("http://127.0.0.1:1/v1")),
        allow_hosts: &[],
        follow: Follow::SelfOnly,
        download: Download::DEFAULT,
        auth: Auth::None,
        submit: submit(),
        poll: Some(Poll {
            request: request("GET", "/jobs/{job.id}", Body::None),
            progress: one(at("$.progress")),
            progress_text: &[],
            queue_position: &[],
            eta: &[],
            logs: &[],
            ..Poll::DEFAULT
        }),
        states: states(),
        outcome: Outcome { take: Take { json: one(at("$.result")), ..Take::DEFAULT }, ..Outcome::DEFAULT },
        errors: Errors { message: one(at("$.error")), ..Errors::DEFAULT },
        cancel: Some(Cancel {
            request: Some(request("POST", "/jobs/{job.id}/cancel", Body::None)),
            ok: &[],
            too_late: &[CodePattern::Exact(409)],
            gone: &[CodePattern::Exact(404)],
            ..Cancel::DEFAULT
        }),
        health: None,
        ..HttpProtocol::DEFAULT
    }
}

fn submit() -> Submit {
    let tag = Json::Hole(Hole::parse("queue.job_id").expect("a hole"));
    Submit {
        request: request(
            "POST",
            "/jobs",
            Body::Json(Json::Object(vec![Member::Field { name: "tag".into(), value: tag }].into())),
        ),
        accept: &[CodePattern::Exact(202)],
        capture: one(Capture { name: "id", from: one(at("$.job.id")) }),
        feeds_poll: false,
        hold: None,
        billable: true,
        settle: Settle::Idempotent { key: KeyPlace::Header("idempotency-key"), ttl: Duration::from_hours(1) },
        rejects: &[],
        ..Submit::DEFAULT
    }
}

fn states() -> States {
    let sets = [
        (StateVerdict::Queued, "queued"),
        (StateVerdict::Running, "running"),
        (StateVerdict::Succeeded, "done"),
        (StateVerdict::Failed { kind: FailureKind::Service, message: None }, "failed"),
        (StateVerdict::Canceled, "cancelled"),
    ];
    let sets: Vec<_> =
        sets.into_iter().map(|(verdict, word)| StateSet { verdict, words: one(word) }).collect();
    States {
        at: one(at("$.status")),
        fold_case: false,
        sets: sets.leak(),
        unknown: Unknown::Running,
        judge: None,
        rules: &[],
    }
}

fn request(method: &'static str, path: &str, body: Body) -> RequestSpec {
    RequestSpec { method, url: UrlSpec::Path(template(path)), body, ..RequestSpec::DEFAULT }
}

fn template(text: &str) -> Template {
    Template::parse(text).expect("a template")
}

fn at(path: &str) -> Selector {
    Selector { source: Source::Path(JsonPath::parse(path).expect("a path")), reducers: Vec::new().into() }
}

/// The spec lives as long as the test.
fn one<T>(item: T) -> &'static [T] {
    vec![item].leak()
}
