//! Following a job.

use std::time::Duration;

use axum::body::Body;
use emp_api::Limits;
use emp_core::job::{Delta, JobId, Progress};
use emp_store::{Change, Finish};
use serde_json::{Map, Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::connection::{Server, read_all, read_until};
use crate::support::{Api, request};

async fn follow(server: &Server, id: &JobId, headers: &str) -> TcpStream {
    let mut stream = server.connect().await;
    let head = format!(
        "GET /api/jobs/{id}/events HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{headers}\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

fn done() -> Change {
    Change::Finish(Finish::Succeeded { result: json!(1), meta: Map::new() })
}

#[tokio::test]
async fn a_stream_brings_events_as_they_happen_and_ends_with_the_job() {
    let server = Server::start(Limits::default()).await;
    let id = server.api.job().await;
    let mut stream = follow(&server, &id, "").await;
    let first = read_until(&mut stream, "\"state\":\"queued\"").await;
    assert!(first.contains("content-type: text/event-stream") && first.contains("id: 1\n"), "{first}");
    let claim = server.api.claim().await;
    read_until(&mut stream, "event: claimed").await;
    server.api.submitted(&claim).await;
    read_until(&mut stream, "event: submitted").await;
    let progress =
        Progress { fraction: Some(0.25), message: Some("a quarter".into()), ..Progress::default() };
    server.api.change(&claim, Change::Progress(progress)).await;
    let quarter = read_until(&mut stream, "a quarter").await;
    assert!(quarter.contains("\"progress\":25.0"), "{quarter}");
    server.api.change(&claim, Change::Delta(Delta { start: true, text: "Once".into() })).await;
    let text = read_until(&mut stream, "Once").await;
    assert!(
        text.contains("event: delta") && text.contains(r#""delta":{"start":true,"text":"Once"}"#),
        "{text}"
    );
    server.api.change(&claim, done()).await;
    let last = read_all(&mut stream).await;
    assert!(last.contains("event: succeeded") && last.contains("\"status\":\"completed\""), "{last}");
    assert!(!first.contains(claim.nonce.as_str()) && !last.contains("nonce"));
}

#[tokio::test]
async fn a_stream_does_not_wait_for_its_next_look_when_something_happens() {
    let server = Server::start(Limits { look_again: Duration::from_hours(1), ..Limits::default() }).await;
    let id = server.api.job().await;
    let mut stream = follow(&server, &id, "").await;
    read_until(&mut stream, "event: queued").await;
    let claim = server.api.claim().await;
    read_until(&mut stream, "event: claimed").await;
    server.api.submitted(&claim).await;
    server.api.change(&claim, done()).await;
    assert!(read_all(&mut stream).await.contains("event: succeeded"));
}

#[tokio::test]
async fn a_stream_goes_on_after_the_last_event_that_was_seen() {
    let server = Server::start(Limits::default()).await;
    let id = server.api.job().await;
    let claim = server.api.claim().await;
    server.api.submitted(&claim).await;
    server.api.change(&claim, done()).await;
    let all = read_all(&mut follow(&server, &id, "").await).await;
    let last: u64 =
        all.lines().filter_map(|line| line.strip_prefix("id: ")).map(|id| id.parse().unwrap()).max().unwrap();
    let rest = read_all(&mut follow(&server, &id, "last-event-id: 2\r\n").await).await;
    assert!(
        !rest.contains("id: 2\n") && rest.contains("id: 3\n") && rest.contains("event: succeeded"),
        "{rest}"
    );
    let nothing = read_all(&mut follow(&server, &id, &format!("last-event-id: {last}\r\n")).await).await;
    assert!(nothing.starts_with("HTTP/1.1 204 "), "so that an EventSource stays away: {nothing}");
}

#[tokio::test]
async fn a_quiet_stream_is_kept_alive_by_comments() {
    let server = Server::start(Limits { keep_alive: Duration::from_millis(20), ..Limits::default() }).await;
    let id = server.api.job().await;
    read_until(&mut follow(&server, &id, "").await, "\n:").await;
}

#[tokio::test]
async fn streams_have_their_own_limit_and_give_their_place_back() {
    let server = Server::start(Limits { streams: 1, ..Limits::default() }).await;
    let id = server.api.job().await;
    let mut first = follow(&server, &id, "").await;
    read_until(&mut first, "queued").await;
    let refused = read_all(&mut follow(&server, &id, "").await).await;
    assert!(
        refused.starts_with("HTTP/1.1 503 ") && refused.contains("E_BUSY") && refused.contains("retry-after"),
        "{refused}"
    );
    assert!(server.livez().await.starts_with("HTTP/1.1 200 "));
    let claim = server.api.claim().await;
    server.api.submitted(&claim).await;
    server.api.change(&claim, done()).await;
    read_all(&mut first).await;
    assert!(read_all(&mut follow(&server, &id, "").await).await.contains("event: succeeded"));
}

#[tokio::test]
async fn events_are_listed_as_json_when_only_that_is_accepted() {
    let api = Api::new();
    let id = api.job().await;
    api.claim().await;
    let list = |headers: &[(&'static str, &'static str)]| {
        let mut request =
            request("GET", &format!("/api/jobs/{id}/events")).header("accept", "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        api.send(request.body(Body::empty()).unwrap())
    };
    let reply = list(&[]).await;
    let kinds: Vec<&Value> = reply.json.as_array().unwrap().iter().map(|event| &event["type"]).collect();
    assert_eq!(kinds, ["queued", "claimed"]);
    assert_eq!(reply.json[0]["at"], "2023-11-14T22:13:20.000Z");
    assert_eq!(list(&[("last-event-id", "1")]).await.json.as_array().unwrap().len(), 1);
    list(&[("last-event-id", "x")]).await.assert_problem(400, "E_BAD_HEADER");
    list(&[("last-event-id", "-1")]).await.assert_problem(400, "E_BAD_HEADER");
}
