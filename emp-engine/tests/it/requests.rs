//! Table B: paths, headers and templates.

use emp_core::ErrorCode;
use emp_core::connector::Loaded;
use emp_core::job::{Job, ServiceJob};
use emp_core::spec::{Body, Pair, PairValue, RequestSpec, UrlSpec};
use emp_engine::context::Context;
use emp_engine::key;
use emp_engine::request::{OutboundRequest, request};
use emp_syntax::hole::{Hole, HoleDefault, Literal, Root};
use emp_syntax::json::{Json, Member};
use serde_json::{Value, json};

use crate::support::{
    declared, hole, job, job_path, list, path, reference, request as spec, submitted, template,
};

fn build(spec: &RequestSpec, job: &Job) -> Result<OutboundRequest, emp_core::JobError> {
    let connector = declared().loaded("https://api.x.com/v1");
    build_with(&connector, spec, job)
}

fn build_with(
    connector: &Loaded,
    spec: &RequestSpec,
    job: &Job,
) -> Result<OutboundRequest, emp_core::JobError> {
    request(connector.spec.http().unwrap(), spec, &Context::of(job, connector, "the-key"))
}

fn url_of_id(id: &str) -> Result<String, ErrorCode> {
    let poll = spec("GET", job_path("/jobs/", "/status"));
    build(&poll, &submitted(id)).map(|request| request.url.to_string()).map_err(|error| error.code)
}

fn url_of_payload(value: impl Into<Value>, reserved: bool) -> Result<String, ErrorCode> {
    let place =
        UrlSpec::Path(template("/models/", Some((hole(Root::Payload, &["model"]), reserved)), "/run"));
    build(&spec("POST", place), &job(json!({ "model": value.into() })))
        .map(|request| request.url.to_string())
        .map_err(|error| error.code)
}

#[test]
fn i21_dot_segments_and_their_spellings_are_never_sent() {
    for id in ["../admin", "..", ".", "", "%2e%2e", "..%2f..", "%252e%252e", "%2E"] {
        assert_eq!(url_of_id(id), Err(ErrorCode::EBadServiceId), "{id:?}");
    }
    for model in ["../admin", "..", ".", "", "%2e%2e", "..%2f..", "%252e%252e", "a/../b", "%252f"] {
        assert_eq!(url_of_payload(model, false), Err(ErrorCode::EInvalidInput), "{model:?}");
        assert_eq!(url_of_payload(model, true), Err(ErrorCode::EInvalidInput), "{{+}} {model:?}");
    }
}

#[test]
fn i22_an_id_is_one_segment_or_refused() {
    let long = "x".repeat(10_000);
    for id in ["a/b", "a?x=1", "a#f", "a;b", "a\\b", "a b", "é", &long] {
        assert_eq!(url_of_id(id), Err(ErrorCode::EBadServiceId), "{id:?}");
    }
    assert_eq!(
        url_of_id("a.b_c~d:e@f-g").as_deref(),
        Ok("https://api.x.com/v1/jobs/a.b_c~d%3Ae%40f-g/status")
    );
    for (value, url) in [
        ("a?x=1", "https://api.x.com/v1/models/a%3Fx%3D1/run"),
        ("a#f", "https://api.x.com/v1/models/a%23f/run"),
        ("a b", "https://api.x.com/v1/models/a%20b/run"),
        ("é", "https://api.x.com/v1/models/%C3%A9/run"),
        ("@evil.com", "https://api.x.com/v1/models/%40evil.com/run"),
    ] {
        assert_eq!(url_of_payload(value, false).as_deref(), Ok(url));
    }
    assert_eq!(
        url_of_payload("owner/model:1", true).as_deref(),
        Ok("https://api.x.com/v1/models/owner/model:1/run"),
        "a declared path keeps its slashes"
    );
    for value in ["/a", "a/", "a//b", "//evil.com"] {
        assert_eq!(url_of_payload(value, true), Err(ErrorCode::EInvalidInput), "{value}");
    }
}

#[test]
fn i23_controls_and_invisible_characters_are_refused() {
    for bad in ["a\0b", "a\tb", "a\rb", "a\nb", "a\u{202e}b", "\u{feff}a"] {
        assert_eq!(url_of_id(bad), Err(ErrorCode::EBadServiceId), "{bad:?}");
        assert_eq!(url_of_payload(bad, false), Err(ErrorCode::EInvalidInput), "{bad:?}");
    }
}

#[test]
fn i24_an_id_is_exact_text_or_none() {
    let id = |text: &str| emp_engine::outcome::id(&serde_json::from_str::<Value>(text).unwrap());
    assert_eq!(id("12345678901234567").as_deref(), Some("12345678901234567"));
    assert_eq!(id("\"1e3\"").as_deref(), Some("1e3"));
    for refused in ["12345678901234567890123", "1e3", "-0.0", "true", "null", "[]", "{}", "\"\""] {
        assert_eq!(id(refused), None, "{refused}");
    }
    assert_eq!(url_of_payload(json!(1.5e300), false), Err(ErrorCode::EInvalidInput));
}

fn with_header(value: &str) -> Result<OutboundRequest, emp_core::JobError> {
    let pair = Pair { name: "x-model", value: PairValue::Hole(hole(Root::Payload, &["model"])) };
    let request = RequestSpec { headers: list(vec![pair]), ..spec("POST", path("/jobs")) };
    build(&request, &job(json!({ "model": value })))
}

#[test]
fn i25_a_header_never_gets_a_second_line() {
    for bad in ["x\r\nX-Evil: 1", "x\ny", "é", "\u{7f}", &"x".repeat(100 << 10)] {
        assert!(with_header(bad).is_err(), "{bad:.20}");
    }
    assert!(with_header("plain text").is_ok());
}

#[test]
fn i26_a_value_is_never_expanded_again() {
    for literal in ["{{env.SECRET}}", "${API_KEY}", "{env:PATH}", "{payload.model}"] {
        let body =
            Body::Json(Json::Text(template("model ", Some((hole(Root::Payload, &["model"]), false)), "")));
        let request = RequestSpec { body, ..spec("POST", path("/jobs")) };
        let built = build(&request, &job(json!({ "model": literal }))).unwrap();
        assert_eq!(built.body.unwrap(), format!("\"model {literal}\""));
    }
}

#[test]
fn a_missing_required_hole_names_its_path() {
    let error = build(&declared().http.submit.request, &job(json!({}))).unwrap_err();
    assert_eq!(error.code, ErrorCode::EInvalidInput);
    assert_eq!(error.message, "payload.prompt has no value");
}

fn field(name: &'static str, value: Json) -> Member {
    Member::Field { name: name.into(), value }
}

#[test]
fn p03_typed_holes_keep_types_and_give_the_same_bytes_each_time() {
    let optional = Hole { optional: true, ..hole(Root::Payload, &["seed"]) };
    let steps =
        Hole { default: Some(HoleDefault::Literal(Literal::Int(20))), ..hole(Root::Payload, &["steps"]) };
    let body = Json::Object(
        vec![
            field("prompt", Json::Hole(hole(Root::Payload, &["prompt"]))),
            field("seed", Json::Hole(optional)),
            field("steps", Json::Hole(steps)),
            Member::Spread(reference(Root::Payload, &["input"])),
            field("attempt", Json::Hole(hole(Root::Queue, &["attempt"]))),
            field("budget", Json::Hole(hole(Root::Queue, &["budget_secs"]))),
        ]
        .into(),
    );
    let request = RequestSpec { body: Body::Json(body), ..spec("POST", path("/jobs")) };
    let job =
        job(json!({ "prompt": ["not", "text"], "seed": null, "input": { "steps": 3, "b": 1, "a": 2 } }));
    let first = build(&request, &job).unwrap();
    assert_eq!(
        first.body.as_deref().unwrap(),
        br#"{"prompt":["not","text"],"steps":3,"b":1,"a":2,"attempt":1,"budget":3600}"#
    );
    for _ in 0..10 {
        assert_eq!(key::digest(&build(&request, &job).unwrap()), key::digest(&first));
    }
}

#[test]
fn a_spread_of_something_else_than_an_object_is_the_clients_error() {
    let body = Json::Object(vec![Member::Spread(reference(Root::Payload, &["input"]))].into());
    let request = RequestSpec { body: Body::Json(body), ..spec("POST", path("/jobs")) };
    let error = build(&request, &job(json!({ "input": [1] }))).unwrap_err();
    assert_eq!(error.code, ErrorCode::EInvalidInput);
}

#[test]
fn a_secret_is_not_reachable_through_a_hole() {
    let body = Body::Json(Json::Hole(hole(Root::Env, &["api_key"])));
    let request = RequestSpec { body, ..spec("POST", path("/jobs")) };
    assert_eq!(build(&request, &job(json!({}))).unwrap_err().code, ErrorCode::EBadRequest);
}

#[test]
fn a_body_over_its_limit_is_not_sent() {
    let mut declared = declared();
    declared.limits.max_body = Some(20);
    let connector = declared.loaded("https://api.x.com");
    let submit = &connector.spec.http().unwrap().submit.request;
    assert!(build_with(&connector, submit, &job(json!({ "prompt": "short" }))).is_ok());
    let error = build_with(&connector, submit, &job(json!({ "prompt": "x".repeat(100) }))).unwrap_err();
    assert_eq!(error.code, ErrorCode::EInvalidInput);
}

#[test]
fn i20_i04_a_captured_url_is_checked_before_anything_is_sent() {
    let poll = spec("GET", UrlSpec::Captured(reference(Root::Job, &["poll_url"])));
    let with = |url: &str| {
        let mut job = submitted("j1");
        let captured = [("poll_url".to_owned(), Value::from(url))].into_iter().collect();
        job.service_job = job.service_job.map(|service_job| ServiceJob { captured, ..service_job });
        build(&poll, &job).map(|request| request.url.to_string()).map_err(|error| error.code)
    };
    assert_eq!(with("https://API.x.com/v1/j1").as_deref(), Ok("https://api.x.com/v1/j1"));
    assert_eq!(with("https://api.x.com@evil.test/"), Err(ErrorCode::EOriginRefused));
}

#[test]
fn p03_a_key_is_the_same_for_an_attempt_and_another_for_the_next() {
    let job = job(json!({}));
    assert_eq!(key::derive(&job.id, 1), key::derive(&job.id, 1));
    assert_ne!(key::derive(&job.id, 1), key::derive(&job.id, 2));
    assert_eq!(key::derive(&job.id, 1).len(), 36);
    assert_eq!(&key::derive(&job.id, 1)[14..15], "8", "a UUID of our own making says so");
}

#[test]
fn i21_a_dot_segment_that_only_the_template_makes_whole_is_refused() {
    for (before, value) in [("/jobs/%2", "e"), ("/jobs/.%2", "e"), ("/jobs/%2e%2", "E")] {
        let hole = hole(Root::Payload, &["id"]);
        let spec =
            crate::support::request("DELETE", UrlSpec::Path(template(before, Some((hole, false)), "")));
        let built = build(&spec, &job(json!({ "id": value })));
        assert_eq!(
            built.map(|request| request.url.to_string()).map_err(|error| error.code),
            Err(ErrorCode::EBadRequest)
        );
    }
}
