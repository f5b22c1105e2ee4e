//! Looking at jobs and cancelling them.

use emp_core::error::Billed;
use emp_core::job::{JobId, Progress, UpstreamCancel};
use emp_core::{ErrorCode, JobError};
use emp_store::{Change, Finish};
use serde_json::{Map, Value, json};

use crate::support::{Api, post};

#[tokio::test]
async fn a_job_shows_its_progress_and_its_service_job_and_never_its_nonce() {
    let api = Api::new();
    let id = api.job().await;
    let claim = api.claim().await;
    api.submitted(&claim).await;
    let progress =
        Progress { fraction: Some(0.42), message: Some("Processing".into()), ..Progress::default() };
    api.change(&claim, Change::Progress(progress)).await;
    let reply = api.get(&format!("/api/jobs/{id}")).await;
    let job = &reply.json;
    assert_eq!(
        (&job["status"], &job["state"], &job["phase"]),
        (&json!("running"), &json!("running"), &json!("submitted"))
    );
    assert_eq!((&job["progress"], &job["message"]), (&json!(42.0), &json!("Processing")));
    assert_eq!((&job["service_job_id"], &job["connector"]), (&json!("svc-1"), &json!("MyServiceConnector")));
    assert_eq!((&job["attempt"], &job["deliveries"]), (&json!(1), &json!(1)));
    assert_eq!(job["created_at"], "2023-11-14T22:13:20.000Z");
    assert!(!reply.text.contains(claim.nonce.as_str()) && !reply.text.contains("nonce"), "{}", reply.text);
}

#[tokio::test]
async fn a_result_is_there_when_the_job_has_succeeded() {
    let api = Api::new();
    let id = api.job().await;
    let early = api.get(&format!("/api/jobs/{id}/result")).await;
    early.assert_problem(409, "E_NOT_DONE");
    assert_eq!(early.json["state"], "queued");
    let claim = api.claim().await;
    api.submitted(&claim).await;
    api.clock.advance_millis(1500);
    let finish = Finish::Succeeded { result: json!({ "output": "done" }), meta: Map::new() };
    api.change(&claim, Change::Finish(finish)).await;
    let result = api.get(&format!("/api/jobs/{id}/result")).await;
    assert_eq!((result.status, &result.json), (200, &json!({ "output": "done" })));
    let job = api.get(&format!("/api/jobs/{id}")).await.json;
    assert_eq!((&job["status"], &job["result"]["output"]), (&json!("completed"), &json!("done")));
    assert_eq!((&job["processing_time_ms"], &job["service_job_id"]), (&json!(1500), &json!("svc-1")));
}

#[tokio::test]
async fn a_failed_job_says_whether_to_try_again_and_whether_it_cost() {
    let api = Api::new();
    let id = api.job().await;
    let claim = api.claim().await;
    api.submitted(&claim).await;
    let error =
        JobError::new(ErrorCode::EServiceFailed, "the service failed").retriable().billed(Billed::Yes);
    api.change(&claim, Change::Finish(Finish::Failed(error))).await;
    let reply = api.get(&format!("/api/jobs/{id}/result")).await;
    reply.assert_problem(409, "E_NOT_SUCCEEDED");
    assert_eq!(reply.json["state"], "failed");
    assert_eq!((&reply.json["retriable"], &reply.json["billed"]), (&json!(true), &json!("yes")));
    assert!(reply.json["detail"].as_str().unwrap().starts_with("E_SERVICE_FAILED: "));
}

#[tokio::test]
async fn p15_a_cancel_that_was_recorded_is_final_and_keeps_a_late_result() {
    let api = Api::new();
    let id = api.job().await;
    let claim = api.claim().await;
    api.submitted(&claim).await;
    let reply = api.post(&format!("/api/jobs/{id}/cancel"), &json!({ "reason": "not needed" })).await;
    assert_eq!(reply.status, 202, "{}", reply.text);
    assert_eq!(
        (&reply.json["cancel"]["reason"], &reply.json["state"]),
        (&json!("not needed"), &json!("running"))
    );
    let late = Finish::Succeeded { result: json!("late"), meta: Map::new() };
    api.change(&claim, Change::Finish(late)).await;
    let job = api.get(&format!("/api/jobs/{id}")).await.json;
    assert_eq!((&job["status"], &job["discarded_result"]), (&json!("cancelled"), &json!("late")));
    assert_eq!(job["result"], Value::Null);
}

#[tokio::test]
async fn p15_a_cancel_after_the_end_is_refused_with_the_state() {
    let api = Api::new();
    let id = api.job().await;
    let claim = api.claim().await;
    api.submitted(&claim).await;
    api.change(&claim, Change::Finish(Finish::Succeeded { result: json!(1), meta: Map::new() })).await;
    let reply = api.send(post(&format!("/api/jobs/{id}/cancel"), "")).await;
    reply.assert_problem(409, "E_TOO_LATE");
    assert_eq!(reply.json["state"], "succeeded");
    assert_eq!(api.get(&format!("/api/jobs/{id}")).await.json["result"], 1);
}

#[tokio::test]
async fn p15_a_cancel_at_the_service_is_reported() {
    let api = Api::new();
    let id = api.job().await;
    let claim = api.claim().await;
    api.submitted(&claim).await;
    api.post(&format!("/api/jobs/{id}/cancel"), &json!({})).await;
    api.change(&claim, Change::Finish(Finish::Cancelled(UpstreamCancel::Confirmed))).await;
    let job = api.get(&format!("/api/jobs/{id}")).await.json;
    assert_eq!((&job["state"], &job["cancel"]["upstream"]), (&json!("cancelled"), &json!("confirmed")));
}

#[tokio::test]
async fn a_cancel_needs_no_body_and_takes_no_other() {
    let api = Api::new();
    let id = api.job().await;
    let path = format!("/api/jobs/{id}/cancel");
    api.post(&path, &json!({ "resaon": "x" })).await.assert_problem(422, "E_INVALID");
    api.post(&path, &json!({ "reason": "x".repeat(501) })).await.assert_problem(422, "E_INVALID");
    let plain = crate::support::request("POST", &path).body("{}".into()).unwrap();
    api.send(plain).await.assert_problem(415, "E_CONTENT_TYPE");
    assert_eq!(api.get(&format!("/api/jobs/{id}")).await.json["state"], "queued");
    let bare = crate::support::request("POST", &path).body(axum::body::Body::empty()).unwrap();
    let reply = api.send(bare).await;
    assert_eq!((reply.status, &reply.json["state"]), (202, &json!("cancelled")));
}

#[tokio::test]
async fn a_list_is_paged_by_an_opaque_cursor_without_payloads() {
    let api = Api::new();
    let mut submitted = Vec::new();
    for _ in 0..5 {
        submitted.push(api.job().await.to_string());
    }
    submitted.reverse();
    let mut seen = Vec::new();
    let mut path = "/api/jobs?limit=2&service=my-service".to_owned();
    loop {
        let page = api.get(&path).await.json;
        let jobs = page["jobs"].as_array().unwrap();
        assert!(jobs.len() <= 2);
        assert!(jobs.iter().all(|job| job.get("payload").is_none()));
        seen.extend(jobs.iter().map(|job| job["id"].as_str().unwrap().to_owned()));
        let Some(cursor) = page["next"].as_str() else { break };
        path = format!("/api/jobs?limit=2&service=my-service&cursor={cursor}");
    }
    assert_eq!(seen, submitted);
}

#[tokio::test]
async fn filters_choose_and_bad_ones_are_refused() {
    let api = Api::new();
    let queued = api.job().await;
    let cancelled = api.job().await;
    api.post(&format!("/api/jobs/{cancelled}/cancel"), &json!({})).await;
    let ids = |path: &'static str| {
        let api = &api;
        async move {
            let page = api.get(path).await.json;
            let jobs = page["jobs"].as_array().unwrap();
            jobs.iter().map(|job| job["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        }
    };
    assert_eq!(ids("/api/jobs?status=pending").await, [queued.to_string()]);
    assert_eq!(ids("/api/jobs?state=cancelled").await, [cancelled.to_string()]);
    assert!(ids("/api/jobs?status=pending&state=cancelled").await.is_empty());
    assert!(ids("/api/jobs?service=simulation").await.is_empty());
    assert!(ids("/api/jobs?label=gpu=a100").await.is_empty());
    for bad in [
        "limit=999999999",
        "limit=1e9",
        "cursor=garbage",
        "since=9999-99-99",
        "state=pending",
        "access_token=x",
    ] {
        api.get(&format!("/api/jobs?{bad}")).await.assert_problem(400, "E_BAD_QUERY");
    }
}

#[tokio::test]
async fn a_job_that_is_not_there_is_404_however_it_is_spelt() {
    let api = Api::new();
    let id = api.job().await.to_string();
    let other = JobId::random();
    for path in ["", "/events", "/result"] {
        api.get(&format!("/api/jobs/{other}{path}")).await.assert_problem(404, "E_NO_SUCH_JOB");
    }
    api.post(&format!("/api/jobs/{other}/cancel"), &json!({})).await.assert_problem(404, "E_NO_SUCH_JOB");
    let spellings = [
        id.to_uppercase(),
        id.replace('-', ""),
        format!("{{{id}}}"),
        format!("{id};a=b"),
        format!("{id}."),
        "%ff".into(),
    ];
    for spelling in spellings {
        api.get(&format!("/api/jobs/{}", spelling.replace('{', "%7B").replace('}', "%7D")))
            .await
            .assert_problem(404, "E_NO_SUCH_JOB");
    }
    assert_eq!(api.get(&format!("/api/jobs/{id}")).await.status, 200);
}
