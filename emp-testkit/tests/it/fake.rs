//! The fake service over loopback, from a declaration written by hand.

use std::sync::Arc;
use std::time::Duration;

use crate::support::{Shape, send, send_raw, spec};
use emp_core::spec::Settle;
use emp_core::time::ManualClock;
use emp_core::{EnvSource, Timestamp};
use emp_testkit::{Ending, FakeOptions, FakeService, Ledger, fake_env};
use serde_json::json;

const SUBMIT: &str = r#"{"input":"x","job_id":"q-1"}"#;

fn timed() -> (Arc<ManualClock>, FakeOptions) {
    let clock = Arc::new(ManualClock::at(Timestamp(1_000_000)));
    let options = FakeOptions {
        queued: Duration::from_secs(2),
        running: Duration::from_secs(10),
        clock: Arc::<ManualClock>::clone(&clock),
        ..FakeOptions::default()
    };
    (clock, options)
}

async fn start(options: FakeOptions) -> FakeService {
    FakeService::start(spec(Shape::default()), options).await.expect("starts")
}

#[tokio::test]
async fn a_job_goes_through_its_states_by_the_clock() {
    let (clock, options) = timed();
    let fake = start(options).await;
    let url = fake.base_url();
    assert_eq!(url.path(), "/v1");
    let submitted = send(&url, "POST", "/v1/process", &[], SUBMIT).await;
    assert_eq!((submitted.code, submitted.body), (202, json!({ "job": { "id": "fake-1" } })));
    let poll = || send(&url, "GET", "/v1/jobs/fake-1", &[], "");
    assert_eq!(poll().await.body["status"], "queued");
    clock.advance(Duration::from_secs(6));
    let running = poll().await.body;
    assert_eq!(
        (&running["status"], &running["progress"], &running["message"]),
        (&json!("processing"), &json!(40), &json!("40 %"))
    );
    clock.advance(Duration::from_secs(6));
    assert_eq!(
        poll().await.body,
        json!({ "job": { "id": "fake-1" }, "status": "completed", "result": { "output": "done" } })
    );
}

#[tokio::test]
async fn the_ledger_counts_what_was_accepted_and_merges_what_came_again() {
    let fake = start(FakeOptions::instant()).await;
    let url = fake.base_url();
    let key = ["Idempotency-Key: k-1"];
    let first = send(&url, "POST", "/v1/process", &key, SUBMIT).await;
    let again = send(&url, "POST", "/v1/process", &key, SUBMIT).await;
    assert_eq!(first.body, again.body);
    let other = send(&url, "POST", "/v1/process", &key, r#"{"input":"y"}"#).await;
    assert_eq!(other.code, 422);
    send(&url, "POST", "/v1/process", &["Idempotency-Key: k-2"], SUBMIT).await;
    let ledger = fake.ledger();
    assert_eq!((ledger.accepted(), ledger.merged(), ledger.conflicts), (2, 1, 1));
    assert_eq!(ledger.of_job("q-1").count(), 2);
    assert_eq!(ledger.most_for_one_job(), 2);

    let asked = send_raw(&fake.ledger_url(), "GET", "/__fake/ledger", &[], "").await;
    assert_eq!(serde_json::from_value::<Ledger>(asked.body).expect("a ledger"), ledger);
}

#[tokio::test]
async fn without_the_rule_every_submit_counts() {
    let fake = FakeService::start(
        spec(Shape { settle: Settle::AtMostOnce, ..Shape::default() }),
        FakeOptions::instant(),
    )
    .await
    .expect("starts");
    for _ in 0..2 {
        send(&fake.base_url(), "POST", "/v1/process", &["Idempotency-Key: k-1"], SUBMIT).await;
    }
    assert_eq!((fake.ledger().accepted(), fake.ledger().merged()), (2, 0));
}

#[tokio::test]
async fn a_request_without_the_credential_or_without_a_route_is_refused() {
    let fake = start(FakeOptions::instant()).await;
    let url = fake.base_url();
    for headers in [&[][..], &["Authorization: Basic k"], &["Authorization: Bearer "]] {
        assert_eq!(send_raw(&url, "POST", "/v1/process", headers, SUBMIT).await.code, 401, "{headers:?}");
    }
    assert_eq!(send(&url, "POST", "/process", &[], SUBMIT).await.code, 404);
    assert_eq!(send(&url, "PUT", "/v1/process", &[], SUBMIT).await.code, 404);
    assert_eq!(send(&url, "POST", "/v1/process", &[], "input=x").await.code, 400);
    assert_eq!(fake.ledger().accepted(), 0);
    assert_eq!(fake.requests().iter().filter(|request| !request.authorized).count(), 3);
}

#[tokio::test]
async fn captured_urls_lead_back_to_the_fake() {
    let (_, options) = timed();
    let fake = FakeService::start(spec(Shape { captured_urls: true, ..Shape::default() }), options)
        .await
        .expect("starts");
    let submitted = send(&fake.base_url(), "POST", "/v1/process", &[], SUBMIT).await;
    let url = |name: &str| {
        submitted.body["urls"][name].as_str().and_then(|url| url.parse::<url::Url>().ok()).expect(name)
    };
    let (get, cancel) = (url("get"), url("cancel"));
    assert_eq!(get.origin(), fake.base_url().origin());
    assert_eq!(send(&get, "GET", get.path(), &[], "").await.body["status"], "queued");
    assert_eq!(send(&cancel, "POST", cancel.path(), &[], "").await.body["status"], "cancelled");
    assert_eq!(send(&get, "GET", get.path(), &[], "").await.body["status"], "cancelled");
    assert_eq!(fake.unfinished(), 0);
}

#[tokio::test]
async fn a_cancel_is_refused_when_it_comes_too_late_or_names_no_job() {
    let fake = start(FakeOptions::instant()).await;
    let url = fake.base_url();
    send(&url, "POST", "/v1/process", &[], SUBMIT).await;
    assert_eq!(send(&url, "POST", "/v1/jobs/fake-1/cancel", &[], "").await.code, 409);
    assert_eq!(send(&url, "POST", "/v1/jobs/fake-9/cancel", &[], "").await.code, 404);
    assert_eq!(send(&url, "GET", "/v1/jobs/fake-9", &[], "").await.code, 404);
}

#[tokio::test]
async fn health_satisfies_what_ready_asks_for() {
    let fake = start(FakeOptions::instant()).await;
    let healthy = send(&fake.base_url(), "GET", "/v1/health", &[], "").await;
    assert_eq!((healthy.code, healthy.body), (200, json!({ "idle": 1 })));
}

#[tokio::test]
async fn a_sync_service_answers_with_the_result() {
    let fake = FakeService::start(spec(Shape { sync: true, ..Shape::default() }), FakeOptions::instant())
        .await
        .expect("starts");
    let answer = send(&fake.base_url(), "POST", "/v1/process", &[], SUBMIT).await;
    assert_eq!((answer.code, answer.body), (202, json!({ "result": { "output": "done" } })));
    fake.fault("submit:job_fails=service".parse().expect("a fault"));
    assert_eq!(send(&fake.base_url(), "POST", "/v1/process", &[], SUBMIT).await.code, 500);
}

#[tokio::test]
async fn each_fault_shows_as_its_name_says_and_only_some_are_accepted() {
    // fault, code (0: none), what the body says, accepted
    let cases = [
        ("submit:500", 500, json!({ "error": "fault of the fake service" }), 0),
        ("submit:429=2s", 429, json!({ "error": "fault of the fake service" }), 0),
        ("submit:refused=auth", 401, json!({ "error": "the fake service was told to refuse this" }), 0),
        (
            "submit:refused=invalid_input",
            422,
            json!({ "error": "the fake service was told to refuse this" }),
            0,
        ),
        ("submit:cut", 0, json!(null), 0),
        ("submit:redirect=http://127.0.0.1:9/", 307, json!(null), 0),
        ("submit:500_after", 500, json!({ "error": "fault of the fake service" }), 1),
        ("submit:cut_after", 0, json!(null), 1),
        ("submit:no_id", 202, json!({}), 1),
        ("submit:html", 202, json!(null), 1),
        ("submit:cut_body", 202, json!(null), 1),
    ];
    for (fault, code, body, accepted) in cases {
        let fake = start(FakeOptions::instant()).await;
        fake.fault(fault.parse().expect(fault));
        let answer = send(&fake.base_url(), "POST", "/v1/process", &[], SUBMIT).await;
        assert_eq!((answer.code, &answer.body), (code, &body), "{fault}");
        assert_eq!(fake.ledger().accepted(), accepted, "{fault}");
        assert_eq!(answer.head.contains("retry-after: 2"), fault == "submit:429=2s", "{fault}");
        let next = send(&fake.base_url(), "POST", "/v1/process", &[], SUBMIT).await;
        assert_eq!(next.code, 202, "{fault} hits the first request only");
    }
}

#[tokio::test]
async fn faults_of_a_poll_bend_what_it_tells() {
    let cases = [
        ("poll:unknown_status", 200, json!({ "status": "a-word-that-nobody-declared" })),
        (
            "poll:backwards",
            200,
            json!({ "job": { "id": "fake-1" }, "status": "queued", "progress": 0, "message": "0 %" }),
        ),
        ("poll:forgotten", 404, json!({ "error": "no such job" })),
        ("poll:404", 404, json!({ "error": "fault of the fake service" })),
    ];
    for (fault, code, body) in cases {
        let fake = start(FakeOptions::instant()).await;
        send(&fake.base_url(), "POST", "/v1/process", &[], SUBMIT).await;
        fake.fault(fault.parse().expect(fault));
        let answer = send(&fake.base_url(), "GET", "/v1/jobs/fake-1", &[], "").await;
        assert_eq!((answer.code, answer.body), (code, body), "{fault}");
    }
}

#[tokio::test]
async fn jobs_end_as_they_are_told() {
    let cases = [
        ("submit:job_fails=service", "failed"),
        ("submit:job_fails=moderated", "moderated"),
        // No word of its own: the general one.
        ("submit:job_fails=capacity", "failed"),
        ("submit:job_cancelled", "cancelled"),
        ("submit:job_never_ends", "processing"),
    ];
    for (fault, status) in cases {
        let fake = start(FakeOptions::instant()).await;
        fake.fault(fault.parse().expect(fault));
        send(&fake.base_url(), "POST", "/v1/process", &[], SUBMIT).await;
        assert_eq!(
            send(&fake.base_url(), "GET", "/v1/jobs/fake-1", &[], "").await.body["status"],
            status,
            "{fault}"
        );
    }
    let fake = start(FakeOptions { ending: Ending::Cancelled, ..FakeOptions::instant() }).await;
    send(&fake.base_url(), "POST", "/v1/process", &[], SUBMIT).await;
    assert_eq!(send(&fake.base_url(), "GET", "/v1/jobs/fake-1", &[], "").await.body["status"], "cancelled");
}

#[tokio::test]
async fn another_process_can_set_faults() {
    let fake = start(FakeOptions::instant()).await;
    let url = fake.base_url();
    assert_eq!(send_raw(&url, "POST", "/__fake/faults", &[], "poll:500*").await.code, 200);
    assert_eq!(send_raw(&url, "POST", "/__fake/faults", &[], "nonsense").await.code, 400);
    assert_eq!(send(&url, "GET", "/v1/jobs/fake-1", &[], "").await.code, 500);
    assert_eq!(send_raw(&url, "DELETE", "/__fake/faults", &[], "").await.code, 200);
    assert_eq!(send(&url, "GET", "/v1/jobs/fake-1", &[], "").await.code, 404);
}

#[tokio::test]
async fn requests_are_kept_without_what_they_carry() {
    let fake = start(FakeOptions::instant()).await;
    send(&fake.base_url(), "POST", "/v1/process?x=1", &[], r#"{"input":"canary"}"#).await;
    let kept = serde_json::to_string(&fake.requests()).expect("JSON");
    assert!(kept.contains("/v1/process?x=1"), "{kept}");
    assert!(!kept.contains("canary") && !kept.contains("Bearer"), "{kept}");
}

#[test]
fn a_fake_environment_has_what_a_connector_needs_and_fakes_every_secret() {
    let env = fake_env(spec(Shape::default()));
    assert_eq!(env.get("BY_HAND_KEY").as_deref(), Some("fake-secret-of-by-hand-key"));
    assert_eq!(env.get("BY_HAND_URL"), None);
    let env = env.set("BY_HAND_URL", "http://127.0.0.1:1/");
    assert_eq!(env.get("BY_HAND_URL").as_deref(), Some("http://127.0.0.1:1/"));
}
