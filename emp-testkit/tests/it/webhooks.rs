//! The fake calls where it was asked to, once, when a job has ended.

use emp_core::connector::Entry;
use emp_core::{Clock as _, Connector, Secret, Timestamp};
use emp_engine::webhook::{Heard, Receiver};
use emp_testkit::contract::{Contract, Outcome};
use emp_testkit::{FakeOptions, FakeService, fake_env};
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

/// Signs body and moment.
#[derive(Connector)]
#[connector(service = "signs", version = "1.0.0", unregistered)]
#[http(base = "https://signs.example.com")]
#[auth(none)]
#[submit(post = "/jobs", json { "prompt": payload.prompt, "callback": webhook.url? }, capture(id = "$.id"), at_most_once)]
#[poll(get = "/jobs/{job.id}", echo = "$.id")]
#[states(at = "$.status", running = ["running"], succeeded = ["done"], failed = ["failed"], unknown = running(warn))]
#[webhook(
    verify = hmac(key = key, header = "X-Signature", prefix = "v0=", signed = "{timestamp}.{body}", timestamp = "t="),
    body = "$.data", events = ["job.ended"], event = "$.type",
)]
struct Signs {
    #[env("SIGNS_WEBHOOK_KEY")]
    key: Secret,
}

/// Shows a secret, and says only that there is news.
#[derive(Connector)]
#[connector(service = "shows", version = "1.0.0", unregistered)]
#[http(base = "https://shows.example.com")]
#[auth(none)]
#[submit(post = "/jobs", query("callback" = webhook.url?), json { "prompt": payload.prompt }, capture(id = "$.id"), at_most_once)]
#[poll(get = "/jobs/{job.id}")]
#[states(at = "$.status", running = ["running"], succeeded = ["done"], failed = ["failed"], unknown = running(warn))]
#[webhook(verify = header("X-Token", token))]
struct Shows {
    #[env("SHOWS_TOKEN")]
    token: Secret,
}

/// What the kit finds in its scenarios of calls: those that pass, and those that do not.
async fn called(entry: Entry) -> (Vec<String>, Vec<String>) {
    let contract = Contract::load(&entry).expect("an environment").only("F42,F43,webhook.,F40");
    let findings = contract.run().await.findings;
    let ids = |wanted: Outcome| -> Vec<String> {
        let those = findings.iter().filter(|finding| finding.outcome == wanted);
        those.map(|finding| format!("{} {}", finding.scenario.id, finding.reason)).collect()
    };
    (ids(Outcome::Pass), ids(Outcome::Fail))
}

#[tokio::test]
async fn f42_f43_the_kit_tries_calls_that_are_right_wrong_stale_early_and_repeated() {
    let cases = [(Entry::of::<Signs>(), 7), (Entry::of::<Shows>(), 4), (Entry::of::<Calls>(), 3)];
    for (entry, applicable) in cases {
        let (passed, failed) = called(entry).await;
        assert_eq!(failed, Vec::<String>::new(), "{}", entry.spec.name);
        assert_eq!(passed.len(), applicable, "{}: {passed:?}", entry.spec.name);
    }
}

#[tokio::test]
async fn m58_the_fakes_calls_are_signed_as_declared_and_name_their_event() {
    let clock = Arc::new(emp_core::time::ManualClock::at(Timestamp(1_700_000_000_000)));
    let options = FakeOptions {
        keeps_calls: true,
        clock: Arc::<emp_core::time::ManualClock>::clone(&clock),
        ..FakeOptions::instant()
    };
    let fake = FakeService::start(Signs::SPEC, options).await.expect("starts");
    let url = "https://queue.example.com/api/webhooks/1/2";
    let body = json!({ "prompt": "a", "callback": url }).to_string();
    assert_eq!(send_raw(&fake.base_url(), "POST", "/jobs", &[], &body).await.code, 200);
    let calls = fake.calls();
    let [call] = calls.as_slice() else { panic!("{calls:?}") };
    assert_eq!(call.url, url);
    let said: serde_json::Value = serde_json::from_slice(&call.body).expect("JSON");
    assert_eq!((&said["type"], &said["data"]["status"]), (&json!("job.ended"), &json!("done")));
    let receiver = Receiver::of(Signs::SPEC, &fake_env(Signs::SPEC)).expect("a key");
    assert!(matches!(receiver.hear(&call.headers, &call.body, clock.now()), Ok(Heard::Call(_))));
    assert!(fake.calls().is_empty(), "once");
}
