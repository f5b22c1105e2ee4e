//! What a service is told of our clock and of where to call.

use std::collections::BTreeMap;
use std::sync::Arc;

use emp_core::connector::Entry;
use emp_core::{Connector, Secret};
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
