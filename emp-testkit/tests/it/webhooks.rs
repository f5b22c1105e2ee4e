//! The fake calls where it was asked to, once, when a job has ended.

use emp_core::{Connector, Timestamp};
use emp_testkit::{FakeOptions, FakeService};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::support::send_raw;

/// Takes the URL to call, where there is one.
#[derive(Connector)]
#[connector(service = "calls", version = "1.0.0", unregistered)]
#[http(base = "https://calls.example.com")]
#[auth(none)]
#[submit(post = "/jobs", json { "prompt": payload.prompt, "callback": webhook.url? }, capture(id = "$.id"), at_most_once)]
#[poll(get = "/jobs/{job.id}")]
#[states(at = "$.status", running = ["running"], succeeded = ["done"], failed = ["failed"], unknown = running(warn))]
struct Calls {}

#[tokio::test]
async fn m58_the_fake_calls_once_when_the_job_has_ended() {
    let clock = Arc::new(emp_core::time::ManualClock::at(Timestamp(1_700_000_000_000)));
    let options = FakeOptions {
        queued: Duration::from_secs(1),
        running: Duration::from_secs(1),
        clock: Arc::<emp_core::time::ManualClock>::clone(&clock),
        ..FakeOptions::default()
    };
    let fake = FakeService::start(Calls::SPEC, options).await.expect("starts");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/api/webhooks/1/2", listener.local_addr().expect("an address"));
    let body = json!({ "prompt": "a", "callback": url }).to_string();
    assert_eq!(send_raw(&fake.base_url(), "POST", "/jobs", &[], &body).await.code, 200);
    let early = tokio::time::timeout(Duration::from_millis(100), listener.accept()).await;
    assert!(early.is_err(), "the job has not ended");
    clock.advance(Duration::from_secs(3));
    let (mut socket, _) = listener.accept().await.expect("a call");
    let mut received = vec![0; 4096];
    let length = socket.read(&mut received).await.expect("reads");
    let text = String::from_utf8_lossy(&received[..length]).into_owned();
    assert!(text.starts_with("POST /api/webhooks/1/2 "), "{text}");
    socket.write_all(b"HTTP/1.1 204 No Content\r\ncontent-length: 0\r\n\r\n").await.expect("answers");
    drop(socket);
    let again = tokio::time::timeout(Duration::from_millis(100), listener.accept()).await;
    assert!(again.is_err(), "once");
}
