//! Declared streams against their fakes (M59, X9, X11): told while they come, and never paid for twice.

use emp_core::connector::Entry;
use emp_core::error::Billed;
use emp_core::job::{Delta, JobState};
use emp_core::{Connector, ErrorCode, Secret, Url};
use serde_json::json;

use crate::bench::Bench;

/// Lines, always.
#[derive(Connector)]
#[connector(service = "lines", version = "1.0.0", mode = stream, unregistered)]
#[http(base = env.url)]
#[auth(none)]
#[submit(post = "/api/generate", json { "prompt": payload.prompt }, at_most_once)]
#[stream(ndjson, delta = "$.response", done = "$.done" == true, error = "$.error", idle_timeout = "100ms")]
#[outcome(text = deltas, meta(tokens = "$.eval_count"))]
struct Lines {
    /// Where it is.
    #[env("LINES_URL", default = "http://127.0.0.1:11434")]
    url: Url,
}

/// Server-sent events, on demand.
#[derive(Connector)]
#[connector(service = "events", version = "1.0.0", mode = sync, unregistered)]
#[http(base = "https://api.example.com/v1")]
#[auth(bearer = api_key)]
#[submit(post = "/chat", json { "prompt": payload.prompt, "n": payload.n? }, at_most_once)]
#[stream(sse, when = payload.n absent, json { "stream": true }, delta = "$.choices[0].delta.content", end = "[DONE]", error = "$.error.message")]
#[states(rules("$.choices[0].finish_reason" == "content_filter" => failed(moderated)))]
#[outcome(text = ["$.choices[0].message.content", deltas], meta(usage = "$.usage"))]
struct Events {
    /// The key.
    #[env("EVENTS_KEY")]
    api_key: Secret,
}

/// Chunks beside a poll.
#[derive(Connector)]
#[connector(service = "chunks", version = "1.0.0", unregistered)]
#[http(base = "https://api.example.com/v2")]
#[auth(bearer = api_key)]
#[submit(post = "/run", json { "prompt": payload.prompt }, capture(id = "$.id"), at_most_once)]
#[poll(get = "/status/{job.id}")]
#[stream(chunks(get = "/stream/{job.id}", items = "$.stream[*].output"))]
#[states(at = "$.status", queued = ["IN_QUEUE"], running = ["IN_PROGRESS"], succeeded = ["COMPLETED"], failed = ["FAILED"], unknown = running(warn))]
#[outcome(json = "$.output")]
struct Chunks {
    /// The key.
    #[env("CHUNKS_KEY")]
    api_key: Secret,
}

static LINES: Entry = Entry::of::<Lines>();
static EVENTS: Entry = Entry::of::<Events>();
static CHUNKS: Entry = Entry::of::<Chunks>();

fn told(deltas: &[Delta]) -> String {
    deltas.iter().map(|delta| delta.text.as_str()).collect()
}

#[tokio::test]
async fn m59_x11_a_fake_streams_what_the_declaration_reads() {
    for entry in [&LINES, &EVENTS] {
        let bench = Bench::new(entry, &[]).await;
        let ended = bench.finish().await;
        assert_eq!(ended.job.state, JobState::Succeeded, "{}: {:?}", entry.spec.name, ended.job.error);
        assert_eq!(ended.job.result, Some(json!("text of the fake service")));
        assert_eq!(told(&ended.deltas), "text of the fake service");
        assert!(ended.deltas.len() > 1 && !ended.job.meta.is_empty());
    }
}

#[tokio::test]
async fn m59_x11_a_fake_gives_chunks_beside_the_poll() {
    let ended = Bench::new(&CHUNKS, &["chunks:500@2"]).await.finish().await;
    assert_eq!(ended.job.state, JobState::Succeeded, "{:?}", ended.job.error);
    assert_eq!(told(&ended.deltas), "text of the fake service", "what one request missed, the next one has");
    assert!(ended.deltas.len() > 1, "{:?}", ended.deltas);
}

#[tokio::test]
async fn x9_an_error_in_a_stream_is_a_failure() {
    for entry in [&LINES, &EVENTS] {
        let ended = Bench::new(entry, &["submit:job_fails=service*"]).await.finish().await;
        let error = ended.job.error.expect("an error");
        assert_eq!(
            (error.code, error.billed),
            (ErrorCode::EServiceFailed, Billed::Yes),
            "{}",
            entry.spec.name
        );
        assert!(!ended.deltas.is_empty(), "some text came before it");
    }
    let ended = Bench::new(&EVENTS, &["submit:job_fails=moderated*"]).await.finish().await;
    assert_eq!(ended.job.error.map(|error| error.code), Some(ErrorCode::EModerated));
}

#[tokio::test]
async fn f32_f33_a_stream_that_breaks_off_is_uncertain_and_sent_once() {
    for entry in [&LINES, &EVENTS] {
        for fault in ["submit:cut_body", "submit:ends_early"] {
            let bench = Bench::new(entry, &[fault]).await;
            let ended = bench.finish().await;
            assert_eq!(ended.job.state, JobState::Uncertain, "{fault}: {:?}", ended.job.error);
            assert_eq!((bench.fake.ledger().accepted(), ended.job.attempt), (1, 1), "{fault}");
            assert!(!ended.deltas.is_empty(), "{fault}: some text came before it");
        }
    }
    let ended = Bench::new(&LINES, &["submit:job_never_ends"]).await.finish().await;
    assert!(ended.job.error.expect("an error").message.contains("idle_timeout"));
}

#[tokio::test]
async fn f02_death_in_the_middle_of_a_stream_costs_nothing_more() {
    let bench = Bench::new(&EVENTS, &["submit:job_never_ends"]).await;
    bench.die().await;
    let so_far = bench.rig.ended().await.expect("the job").deltas;
    assert!(!so_far.is_empty(), "it was in the middle");
    let ended = bench.finish().await;
    assert_eq!(ended.job.state, JobState::Uncertain, "{:?}", ended.job.error);
    assert_eq!((bench.fake.ledger().accepted(), ended.job.attempt, ended.job.deliveries), (1, 1, 2));
    assert_eq!(ended.deltas, so_far, "nobody tells anything of it any more");
}
