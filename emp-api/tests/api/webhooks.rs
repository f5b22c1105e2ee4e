//! The calls of services: who may, and that nothing is learnt by trying.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::http::{HeaderMap, Request};
use emp_api::{ApiState, Auth, Limits, TOKEN_VARIABLE, router};
use emp_core::job::{Call, EventKind, Job, JobId};
use emp_core::{Connector, Secret, Timestamp};
use emp_engine::webhook::{Prover, Receivers, Webhooks};
use emp_store::Store as _;
use tower::ServiceExt as _;

use crate::support::{Api, catalog};

const KEY: &str = "0123456789abcdef0123";

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// The connector of the support module's submits, with calls that are signed.
#[derive(Connector)]
#[connector(service = "my-service", version = "1.0.0", unregistered)]
#[http(base = "https://api.example.com")]
#[auth(none)]
#[submit(post = "/jobs", json { "webhook": webhook.url? }, capture(id = "$.id"), at_most_once)]
#[poll(get = "/jobs/{job.id}", echo = "$.id")]
#[states(at = "$.status", succeeded = ["done"], unknown = running(warn))]
#[webhook(verify = standard_webhooks(secret), body = same_as_poll, events = ["end"], event = "$.type")]
struct MyServiceConnector {
    #[env("MY_SERVICE_WEBHOOK_SECRET", optional)]
    secret: Option<Secret>,
}

fn receivers() -> Receivers {
    let env = BTreeMap::from([("MY_SERVICE_WEBHOOK_SECRET".to_owned(), SECRET.to_owned())]);
    Receivers::of([MyServiceConnector::SPEC], &env).expect("a secret")
}

/// What a service sends with a call.
fn signed(id: &str, body: &str, at: Timestamp) -> HeaderMap {
    let http = MyServiceConnector::SPEC.http().expect("a declared protocol");
    let verify = http.webhook.as_ref().and_then(|webhook| webhook.verify.as_ref()).expect("a way");
    Prover::new(verify, &Secret::new(SECRET)).expect("a secret").sign(id, body.as_bytes(), at)
}

/// An API that takes calls, and the path at which it is called for a job.
async fn called(api: &Api, path: &str, body: String) -> u16 {
    called_with(api, path, Receivers::default(), HeaderMap::new(), body).await
}

async fn called_with(api: &Api, path: &str, receivers: Receivers, headers: HeaderMap, body: String) -> u16 {
    // As every other call it would need this token.
    let token = [(TOKEN_VARIABLE.to_owned(), "a-token-of-the-api-0123456789".to_owned())];
    let auth = Auth::from_env(&BTreeMap::from(token));
    let limits = Limits { body: 1000, ..Limits::default() };
    let state = ApiState::with(api.store.clone(), catalog(), auth, limits);
    let router = router(state.webhooks(Secret::new(KEY), receivers));
    let mut request =
        Request::post(path).header("host", "queue.example.com").body(Body::from(body)).expect("a request");
    request.headers_mut().extend(headers);
    router.oneshot(request).await.expect("an answer").status().as_u16()
}

fn path(id: &JobId, key: &str) -> String {
    let url = Webhooks::new("http://localhost".parse().expect("a URL"), Secret::new(key)).url(id);
    url.strip_prefix("http://localhost").expect("below it").to_owned()
}

#[tokio::test]
async fn m58_a_call_with_the_token_of_its_job_needs_no_other_and_says_look_now() {
    let api = Api::new();
    let id = api.job().await;
    let claim = api.claim().await;
    api.submitted(&claim).await;
    assert_eq!(called(&api, &path(&id, KEY), r#"{"status":"succeeded"}"#.to_owned()).await, 204);
    let events = api.store.events(&id, 0).await.expect("events").expect("a job");
    assert_eq!(events.iter().filter(|event| event.kind == EventKind::WebhookReceived).count(), 1);
    let job = api.store.get(&id).await.expect("a store").expect("a job");
    assert!(!job.state.terminal(), "what the call says is not believed");
}

#[tokio::test]
async fn m58_a_forged_call_is_told_what_an_unknown_one_is() {
    let api = Api::new();
    let id = api.job().await;
    let other = JobId::random();
    for forged in [
        path(&id, "another key of that length"),
        path(&id, KEY).replace(id.as_str(), other.as_str()),
        format!("/api/webhooks/{id}/0"),
        "/api/webhooks/not-a-job/00".to_owned(),
    ] {
        assert_eq!(called(&api, &forged, String::new()).await, 404, "{forged}");
    }
    // A job of which nothing is out: the service may be late, and is not told to try again.
    assert_eq!(called(&api, &path(&id, KEY), String::new()).await, 204);
    assert_eq!(called(&api, &path(&id, KEY), "x".repeat(2000)).await, 413);
    let unready = api.post(&path(&id, KEY), &serde_json::Value::Null).await;
    assert_eq!(unready.status, 404, "an API without a key takes no calls");
}

/// A job that is out at its service, as the store has it.
async fn out(api: &Api) -> JobId {
    let id = api.job().await;
    let claim = api.claim().await;
    api.submitted(&claim).await;
    id
}

async fn stored(api: &Api, id: &JobId) -> Job {
    api.store.get(id).await.expect("a store").expect("a job")
}

#[tokio::test]
async fn m58_a_call_with_the_right_signature_is_kept_for_whoever_has_the_job() {
    let api = Api::new();
    let id = out(&api).await;
    let (path, body) = (path(&id, KEY), r#"{"type":"end","id":"svc-1","status":"done"}"#);
    let headers = signed("msg_1", body, api.store.now());
    assert_eq!(called_with(&api, &path, receivers(), headers.clone(), body.to_owned()).await, 204);
    let before = stored(&api, &id).await;
    assert!(matches!(&before.call, Some(Call { body: Some(kept), .. }) if kept == body), "{:?}", before.call);
    assert!(!before.state.terminal(), "it is the worker that judges it");
    // The same message with a new moment and signature, as services send it when they got no answer.
    let again = signed("msg_1", body, Timestamp(api.store.now().0 + 60_000));
    assert_eq!(called_with(&api, &path, receivers(), again, body.to_owned()).await, 204);
    assert_eq!(stored(&api, &id).await, before, "what was heard is not heard again");
    let start = r#"{"type":"start","id":"svc-1","status":"running"}"#;
    let headers = signed("msg_2", start, api.store.now());
    assert_eq!(called_with(&api, &path, receivers(), headers, start.to_owned()).await, 204);
    assert_eq!(stored(&api, &id).await, before, "nobody asked for this event");
}

#[tokio::test]
async fn m58_a_wrong_missing_or_stale_signature_is_401_and_changes_nothing() {
    let api = Api::new();
    let id = out(&api).await;
    let before = stored(&api, &id).await;
    let body = r#"{"type":"end","id":"svc-1","status":"done"}"#;
    let now = api.store.now();
    let other = r#"{"type":"end","id":"svc-1","status":"failed"}"#;
    let cases = [
        ("none", HeaderMap::new()),
        ("of another body", signed("msg_1", other, now)),
        ("six minutes old", signed("msg_1", body, Timestamp(now.0 - 360_000))),
        ("six minutes ahead", signed("msg_1", body, Timestamp(now.0 + 360_000))),
    ];
    for (what, headers) in cases {
        let code = called_with(&api, &path(&id, KEY), receivers(), headers, body.to_owned()).await;
        assert_eq!(code, 401, "{what}");
        assert_eq!(stored(&api, &id).await, before, "{what}");
    }
    let headers = signed("msg_1", body, now);
    let huge = "x".repeat(2000);
    assert_eq!(called_with(&api, &path(&id, KEY), receivers(), headers, huge).await, 413);
    let forged = path(&id, "another key of that length");
    let headers = signed("msg_1", body, now);
    assert_eq!(
        called_with(&api, &forged, receivers(), headers, body.to_owned()).await,
        404,
        "a token comes first"
    );
    assert_eq!(stored(&api, &id).await, before);
}
