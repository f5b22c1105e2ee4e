//! X15: assets by URL, fetched before the submit's intent.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use emp_core::job::JobState;
use emp_core::{Connector, ErrorCode, Secret};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::bench::Bench;

/// Takes an image in three ways.
#[derive(Connector)]
#[connector(service = "see", version = "1.0.0", unregistered)]
#[http(base = "https://api.example.com")]
#[auth(bearer = api_key)]
#[submit(
    post = "/see",
    json {
        "bytes": base64(payload.image, max = "1kB", types = ["image/*"]),
        "uri": data_uri(payload.image?),
        "link": url(payload.link?),
        "either": url(payload.either?, inline),
    },
    capture(id = "$.id"),
    idempotent(header("Idempotency-Key"), ttl = "24h"),
)]
#[poll(get = "/see/{job.id}")]
#[states(at = "$.status", running = ["working"], succeeded = ["done"], unknown = running(warn))]
#[outcome(json = "$.result")]
struct See {
    /// The key.
    #[env("SEE_KEY")]
    api_key: Secret,
}

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

/// A place on loopback that answers each request with the next of its answers, the last one again and again.
struct Host {
    port: u16,
    heads: Arc<Mutex<Vec<String>>>,
    asked: Arc<AtomicU32>,
}

impl Host {
    async fn start(answers: Vec<Vec<u8>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let host = Self { port, heads: Arc::default(), asked: Arc::default() };
        let (heads, asked) = (Arc::clone(&host.heads), Arc::clone(&host.asked));
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                let mut head = vec![0; 4096];
                let read = socket.read(&mut head).await.unwrap_or(0);
                heads.lock().expect("unpoisoned").push(String::from_utf8_lossy(&head[..read]).into_owned());
                let at = asked.fetch_add(1, Ordering::SeqCst) as usize;
                let answer = answers.get(at).or(answers.last()).cloned().unwrap_or_default();
                let _gone = socket.write_all(&answer).await;
                let _gone = socket.shutdown().await;
            }
        });
        host
    }

    async fn bench(&self, payload: Value, faults: &[&str]) -> Bench {
        Bench::vouching::<See>(payload, faults, vec![("127.0.0.1".to_owned(), self.port)]).await
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}/a/cat.png?token=1", self.port)
    }

    fn asked(&self) -> u32 {
        self.asked.load(Ordering::SeqCst)
    }
}

fn answer(code: u16, head: &str, body: &[u8]) -> Vec<u8> {
    let mut answer =
        format!("HTTP/1.1 {code} X\r\n{head}Content-Length: {}\r\n\r\n", body.len()).into_bytes();
    answer.extend_from_slice(body);
    answer
}

fn image() -> Vec<u8> {
    answer(200, "Content-Type: image/png\r\n", PNG)
}

#[tokio::test]
async fn x15_an_url_is_fetched_once_without_a_credential_and_sent_as_declared() {
    let host = Host::start(vec![image()]).await;
    let bench = host.bench(json!({ "image": { "url": host.url() } }), &[]).await;
    let ended = bench.finish().await;
    assert_eq!(ended.job.state, JobState::Succeeded, "{:?}", ended.job.error);
    let sent = &ended.job.result.as_ref().expect("a result")["echo"];
    assert_eq!(*sent, json!({ "bytes": "iVBORw0KGgo=", "uri": "data:image/png;base64,iVBORw0KGgo=" }));
    let head = host.heads.lock().expect("unpoisoned").join("").to_ascii_lowercase();
    assert_eq!(host.asked(), 1, "two adapters, one request");
    assert!(
        !head.contains("authorization") && !head.contains("cookie") && !head.contains("referer"),
        "{head}"
    );
    // The bytes are in the request and nowhere in the record.
    let record = serde_json::to_string(&emp_core::job::Job { result: None, ..ended.job }).expect("a record");
    assert!(!record.contains("iVBORw0KGgo"), "{record}");
}

#[tokio::test]
async fn x15_an_url_for_the_service_is_passed_on_as_it_was_written() {
    let png = "data:image/png;base64,iVBORw0KGgo=";
    let link = "https://example.com/a%2fb?sig=x%2By&z";
    let payload = json!({ "image": png, "link": link, "either": { "base64": "iVBORw0KGgo=" } });
    let bench = Bench::new::<See>(payload, &[]).await;
    let ended = bench.finish().await;
    let sent = &ended.job.result.as_ref().expect("a result")["echo"];
    assert_eq!((&sent["link"], &sent["either"]), (&json!(link), &json!(png)));

    let bench = Bench::new::<See>(json!({ "image": png, "link": png }), &[]).await;
    let error = bench.finish().await.job.error.expect("refused");
    assert_eq!(error.code, ErrorCode::EInvalidInput);
    assert!(
        error.message.starts_with("payload.link holds its bytes, and this service takes an URL only"),
        "{error}"
    );
    assert_eq!(bench.fake.requests(), []);
}

#[tokio::test]
async fn x15_private_places_and_plain_http_are_not_fetched() {
    for url in [
        "https://127.0.0.1/a.png",
        "https://169.254.169.254/latest/meta-data/",
        "https://[::1]/a.png",
        "https://10.0.0.1/a.png",
        "https://localhost/a.png",
        "http://example.com/a.png",
    ] {
        let bench = Bench::new::<See>(json!({ "image": url }), &[]).await;
        let ended = bench.finish().await;
        let error = ended.job.error.expect(url);
        assert_eq!(
            (ended.job.state, error.code),
            (JobState::Failed, ErrorCode::EInvalidInput),
            "{url}: {error}"
        );
        assert!(error.message.starts_with("payload.image cannot be fetched"), "{error}");
        assert_eq!(bench.fake.requests(), [], "{url}");
    }
    // Not even the connector's own base, which is private in a test.
    let bench = Bench::new::<See>(json!({ "image": "x" }), &[]).await;
    let base = bench.fake.base_url().to_string();
    let inner = Bench::new::<See>(json!({ "image": base }), &[]).await;
    assert_eq!(inner.finish().await.job.state, JobState::Failed);
    assert_eq!(bench.fake.requests(), []);
}

#[tokio::test]
async fn x15_what_an_url_gives_is_checked_before_the_submit() {
    for (answered, wanted) in [
        (answer(404, "", b""), "payload.image cannot be fetched: its URL answered 404"),
        (
            answer(302, "Location: http://127.0.0.1:1/\r\n", b""),
            "payload.image is an URL that leads on to another",
        ),
        (answer(200, "", &[b'x'; 2000]), "payload.image is larger than 1000 bytes"),
        (
            answer(200, "Content-Type: text/html\r\n", b"<html>"),
            "payload.image is text/html and may be image/*",
        ),
        (answer(200, "Content-Type: image/png\r\n", b"<html>"), "payload.image is"),
        (answer(200, "Content-Type: image/png\r\n", b""), "payload.image is empty"),
    ] {
        let host = Host::start(vec![answered]).await;
        let bench = host.bench(json!({ "image": host.url() }), &[]).await;
        let ended = bench.finish().await;
        let error = ended.job.error.expect(wanted);
        assert_eq!((ended.job.state, error.code), (JobState::Failed, ErrorCode::EInvalidInput), "{error}");
        assert!(error.message.starts_with(wanted), "{error} should say `{wanted}`");
        assert_eq!((bench.fake.requests().len(), ended.job.attempt, host.asked()), (0, 0, 1), "{wanted}");
    }
}

#[tokio::test]
async fn x15_a_fault_of_the_host_that_passes_is_waited_for_and_then_given_up() {
    let broken = || answer(503, "", b"");
    let host = Host::start(vec![broken(), Vec::new(), image()]).await;
    let bench = host.bench(json!({ "image": host.url() }), &[]).await;
    assert_eq!(bench.finish().await.job.state, JobState::Succeeded);
    assert_eq!((host.asked(), bench.fake.ledger().accepted()), (3, 1));

    let host = Host::start(vec![broken()]).await;
    let bench = host.bench(json!({ "image": host.url() }), &[]).await;
    let ended = bench.finish().await;
    let error = ended.job.error.expect("given up");
    assert_eq!(
        (error.code, error.message.as_str()),
        (ErrorCode::ETransient, "the URL of payload.image answered 503")
    );
    assert_eq!((host.asked(), bench.fake.requests().len()), (5, 0));
}

#[tokio::test]
async fn x15_p3_a_resend_fetches_again_and_is_not_sent_when_the_bytes_have_changed() {
    let faults = ["submit:timeout_after"];
    let host = Host::start(vec![image()]).await;
    let bench = host.bench(json!({ "image": host.url() }), &faults).await;
    bench.die().await;
    assert_eq!(bench.finish().await.job.state, JobState::Succeeded);
    assert_eq!((host.asked(), bench.fake.ledger().accepted(), bench.fake.ledger().merged()), (2, 1, 1));

    let other = answer(200, "Content-Type: image/png\r\n", b"\x89PNG\r\n\x1a\n of another cat");
    let host = Host::start(vec![image(), other]).await;
    let bench = host.bench(json!({ "image": host.url() }), &faults).await;
    bench.die().await;
    let ended = bench.finish().await;
    assert_eq!(ended.job.state, JobState::Uncertain, "{:?}", ended.job.error);
    assert!(ended.job.error.is_some_and(|error| error.message.contains("has changed since")));
    let submits = bench.lines().iter().filter(|line| line.as_str() == "POST /see").count();
    assert_eq!((submits, bench.fake.ledger().accepted()), (1, 1), "the other bytes were not sent");
}
