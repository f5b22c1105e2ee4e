//! M6: requests before the submit. They cost nothing and may be repeated; the submit may not.

use emp_core::job::JobState;
use emp_core::{Connector, ErrorCode, Secret};
use emp_testkit::Step;
use serde_json::{Value, json};

use crate::bench::Bench;

const WAV: &str = "data:audio/wav;base64,UklGRiQAAABXQVZFZm10IA==";

/// Uploads first, where the audio is not at an URL already.
#[derive(Connector)]
#[connector(service = "speech", version = "1.0.0", unregistered)]
#[http(base = "https://api.example.com")]
#[auth(bearer = api_key)]
#[prepare(
    unless = payload.audio is url,
    post = "/upload",
    raw(file(payload.audio), content_type = "application/octet-stream"),
    capture(audio_url = "$.upload_url"),
)]
#[submit(
    post = "/transcripts",
    json { "audio": prepared.audio_url ?? url(payload.audio), "uploaded": prepared.audio_url? },
    capture(id = "$.id"),
    idempotent(header("Idempotency-Key"), ttl = "24h"),
)]
#[poll(get = "/transcripts/{job.id}")]
#[states(at = "$.status", running = ["working"], succeeded = ["done"], unknown = running(warn))]
#[outcome(json = "$.result")]
#[errors(message = "$.error", 422 => invalid_input, 401 => auth, 429 => rate_limited)]
struct Speech {
    /// The key.
    #[env("SPEECH_KEY")]
    api_key: Secret,
}

/// Uploads each image of a workflow.
#[derive(Connector)]
#[connector(service = "workflows", version = "1.0.0", unregistered)]
#[http(base = "https://api.example.com")]
#[auth(none)]
#[prepare(post = "/sessions", json { "user": payload.user }, capture(session = "$.session"))]
#[prepare(
    each = payload.uploads,
    when = item.file present,
    post = "/upload/{prepared.session}",
    multipart { image: file(item.file), name: item.name, overwrite: "true" },
    capture(names = "$.stored.name"),
)]
#[submit(
    post = "/prompt",
    json { "images": prepared.names, "session": prepared.session, "workflow": payload.workflow? },
    capture(id = "$.id"),
    at_most_once,
)]
#[poll(get = "/history/{job.id}")]
#[states(at = "$.status", running = ["working"], succeeded = ["done"], unknown = running(warn))]
#[outcome(json = "$.result")]
struct Workflows {}

fn count(bench: &Bench, step: Step) -> usize {
    bench.fake.requests().iter().filter(|request| request.step == Some(step)).count()
}

async fn echo<C: Connector>(payload: Value, faults: &[&str]) -> (Bench, Value) {
    let bench = Bench::new::<C>(payload, faults).await;
    let ended = bench.finish().await;
    assert_eq!(ended.job.state, JobState::Succeeded, "{faults:?}: {:?}", ended.job.error);
    assert_eq!((bench.fake.ledger().accepted(), ended.job.attempt), (1, 1), "{faults:?}");
    (bench, ended.job.result.unwrap_or_default()["echo"].clone())
}

#[tokio::test]
async fn m6_what_a_step_captures_is_sent_with_the_submit() {
    let (bench, sent) = echo::<Speech>(json!({ "audio": WAV }), &[]).await;
    assert_eq!(bench.lines()[..2], ["POST /upload", "POST /transcripts"]);
    let told = bench.fake.ledger().prepared[0].captured["audio_url"].clone();
    assert_eq!((&sent["audio"], &sent["uploaded"]), (&told, &told));
}

#[tokio::test]
async fn m6_a_step_whose_condition_does_not_hold_is_left_out() {
    for audio in [json!("https://example.com/a.wav"), json!({ "url": "https://example.com/a.wav" })] {
        let (bench, sent) = echo::<Speech>(json!({ "audio": audio }), &[]).await;
        assert_eq!(count(&bench, Step::Prepare), 0);
        assert_eq!(sent, json!({ "audio": "https://example.com/a.wav" }));
    }
}

#[tokio::test]
async fn m6_each_element_has_its_request_and_the_values_keep_the_order() {
    let uploads = json!([{ "file": WAV, "name": "a" }, { "note": "no file" }, { "file": WAV, "name": "b" }]);
    let (bench, sent) = echo::<Workflows>(json!({ "user": "me", "uploads": uploads }), &[]).await;
    let names: Vec<Value> = bench
        .fake
        .ledger()
        .prepared
        .iter()
        .map(|step| step.captured.get("names").cloned().unwrap_or_default())
        .collect();
    assert_eq!((count(&bench, Step::Prepare), names.len()), (3, 3), "the session and two files");
    assert_eq!(sent["images"], json!([names[1], null, names[2]]));
    assert_eq!(bench.lines()[1], "POST /upload/session-1", "a step sees what those before have captured");
    // No list and an empty list are the same.
    for payload in [json!({ "user": "me" }), json!({ "user": "me", "uploads": [] })] {
        let (_, sent) = echo::<Workflows>(payload, &[]).await;
        assert_eq!(sent["images"], json!([]));
    }
}

#[tokio::test]
async fn m6_an_element_that_does_not_fit_is_named_by_its_place_in_the_payload() {
    let uploads = json!([{ "file": WAV, "name": "a" }, { "file": "/etc/passwd", "name": "b" }]);
    let bench = Bench::new::<Workflows>(json!({ "user": "me", "uploads": uploads }), &[]).await;
    let error = bench.finish().await.job.error.expect("a path is refused");
    assert!(error.message.starts_with("payload.uploads[1].file is a path"), "{error}");
    let uploads = json!([{ "file": WAV }]);
    let bench = Bench::new::<Workflows>(json!({ "user": "me", "uploads": uploads }), &[]).await;
    let error = bench.finish().await.job.error.expect("a name is missing");
    assert_eq!(error.message, "payload.uploads[0].name has no value");
    assert_eq!((error.code, bench.fake.ledger().accepted()), (ErrorCode::EInvalidInput, 0));
}

#[tokio::test]
async fn m6_a_fault_that_passes_is_met_by_doing_the_step_again() {
    for fault in [
        "prepare:500",
        "prepare:cut",
        "prepare:cut_after",
        "prepare:503=3s",
        "prepare:429=40s",
        "prepare:500_after*3",
        "prepare:cut_body",
    ] {
        let (bench, _) = echo::<Speech>(json!({ "audio": WAV }), &[fault]).await;
        assert!(count(&bench, Step::Prepare) > 1, "{fault}");
    }
}

#[tokio::test]
async fn f24_a_job_waits_in_the_queue_while_nobody_is_there_to_take_its_step() {
    let bench = Bench::closed::<Speech>(json!({ "audio": WAV })).await;
    for _ in 0..8 {
        let given_back = bench.rig.attempt().await.expect("the store works").expect("it can be claimed");
        assert_eq!((given_back.state, given_back.attempt), (JobState::Waiting, 0), "{:?}", given_back.error);
        bench.rig.clock().advance(std::time::Duration::from_hours(1));
    }
    bench.fake.open().expect("opens");
    let ended = bench.finish().await;
    assert_eq!(ended.job.state, JobState::Succeeded, "{:?}", ended.job.error);
    assert_eq!((bench.fake.ledger().accepted(), ended.job.attempt), (1, 1));
}

#[tokio::test]
async fn m6_a_refusal_of_a_step_fails_the_job_with_its_class_and_nothing_is_submitted() {
    for (fault, code) in [
        ("prepare:422*", ErrorCode::EInvalidInput),
        ("prepare:401*", ErrorCode::EAuth),
        ("prepare:413*", ErrorCode::EServiceRejected),
        ("prepare:500*", ErrorCode::ETransient),
        ("prepare:html*", ErrorCode::EBadResponse),
    ] {
        let bench = Bench::new::<Speech>(json!({ "audio": WAV }), &[fault]).await;
        let ended = bench.finish().await;
        let error = ended.job.error.expect(fault);
        assert_eq!((ended.job.state, error.code), (JobState::Failed, code), "{fault}: {error}");
        assert_eq!(error.billed, emp_core::error::Billed::No, "{fault}");
        assert_eq!((count(&bench, Step::Submit), ended.job.attempt), (0, 0), "{fault}");
    }
}

#[tokio::test]
async fn m6_a_worker_that_dies_between_the_step_and_the_submit_leaves_one_accepted_submit() {
    // Before the intent: the next owner does the step again. After it: the stored values, and so the same bytes.
    for (fault, steps) in [("prepare:timeout_after", 2), ("submit:timeout_after", 1), ("submit:timeout", 1)] {
        let bench = Bench::new::<Speech>(json!({ "audio": WAV }), &[fault]).await;
        bench.die().await;
        let ended = bench.finish().await;
        assert_eq!(ended.job.state, JobState::Succeeded, "{fault}: {:?}", ended.job.error);
        let ledger = bench.fake.ledger();
        assert_eq!(
            (ledger.accepted(), ledger.conflicts, count(&bench, Step::Prepare)),
            (1, 0, steps),
            "{fault}"
        );
        let last = ledger.prepared.last().map(|step| step.captured.clone());
        assert_eq!(ended.job.intent.map(|intent| intent.prepared), last, "{fault}: stored with the intent");
    }
}

#[tokio::test]
async fn m6_a_cancel_during_a_step_leaves_nothing_at_the_service() {
    let bench = Bench::new::<Speech>(json!({ "audio": WAV }), &["prepare:timeout"]).await;
    bench.die().await;
    bench.rig.cancel().await.expect("the store works");
    let ended = bench.finish().await;
    assert_eq!((ended.job.state, bench.fake.ledger().accepted()), (JobState::Cancelled, 0));
}
