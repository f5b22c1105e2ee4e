//! M7: several operations in one connector, chosen by the payload.

use emp_core::job::{JobState, UpstreamCancel};
use emp_core::{Connector, Secret};
use serde_json::{Value, json};

use crate::bench::Bench;

/// Makes images, edits those that it is given, and films in a way of its own.
#[derive(Connector)]
#[connector(service = "images", version = "1.0.0", unregistered)]
#[http(base = "https://api.example.com/v1")]
#[auth(bearer = api_key)]
#[submit(
    when = payload.video is url,
    post = "/videos",
    json { "video": payload.video },
    capture(id = "$.task", poll_url = "$.links.self"),
    at_most_once,
)]
#[submit(
    when = payload.image present,
    post = "/images",
    json { "mode": "edit", "image": payload.image, "prompt": payload.prompt },
    capture(id = "$.id"),
    idempotent(header("Idempotency-Key"), ttl = "24h"),
)]
#[submit(
    post = "/images",
    json { "mode": "new", "prompt": payload.prompt },
    capture(id = "$.id"),
    idempotent(header("Idempotency-Key"), ttl = "24h"),
)]
#[poll(when = payload.video is url, get = job.poll_url)]
#[poll(get = "/images/{job.id}")]
#[states(at = "$.status", running = ["working"], succeeded = ["done"], failed = ["error"], canceled = ["stopped"], unknown = running(warn))]
#[outcome(json = "$.result")]
#[cancel(post = "/cancel/{job.id}")]
struct Images {
    /// The key.
    #[env("IMAGES_KEY")]
    api_key: Secret,
}

async fn echo(payload: Value) -> (Bench, Value) {
    let bench = Bench::new::<Images>(payload, &[]).await;
    let ended = bench.finish().await;
    assert_eq!(ended.job.state, JobState::Succeeded, "{:?}", ended.job.error);
    assert_eq!(bench.fake.ledger().accepted(), 1);
    (bench, ended.job.result.unwrap_or_default()["echo"].clone())
}

#[tokio::test]
async fn m7_the_first_condition_that_holds_chooses_the_submit_and_the_last_submit_takes_the_rest() {
    let (bench, sent) = echo(json!({ "prompt": "a cat" })).await;
    assert_eq!(sent, json!({ "mode": "new", "prompt": "a cat" }));
    assert!(bench.lines().contains(&"GET /v1/images/fake-1".to_owned()), "{:?}", bench.lines());

    let (_, sent) = echo(json!({ "prompt": "a cat", "image": "x" })).await;
    assert_eq!(sent, json!({ "mode": "edit", "image": "x", "prompt": "a cat" }));

    // Both conditions hold: the first one wins. A text that is no URL is not a video.
    let (_, sent) = echo(json!({ "video": "https://example.com/a.mp4", "image": "x", "prompt": "p" })).await;
    assert_eq!(sent, json!({ "video": "https://example.com/a.mp4" }));
    let (_, sent) = echo(json!({ "video": "a.mp4", "prompt": "p" })).await;
    assert_eq!(sent["mode"], "new");
}

#[tokio::test]
async fn m7_an_operation_is_captured_and_polled_in_its_own_way() {
    let (bench, _) = echo(json!({ "video": "https://example.com/a.mp4" })).await;
    let polls = bench.lines().into_iter().filter(|line| line.starts_with("GET "));
    assert!(polls.clone().count() > 1 && polls.clone().all(|line| line.contains("/poll_url/")));
}

#[tokio::test]
async fn m7_a_lost_answer_is_settled_by_the_rule_of_the_operation() {
    let faults = ["submit:cut_after"];
    // Idempotent: sent again and merged.
    let bench = Bench::new::<Images>(json!({ "prompt": "a cat" }), &faults).await;
    assert_eq!(bench.finish().await.job.state, JobState::Succeeded);
    assert_eq!((bench.fake.ledger().accepted(), bench.fake.ledger().merged()), (1, 1));
    // At most once: never sent again.
    let bench = Bench::new::<Images>(json!({ "video": "https://example.com/a.mp4" }), &faults).await;
    assert_eq!(bench.finish().await.job.state, JobState::Uncertain);
    assert_eq!((bench.fake.ledger().accepted(), bench.fake.ledger().merged()), (1, 0));
}

#[tokio::test]
async fn m7_a_worker_that_takes_over_chooses_the_same_operation() {
    let payload = json!({ "prompt": "a cat", "image": "x" });
    let bench = Bench::new::<Images>(payload, &["submit:timeout_after"]).await;
    bench.die().await;
    assert_eq!(bench.finish().await.job.state, JobState::Succeeded);
    assert_eq!((bench.fake.ledger().accepted(), bench.fake.ledger().conflicts), (1, 0));
}

#[tokio::test]
async fn m7_a_cancel_is_verified_by_the_poll_of_the_operation() {
    let payload = json!({ "video": "https://example.com/a.mp4" });
    let bench = Bench::new::<Images>(payload, &["submit:job_never_ends", "poll:timeout"]).await;
    bench.die().await;
    bench.rig.cancel().await.expect("the store works");
    let ended = bench.finish().await;
    let upstream = ended.job.cancel.and_then(|cancel| cancel.upstream);
    assert_eq!((ended.job.state, upstream), (JobState::Cancelled, Some(UpstreamCancel::Confirmed)));
    let last = bench.lines().pop().expect("a request");
    assert!(last.contains("/poll_url/"), "{last}");
}
