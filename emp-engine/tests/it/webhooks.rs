//! What a service is told of our clock and of where to call.

use std::collections::BTreeMap;
use std::sync::Arc;

use emp_core::connector::Entry;
use emp_core::job::Call;
use emp_core::{Connector, Secret};
use emp_engine::run::{End, Next, Run};
use emp_engine::webhook::{Webhooks, is_token};
use emp_engine::{Engine, EngineOptions};
use serde_json::{Value, json};

use crate::support::{MemoryPort, Server, finish, job, reply, run};

/// Passes on where to call and for how long to work.
#[derive(Connector)]
#[connector(service = "told", version = "1.0.0", unregistered)]
#[http(base = env.base_url)]
#[auth(none)]
#[submit(
    post = "/jobs",
    header("X-Timeout" = "{queue.budget_secs}s"),
    json { "webhook": webhook.url?, "policy": { "executionTimeout": queue.budget_millis, "ttl": queue.budget_millis } },
    capture(id = "$.id"),
    at_most_once,
)]
#[poll(get = "/jobs/{job.id}")]
#[states(at = "$.status", succeeded = ["done"], unknown = running(warn))]
#[pace(deadline = "90s")]
struct Told {
    #[env("TOLD_URL")]
    base_url: emp_core::Url,
}

async fn submitted(webhooks: Option<Webhooks>) -> (String, Value) {
    let server = Server::start(|seen| match seen.method.as_str() {
        "POST" => reply(200, r#"{"id":"j1"}"#),
        _ => reply(200, r#"{"status":"done"}"#),
    })
    .await;
    let env: BTreeMap<String, String> = [("TOLD_URL".to_owned(), server.url())].into();
    let connector = Arc::new(Entry::of::<Told>().load(&env).unwrap());
    let engine = Engine::new(EngineOptions { webhooks, ..EngineOptions::default() });
    let port = MemoryPort::new(Arc::clone(&server.log));
    let mut run = run(&engine, &connector, job(json!({})), &port);
    finish(&engine, &mut run, &port).await;
    let seen = server.seen().into_iter().find(|seen| seen.method == "POST").unwrap();
    (seen.head.to_ascii_lowercase(), serde_json::from_str(&seen.body).unwrap())
}

#[tokio::test]
async fn m58_a_service_is_told_where_to_call_when_there_is_such_a_place() {
    let key = Secret::new("0123456789abcdef");
    let public = "https://queue.example.com".parse().unwrap();
    let (_, body) = submitted(Some(Webhooks::new(public, key.clone()))).await;
    let url = body["webhook"].as_str().unwrap();
    let (id, token) =
        url.strip_prefix("https://queue.example.com/api/webhooks/").unwrap().split_once('/').unwrap();
    assert!(is_token(&key, &id.parse().unwrap(), token));
    let (_, body) = submitted(None).await;
    assert_eq!(body.get("webhook"), None, "without a public URL the member is left out");
}

#[tokio::test]
async fn m56_x14_the_jobs_budget_is_passed_on_in_the_units_that_services_want() {
    let (head, body) = submitted(None).await;
    assert!(head.contains("x-timeout: 90s"), "{head}");
    assert_eq!(body["policy"], json!({ "executionTimeout": 90_000, "ttl": 90_000 }));
}

/// Is called with what a poll would tell, below `data`.
#[derive(Connector)]
#[connector(service = "calls", version = "1.0.0", unregistered)]
#[http(base = env.base_url)]
#[auth(none)]
#[submit(post = "/jobs", json { "webhook": webhook.url?, "events": webhook.events? }, capture(id = "$.id"), at_most_once)]
#[poll(get = "/jobs/{job.id}", echo = "$.id", progress = "$.progress" | percent)]
#[states(at = "$.status", running = ["running"], succeeded = ["done"], failed = ["failed"], unknown = running(warn))]
#[outcome(json = "$.result")]
#[webhook(verify = standard_webhooks(secret), body = "$.data", events = ["running", "end"])]
#[pace(first = "1h", min = "1h", max = "1h", jitter = 0, deadline = "1d")]
struct Calls {
    #[env("CALLS_URL")]
    base_url: emp_core::Url,
    #[env("CALLS_SECRET", optional)]
    secret: Option<Secret>,
}

/// A job that waits for its first poll, and its service, whose polls say `polled`.
async fn waiting(polled: &'static str) -> (Server, Arc<Engine>, Run, Arc<MemoryPort>) {
    let server = Server::start(move |seen| match seen.method.as_str() {
        "POST" => reply(200, r#"{"id":"j1"}"#),
        _ => reply(200, polled),
    })
    .await;
    let env: BTreeMap<String, String> = [("CALLS_URL".to_owned(), server.url())].into();
    let connector = Arc::new(Entry::of::<Calls>().load(&env).unwrap());
    let webhooks =
        Some(Webhooks::new("https://q.example.com".parse().unwrap(), Secret::new("0123456789abcdef")));
    let engine = Engine::new(EngineOptions { webhooks, ..EngineOptions::default() });
    let port = MemoryPort::new(Arc::clone(&server.log));
    let mut run = run(&engine, &connector, job(json!({})), &port);
    assert!(matches!(engine.step(&mut run).await, Next::Wait(_)));
    (server, engine, run, port)
}

fn call(body: &str) -> Call {
    Call { id: "1".to_owned(), body: Some(body.to_owned()) }
}

fn polls(server: &Server) -> usize {
    server.seen().iter().filter(|seen| seen.method == "GET").count()
}

#[tokio::test]
async fn m58_a_job_goes_on_and_ends_by_what_the_service_says_when_it_calls() {
    let (server, engine, mut run, port) = waiting("{}").await;
    let submitted: Value = serde_json::from_str(&server.seen()[0].body).unwrap();
    assert_eq!(submitted["events"], json!(["running", "end"]));
    *port.call.lock().unwrap() = Some(call(r#"{"data":{"id":"j1","status":"running","progress":40}}"#));
    assert!(matches!(engine.step(&mut run).await, Next::Wait(_)));
    assert_eq!(port.progress.lock().unwrap().last().and_then(|progress| progress.fraction), Some(0.4));
    *port.call.lock().unwrap() = Some(call(r#"{"data":{"id":"j1","status":"done","result":[1]}}"#));
    match engine.step(&mut run).await {
        Next::End(End::Succeeded { result, .. }) => assert_eq!(result, json!([1])),
        other => panic!("{other:?}"),
    }
    assert_eq!(polls(&server), 0, "nothing was left to ask");
}

#[tokio::test]
async fn m58_a_failure_that_is_called_is_the_one_that_is_polled() {
    let (server, engine, mut run, port) = waiting("{}").await;
    *port.call.lock().unwrap() = Some(call(r#"{"data":{"id":"j1","status":"failed"}}"#));
    assert!(matches!(engine.step(&mut run).await, Next::End(End::Failed(_))));
    assert_eq!(polls(&server), 0);
}

#[tokio::test]
async fn i41_a_call_about_another_job_or_that_does_not_tell_is_not_believed() {
    let done = r#"{"id":"j1","status":"done","result":"polled"}"#;
    for body in [
        r#"{"data":{"id":"j2","status":"failed"}}"#,
        r#"{"data":{"status":"failed"}}"#,
        r#"{"data":{"id":"j1","status":"no such word"}}"#,
        r#"{"id":"j1","status":"failed"}"#,
        r#"{"data":{"id":"j1","id":"j2","status":"failed"}}"#,
        "not json",
        "",
    ] {
        let (server, engine, mut run, port) = waiting(done).await;
        *port.call.lock().unwrap() = Some(call(body));
        match engine.step(&mut run).await {
            Next::End(End::Succeeded { result, .. }) => assert_eq!(result, json!("polled"), "{body}"),
            other => panic!("{body}: {other:?}"),
        }
        assert_eq!(polls(&server), 1, "{body}");
    }
}

#[tokio::test]
async fn f40_i41_an_answer_about_another_job_is_no_answer_and_in_the_end_an_id_mismatch() {
    let (server, engine, mut run, port) =
        waiting(r#"{"id":"j2","status":"done","result":"of another"}"#).await;
    let end = finish(&engine, &mut run, &port).await;
    match end {
        End::Failed(error) => assert_eq!(error.code, emp_core::ErrorCode::EIdMismatch),
        other => panic!("{other:?}"),
    }
    assert!(polls(&server) > 1, "once may be a glitch");
}
