//! M4, M8: forms, multipart and raw bodies, as the engine writes and the fake reads them.

use emp_core::job::JobState;
use emp_core::{Connector, ErrorCode, Secret};
use serde_json::{Value, json};

use crate::bench::Bench;

const PNG: &str = "data:image/png;base64,iVBORw0KGgo=";

/// Takes a file and fields.
#[derive(Connector)]
#[connector(service = "files", version = "1.0.0", unregistered)]
#[http(base = "https://api.example.com")]
#[auth(bearer = api_key)]
#[submit(
    when = payload.form present,
    post = "/forms",
    form { text: payload.form, tags: payload.tags?, size: payload.size ?? 512, literal: true, ..payload.params },
    capture(id = "$.id"),
    idempotent(field("request_id"), ttl = "24h"),
)]
#[submit(
    when = payload.sound present,
    post = "/sounds",
    raw(file(payload.sound), content_type = "audio/wav"),
    capture(id = "$.id"),
    at_most_once,
)]
#[submit(
    post = "/images",
    multipart {
        image: file(payload.image, max = "1kB", types = ["image/png", "image/jpeg"]),
        mask: file(payload.mask?),
        "tags[]": [payload.first?, "always"],
        prompt: "a photo of {payload.subject}",
        seed: payload.seed?,
        ..payload.params
    },
    max_body = "2kB",
    capture(id = "$.id"),
    idempotent(header("Idempotency-Key"), ttl = "24h"),
)]
#[poll(post = "/status", form { id: job.id })]
#[states(at = "$.status", running = ["working"], succeeded = ["done"], unknown = running(warn))]
#[outcome(json = "$.result")]
struct Files {
    /// The key.
    #[env("FILES_KEY")]
    api_key: Secret,
}

async fn echo(payload: Value, faults: &[&str]) -> (Bench, Value) {
    let bench = Bench::new::<Files>(payload, faults).await;
    let ended = bench.finish().await;
    assert_eq!(ended.job.state, JobState::Succeeded, "{:?}", ended.job.error);
    assert_eq!(bench.fake.ledger().accepted(), 1);
    (bench, ended.job.result.unwrap_or_default()["echo"].clone())
}

#[tokio::test]
async fn m4_a_multipart_body_has_the_declared_parts() {
    let payload = json!({
        "image": { "base64": "iVBORw0KGgo=", "name": "../cat \"1\".png" }, "subject": "a cat", "seed": 7,
        "params": { "steps": 20, "note": "a\r\n--b", "styles": ["x", "y"], "nothing": null },
    });
    let (_, sent) = echo(payload, &[]).await;
    assert_eq!(sent["image"]["mime"], "image/png");
    assert_eq!(
        sent["image"]["file"], "cat %221%22.png",
        "the name cannot end its quotes, nor leave its folder"
    );
    assert_eq!(sent["image"]["bytes"], 8);
    assert_eq!(sent["tags[]"], "always", "what has no value has no part");
    assert_eq!((&sent["prompt"], &sent["seed"]), (&json!("a photo of a cat"), &json!("7")));
    assert_eq!((&sent["steps"], &sent["styles"]), (&json!("20"), &json!(["x", "y"])));
    assert_eq!(sent["note"], "a\r\n--b");
    assert!(sent.get("mask").is_none() && sent.get("nothing").is_none(), "{sent}");
}

#[tokio::test]
async fn m4_a_multipart_submit_that_is_sent_again_has_the_same_bytes() {
    let payload = json!({ "image": PNG, "subject": "a cat" });
    for fault in ["submit:cut_after", "submit:500_after", "submit:cut"] {
        let (bench, _) = echo(payload.clone(), &[fault]).await;
        let digests: std::collections::BTreeSet<String> = bench
            .fake
            .requests()
            .into_iter()
            .filter(|request| request.target.starts_with("/images"))
            .map(|request| request.digest)
            .collect();
        assert_eq!((digests.len(), bench.fake.ledger().conflicts), (1, 0), "{fault}");
    }
    let bench = Bench::new::<Files>(payload, &["submit:timeout_after"]).await;
    bench.die().await;
    assert_eq!(bench.finish().await.job.state, JobState::Succeeded);
    assert_eq!((bench.fake.ledger().accepted(), bench.fake.ledger().merged()), (1, 1));
}

#[tokio::test]
async fn m4_a_form_is_urlencoded_and_carries_the_key_where_it_is_declared() {
    let payload = json!({ "form": "a & b=c\n%", "tags": ["x", "y"], "params": { "n": 1.5, "yes": true } });
    let (bench, sent) = echo(payload, &["submit:cut_after"]).await;
    assert_eq!((&sent["text"], &sent["tags"]), (&json!("a & b=c\n%"), &json!(["x", "y"])));
    assert_eq!((&sent["size"], &sent["literal"]), (&json!("512"), &json!("true")));
    assert_eq!((&sent["n"], &sent["yes"]), (&json!("1.5"), &json!("true")));
    assert_eq!(
        bench.fake.ledger().entries[0].key.as_ref(),
        sent["request_id"].as_str().map(str::to_owned).as_ref()
    );
    assert_eq!(bench.fake.ledger().merged(), 1);
}

#[tokio::test]
async fn m4_a_raw_body_is_the_asset_itself() {
    let payload = json!({ "sound": "data:audio/x-wav;base64,UklGRiQAAABXQVZFZm10IA==" });
    let (bench, _) = echo(payload, &[]).await;
    let submit =
        bench.fake.requests().into_iter().find(|request| request.target == "/sounds").expect("a submit");
    // SHA-256 of the 16 bytes, by `sha256sum`.
    assert_eq!(submit.digest, "d19d18a983a363cdce2d41623462760cd49b2b8f0694e2636037b5a10ee2e83d");
}

#[tokio::test]
async fn m8_x15_what_does_not_fit_is_refused_before_anything_is_sent() {
    let image = |image: Value| json!({ "image": image, "subject": "a cat" });
    let long = "x".repeat(2000);
    for (payload, wanted) in [
        (
            image(json!("data:image/gif;base64,R0lGODlhAQABAA==")),
            "payload.image is image/gif and may be image/png, image/jpeg",
        ),
        (
            image(json!({ "base64": "R0lGODlhAQABAA==", "mime": "image/png" })),
            "payload.image is said to be image/png",
        ),
        (image(json!({ "base64": "bm90aGluZw==", "mime": "image/png" })), "and its first bytes are not"),
        (image(json!({ "base64": "?" })), "payload.image.base64 is not base64"),
        (
            image(json!({ "base64": "iVBORw0KGgo=", "name": "a\r\nb" })),
            "payload.image.name is not a file's name",
        ),
        (
            image(json!({ "base64": "iVBORw0KGgo=", "mime": "image/png\r\nX: y" })),
            "payload.image.mime is not a media type",
        ),
        (image(json!({ "base64": "iVBORw0KGgo=", "extra": 1 })), "payload.image has a member `extra`"),
        (image(json!({})), "payload.image has neither `url` nor `base64`, or both"),
        (image(json!(7)), "payload.image is neither a text nor an object"),
        (image(json!("/etc/passwd")), "payload.image is a path: workers read no files"),
        (image(json!("file:///etc/passwd")), "payload.image is a path"),
        (image(json!("ftp://example.com/a.png")), "payload.image is not an asset"),
        (image(json!("https://user:pw@example.com/a.png")), "payload.image has a user part"),
        (
            image(json!(format!("data:image/png;base64,iVBORw0KGgo{}=", "A".repeat(2000)))),
            "bytes and may have 1000",
        ),
        (json!({ "image": PNG, "subject": long }), "bytes and may have 2000 (`max_body`)"),
        (
            json!({ "image": PNG, "subject": "x", "params": { "a": { "b": 1 } } }),
            "payload.params.a is not a text",
        ),
        (
            json!({ "image": PNG, "subject": "x", "params": { "a\r\nX": 1 } }),
            "payload.params has a member whose name",
        ),
    ] {
        let bench = Bench::new::<Files>(payload, &[]).await;
        let error = bench.finish().await.job.error.expect(wanted);
        assert_eq!(error.code, ErrorCode::EInvalidInput, "{error}");
        assert!(error.message.contains(wanted), "{error} should say `{wanted}`");
        assert_eq!(bench.fake.requests(), [], "{wanted}");
    }
}
