//! A connector written by hand, and an HTTP client of thirty lines.

use std::borrow::Cow;
use std::time::Duration;

use emp_core::error::FailureKind;
use emp_core::spec::{
    Auth, AuthPart, Base, Body, Cancel, Capture, ConnectorSpec, Download, DurationUnit, EnvField, EnvKind,
    Errors, Follow, HealthProbe, HttpProtocol, KeyPlace, Limits, Outcome, Pace, PayloadSchema, Poll,
    Protocol, RequestSpec, Settle, SourceLocation, StateSet, States, Submit, Take, Unknown, UrlSpec,
};
use emp_core::syntax::hole::{Hole, Literal, Reference, Root, Step};
use emp_core::syntax::json::{Json, Member};
use emp_core::syntax::jsonpath::{JsonPath, PathSelector, Segment};
use emp_core::syntax::rule::{CodePattern, Comparison, ErrorRule, Predicate, StateVerdict};
use emp_core::syntax::selector::{Reducer, Selector, Source};
use emp_core::syntax::template::{Part, Template};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

fn leak<T>(items: impl IntoIterator<Item = T>) -> &'static [T] {
    Vec::leak(items.into_iter().collect())
}

/// `$.a.b`
pub(crate) fn at(names: &[&'static str], reducers: Vec<Reducer>) -> Selector {
    let child = |name: &&'static str| Segment::Child(vec![PathSelector::Name(Cow::Borrowed(*name))].into());
    Selector {
        source: Source::Path(JsonPath { segments: names.iter().map(child).collect() }),
        reducers: reducers.into(),
    }
}

fn hole(root: Root, name: &'static str) -> Hole {
    let reference = Reference { root, path: vec![Step::Name(name.into())].into() };
    Hole { reference, optional: false, default: None }
}

fn text(literal: &'static str) -> Part {
    Part::Literal(literal.into())
}

fn path(parts: Vec<Part>) -> UrlSpec {
    UrlSpec::Path(Template { parts: parts.into() })
}

fn job_path(before: &'static str, after: &'static str) -> UrlSpec {
    let id = Part::Hole { hole: hole(Root::Job, "id"), reserved: false };
    path([text(before), id, text(after)].into_iter().filter(|part| *part != text("")).collect())
}

fn request(method: &'static str, url: UrlSpec, body: Body) -> RequestSpec {
    let timeout = Some(emp_core::spec::Setting::Fixed(Duration::from_millis(150)));
    RequestSpec { method, url, body, timeout, ..RequestSpec::DEFAULT }
}

/// How a spec of these tests differs from the plain one.
pub(crate) struct Shape {
    /// The settle rule.
    pub(crate) settle: Settle,
    /// No poll: the answer to the submit is the result.
    pub(crate) sync: bool,
    /// Poll and cancel URLs come from the service.
    pub(crate) captured_urls: bool,
}

impl Default for Shape {
    fn default() -> Self {
        Self { settle: idempotent(), sync: false, captured_urls: false }
    }
}

/// The settle rule of a service that merges by a header.
pub(crate) fn idempotent() -> Settle {
    Settle::Idempotent { key: KeyPlace::Header("idempotency-key"), ttl: Duration::from_hours(1) }
}

/// A connector in the manner of the guide's MyService, below `/v1`.
pub(crate) fn spec(shape: Shape) -> &'static ConnectorSpec {
    let field = |field, variable, kind, default: Option<&'static str>| EnvField {
        field,
        variable,
        kind,
        required: default.is_none(),
        default,
        range: None,
        unit: DurationUnit::Seconds,
        description: "",
    };
    Box::leak(Box::new(ConnectorSpec {
        name: "ByHand",
        services: &["by-hand"],
        version: "1.0.0",
        description: "",
        source: SourceLocation { file: file!(), line: line!(), lines: 1 },
        fingerprint: 1,
        env: leak([
            field("key", "BY_HAND_KEY", EnvKind::Secret, None),
            field("base_url", "BY_HAND_URL", EnvKind::Url, Some("https://by-hand.example/v1")),
        ]),
        payload: PayloadSchema::Any,
        output: Some(|| json!({ "type": "object", "properties": { "output": { "const": "done" } } })),
        pace: Pace::DEFAULT,
        limits: Limits::DEFAULT,
        openapi: None,
        protocol: Protocol::Http(http(shape)),
    }))
}

fn http(shape: Shape) -> HttpProtocol {
    let own_url = |name| UrlSpec::Captured(hole(Root::Job, name).reference);
    let (poll_url, cancel_url) = if shape.captured_urls {
        (own_url("poll_url"), own_url("cancel_url"))
    } else {
        (job_path("/jobs/", ""), job_path("/jobs/", "/cancel"))
    };
    let idle = at(&["idle"], vec![]);
    HttpProtocol {
        base: Base::Env("base_url"),
        allow_hosts: &[],
        follow: Follow::SelfOnly,
        download: Download::DEFAULT,
        auth: Auth::Header {
            name: "authorization",
            value: leak([AuthPart::Literal("Bearer "), AuthPart::Field("key")]),
        },
        poll: (!shape.sync).then(|| poll(poll_url)),
        states: states(shape.sync),
        outcome: Outcome {
            take: Take { json: leak([at(&["result"], vec![])]), ..Take::DEFAULT },
            ..Outcome::DEFAULT
        },
        errors: Errors {
            message: leak([at(&["error"], vec![])]),
            code: &[],
            classify: None,
            retry: &[],
            rules: leak([
                rule(401, FailureKind::Auth, vec![]),
                rule(429, FailureKind::RateLimited, vec![retry_after()]),
                rule(422, FailureKind::InvalidInput, vec![]),
            ]),
        },
        cancel: Some(Cancel {
            request: Some(request("POST", cancel_url, Body::None)),
            ok: &[],
            too_late: &[CodePattern::Exact(409)],
            gone: &[CodePattern::Exact(404)],
            ..Cancel::DEFAULT
        }),
        health: Some(HealthProbe {
            request: request("GET", path(vec![text("/health")]), Body::None),
            every: Duration::from_secs(30),
            ready: Some(Predicate::Compare { selector: idle, op: Comparison::Gt, value: Literal::Int(0) }),
            metrics: &[],
        }),
        stream: None,
        submit: submit(shape),
        ..HttpProtocol::DEFAULT
    }
}

fn submit(shape: Shape) -> Submit {
    let body = Json::Object(
        [("input", hole(Root::Payload, "input")), ("job_id", hole(Root::Queue, "job_id"))]
            .into_iter()
            .map(|(name, hole)| Member::Field { name: name.into(), value: Json::Hole(hole) })
            .collect(),
    );
    let capture = |name, names: &[&'static str]| Capture { name, from: leak([at(names, vec![])]) };
    let id = (!shape.sync).then(|| capture("id", &["job", "id"]));
    let urls = [capture("poll_url", &["urls", "get"]), capture("cancel_url", &["urls", "cancel"])];
    Submit {
        request: request("POST", path(vec![text("/process")]), Body::Json(body)),
        accept: &[CodePattern::Exact(202)],
        capture: leak(id.into_iter().chain(urls.into_iter().filter(|_| shape.captured_urls))),
        feeds_poll: false,
        hold: None,
        billable: true,
        settle: shape.settle,
        rejects: &[CodePattern::Exact(503)],
        ..Submit::DEFAULT
    }
}

fn poll(url: UrlSpec) -> Poll {
    Poll {
        request: request("GET", url, Body::None),
        progress: leak([at(&["progress"], vec![Reducer::Percent, Reducer::Between(0.3, 0.9)])]),
        progress_text: leak([at(&["message"], vec![])]),
        queue_position: &[],
        eta: &[],
        logs: &[],
        ..Poll::DEFAULT
    }
}

fn states(sync: bool) -> States {
    let set = |verdict, words| StateSet { verdict, words };
    let failed = |kind| StateVerdict::Failed { kind, message: None };
    let sets = [
        set(StateVerdict::Queued, &["queued"]),
        set(StateVerdict::Running, &["processing"]),
        set(StateVerdict::Succeeded, &["completed"]),
        set(failed(FailureKind::Service), &["failed"]),
        set(failed(FailureKind::Moderated), &["moderated"]),
        set(StateVerdict::Canceled, &["cancelled"]),
    ];
    States {
        at: leak((!sync).then(|| at(&["status"], vec![]))),
        fold_case: false,
        sets: leak(sets.into_iter().filter(|_| !sync)),
        unknown: Unknown::Running,
        judge: None,
        rules: &[],
    }
}

fn rule(code: u16, kind: FailureKind, wait: Vec<Selector>) -> ErrorRule {
    ErrorRule { codes: vec![CodePattern::Exact(code)].into(), when: None, kind, wait: wait.into() }
}

fn retry_after() -> Selector {
    Selector { source: Source::Header("retry-after".into()), reducers: Cow::Borrowed(&[]) }
}

/// An answer, as far as it came.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The status code; 0 when the connection closed without one.
    pub(crate) code: u16,
    /// The head, in lower case.
    pub(crate) head: String,
    /// The body.
    pub(crate) body: Value,
}

/// Sends one request with the credential of these tests; `headers` are whole lines.
pub(crate) async fn send(url: &url::Url, method: &str, path: &str, headers: &[&str], body: &str) -> Answer {
    send_raw(url, method, path, &[&["Authorization: Bearer k"], headers].concat(), body).await
}

/// Sends one request.
pub(crate) async fn send_raw(
    url: &url::Url,
    method: &str,
    path: &str,
    headers: &[&str],
    body: &str,
) -> Answer {
    let port = url.port().expect("a fake has a port");
    let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.expect("connects");
    let lines: String = headers.iter().flat_map(|line| [*line, "\r\n"]).collect();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\nContent-Length: {}\r\n{lines}\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.expect("sends");
    let mut received = Vec::new();
    let whole = stream.read_to_end(&mut received).await;
    let text = String::from_utf8_lossy(&received).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_default();
    let code = head.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
    let body = whole.ok().and_then(|_| serde_json::from_str(body).ok()).unwrap_or_default();
    Answer { code, head: head.to_lowercase(), body }
}
