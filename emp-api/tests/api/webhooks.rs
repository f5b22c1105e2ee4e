//! The calls of services: who may, and that nothing is learnt by trying.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::http::Request;
use emp_api::{ApiState, Auth, Limits, TOKEN_VARIABLE, router};
use emp_core::Secret;
use emp_core::job::{EventKind, JobId};
use emp_engine::webhook::Webhooks;
use emp_store::Store as _;
use tower::ServiceExt as _;

use crate::support::{Api, catalog};

const KEY: &str = "0123456789abcdef0123";

/// An API that takes calls, and the path at which it is called for a job.
async fn called(api: &Api, path: &str, body: String) -> u16 {
    // As every other call it would need this token.
    let token = [(TOKEN_VARIABLE.to_owned(), "a-token-of-the-api-0123456789".to_owned())];
    let auth = Auth::from_env(&BTreeMap::from(token));
    let limits = Limits { body: 1000, ..Limits::default() };
    let state = ApiState::with(api.store.clone(), catalog(), auth, limits);
    let router = router(state.webhooks(Secret::new(KEY)));
    let request =
        Request::post(path).header("host", "queue.example.com").body(Body::from(body)).expect("a request");
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
