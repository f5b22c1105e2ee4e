//! Answers that come piece by piece (M59, X9): judged as every answer is, and never taken for whole when they are not.

use std::sync::Arc;
use std::time::Duration;

use emp_core::ErrorCode;
use emp_core::error::Billed;
use emp_core::job::{Delta, UpstreamCancel};
use emp_core::spec::{Cancel, Outcome, Settle, States, Stream, StreamFormat, Take};
use emp_engine::port::Stop;
use emp_engine::run::{End, Next};
use emp_syntax::hole::{Literal, Root};
use emp_syntax::json::{Json, Member};
use emp_syntax::rule::{Comparison, FailureKind, Predicate, StateRule, StateVerdict};
use emp_syntax::selector::{Selector, Source};
use serde_json::{Value, json};

use crate::support::{
    Declared, MemoryPort, Reply, SECRET, Server, at, capture, declared, engine, failed, finish, job, list,
    reference, reply, reply_with, run, whole,
};

fn equals(selector: Selector, value: Literal) -> Predicate {
    Predicate::Compare { selector, op: Comparison::Eq, value }
}

/// A chat service in the manner of OpenAI: it always streams.
fn streaming(format: StreamFormat) -> Declared {
    let text = |word: &'static str| Literal::Text(word.into());
    declared().with(|http| {
        http.poll = None;
        http.submit.capture = &[];
        http.states = States {
            rules: list(vec![
                StateRule {
                    when: equals(at("$.finish"), text("filtered")),
                    then: StateVerdict::Failed { kind: FailureKind::Moderated, message: None },
                },
                // As a sync declaration ends: it must not end a stream at its first event.
                StateRule {
                    when: equals(
                        Selector { source: Source::Code, reducers: vec![].into() },
                        Literal::Int(200),
                    ),
                    then: StateVerdict::Succeeded,
                },
            ]),
            ..States::DEFAULT
        };
        http.outcome = Outcome {
            take: Take {
                text: list(vec![Selector { source: Source::Deltas, reducers: vec![].into() }]),
                ..Take::DEFAULT
            },
            meta: list(vec![capture("usage", at("$.usage")), capture("finish", at("$.finish"))]),
            ..Outcome::DEFAULT
        };
        http.stream = Some(Stream {
            format,
            when: None,
            body: Some(Json::Object(
                vec![Member::Field { name: "stream".into(), value: Json::Literal(Literal::Bool(true)) }]
                    .into(),
            )),
            delta: list(vec![at("$.text")]),
            done: Some(equals(at("$.done"), Literal::Bool(true))),
            end: Some("[DONE]"),
            error: list(vec![at("$.error")]),
            idle_timeout: Duration::from_millis(150),
        });
    })
}

fn events(body: &str) -> Reply {
    Reply::Raw(format!("HTTP/1.1 200 X\r\nContent-Type: text/event-stream\r\n\r\n{body}").into_bytes())
}

fn lines(body: &str) -> Reply {
    Reply::Raw(format!("HTTP/1.1 200 X\r\nContent-Type: application/x-ndjson\r\n\r\n{body}").into_bytes())
}

async fn ended(
    format: StreamFormat,
    answer: impl Fn() -> Reply + Send + Sync + 'static,
) -> (End, Vec<Delta>, Server) {
    let server = Server::start(move |_| answer()).await;
    let (end, port) = whole(&streaming(format).loaded(&server.url()), &server.log).await;
    let deltas = port.deltas.lock().unwrap().clone();
    (end, deltas, server)
}

fn told(deltas: &[Delta]) -> String {
    deltas.iter().map(|delta| delta.text.as_str()).collect()
}

#[tokio::test]
async fn m59_server_sent_events_are_told_as_they_come_and_are_the_result_together() {
    let body = "\u{feff}: hello\r\n\r\nevent: x\r\ndata: {\"text\":\"Gr\"}\r\n\r\ndata: {\"text\":\"üß\",\ndata: \"finish\":\"stop\"}\n\n\
                data: {\"usage\":{\"tokens\":2}}\n\ndata: [DONE]\n\n";
    let (end, deltas, server) = ended(StreamFormat::Sse, || events(body)).await;
    let End::Succeeded { result, meta } = end else { panic!("{end:?}") };
    assert_eq!(result, json!("Grüß"));
    assert_eq!(Value::Object(meta), json!({ "finish": "stop", "usage": { "tokens": 2 } }));
    assert_eq!(told(&deltas), "Grüß");
    assert_eq!(deltas.iter().map(|delta| delta.start).collect::<Vec<_>>(), [true, false]);
    let sent: Value = serde_json::from_str(&server.seen()[0].body).unwrap();
    assert_eq!(sent, json!({ "prompt": "a cat", "stream": true }));
}

#[tokio::test]
async fn m59_lines_end_with_the_declared_last_one() {
    let body = "{\"text\":\"a\"}\n\r\n{\"text\":\"b\",\"done\":true,\"usage\":7}\n{\"text\":\"after\"}\n";
    let (end, deltas, _) = ended(StreamFormat::Ndjson, || lines(body)).await;
    let End::Succeeded { result, meta } = end else { panic!("{end:?}") };
    assert_eq!((result, meta["usage"].clone(), told(&deltas)), (json!("ab"), json!(7), "ab".to_owned()));
}

#[tokio::test]
async fn x9_an_error_inside_a_stream_is_a_failure_though_the_code_was_200() {
    let body = "data: {\"text\":\"half\"}\n\ndata: {\"error\":\"the model fell over\"}\n\ndata: [DONE]\n\n";
    let (end, deltas, server) = ended(StreamFormat::Sse, || events(body)).await;
    let error = match end {
        End::Failed(error) | End::Retry { error, .. } => error,
        other => panic!("{other:?}"),
    };
    assert_eq!((error.code, error.billed), (ErrorCode::EServiceFailed, Billed::Yes));
    assert!(error.detail.unwrap().contains("fell over"));
    assert_eq!((told(&deltas).as_str(), server.count("POST")), ("half", 1));
}

#[tokio::test]
async fn x9_the_rules_of_the_states_judge_each_event() {
    let body = "data: {\"text\":\"a\"}\n\ndata: {\"finish\":\"filtered\"}\n\ndata: [DONE]\n\n";
    let (end, ..) = ended(StreamFormat::Sse, || events(body)).await;
    assert_eq!(failed(end).code, ErrorCode::EModerated);
}

#[tokio::test]
async fn f33_a_stream_that_ends_before_its_end_is_a_lost_answer_and_never_a_result() {
    let half = "data: {\"text\":\"half\"}\n\n";
    let cut = || {
        Reply::Raw(
        b"HTTP/1.1 200 X\r\nContent-Type: text/event-stream\r\nContent-Length: 900\r\n\r\ndata: {\"text\":\"half\"}\n\n".to_vec(),
    )
    };
    let halves = "data: {\"text\":\"half\"}\n\ndata: {\"done\":tr";
    for answer in [
        Box::new(move || events(half)) as Box<dyn Fn() -> Reply + Send + Sync>,
        Box::new(cut),
        Box::new(move || events(halves)),
    ] {
        let (end, deltas, server) = ended(StreamFormat::Sse, answer).await;
        let End::Uncertain(error) = end else { panic!("{end:?}") };
        assert_eq!((error.code, error.billed), (ErrorCode::ESubmitUncertain, Billed::Maybe));
        assert_eq!((told(&deltas).as_str(), server.count("POST")), ("half", 1), "told, and never sent again");
    }
}

#[tokio::test]
async fn f32_a_stream_that_falls_silent_or_never_ends_is_a_lost_answer() {
    let head =
        b"HTTP/1.1 200 X\r\nContent-Type: text/event-stream\r\n\r\ndata: {\"text\":\"a\"}\n\n".to_vec();
    let silent = Reply::Drip(head.clone(), Vec::new(), Duration::from_mins(1));
    let server = Server::start(move |_| match &silent {
        Reply::Drip(first, again, pause) => Reply::Drip(first.clone(), again.clone(), *pause),
        _ => Reply::Cut,
    })
    .await;
    let (end, _) = whole(&streaming(StreamFormat::Sse).loaded(&server.url()), &server.log).await;
    assert!(matches!(&end, End::Uncertain(error) if error.message.contains("idle_timeout")), "{end:?}");

    // Comments keep it alive until the deadline of the whole.
    let server =
        Server::start(move |_| Reply::Drip(head.clone(), b": alive\n\n".to_vec(), Duration::from_millis(20)))
            .await;
    let slow = streaming(StreamFormat::Sse).with(|http| {
        http.submit.request.timeout = Some(emp_core::spec::Setting::Fixed(Duration::from_millis(300)));
    });
    let (end, _) = whole(&slow.loaded(&server.url()), &server.log).await;
    assert!(matches!(&end, End::Uncertain(error) if error.message.contains("in time")), "{end:?}");
}

#[tokio::test]
async fn i29_i34_an_event_and_a_stream_have_their_limits() {
    for format in [StreamFormat::Sse, StreamFormat::Ndjson] {
        let kind =
            if matches!(format, StreamFormat::Sse) { "text/event-stream" } else { "application/x-ndjson" };
        let head = format!("HTTP/1.1 200 X\r\nContent-Type: {kind}\r\n\r\ndata: ").into_bytes();
        let server =
            Server::start(move |_| Reply::Drip(head.clone(), vec![b'a'; 1 << 16], Duration::ZERO)).await;
        let (end, _) = whole(&streaming(format).loaded(&server.url()), &server.log).await;
        assert!(matches!(&end, End::Uncertain(error) if error.message.contains("an event")), "{end:?}");
    }
    let server = Server::start(|_| {
        let head = b"HTTP/1.1 200 X\r\nContent-Type: text/event-stream\r\n\r\n".to_vec();
        Reply::Drip(head, b"data: {\"text\":\"abcdefgh\"}\n\n".repeat(100), Duration::ZERO)
    })
    .await;
    let mut small = streaming(StreamFormat::Sse);
    small.limits.max_response = Some(10_000);
    let (end, _) = whole(&small.loaded(&server.url()), &server.log).await;
    assert!(matches!(&end, End::Uncertain(error) if error.message.contains("10000 bytes")), "{end:?}");
}

#[tokio::test]
async fn i36_an_answer_that_is_no_stream_is_judged_as_any_other() {
    let server = Server::start(|_| reply(200, r#"{"answer":"whole"}"#)).await;
    let one = streaming(StreamFormat::Sse).with(|http| http.outcome.take.text = list(vec![at("$.answer")]));
    let (end, port) = whole(&one.loaded(&server.url()), &server.log).await;
    assert!(matches!(&end, End::Succeeded { result, .. } if result == "whole"), "{end:?}");
    assert!(port.deltas.lock().unwrap().is_empty());

    let (end, ..) = ended(StreamFormat::Sse, || reply_with(429, "Retry-After: 7\r\n", "{}")).await;
    assert!(matches!(&end, End::GiveBack { after, .. } if after.as_secs() == 7), "{end:?}");
}

#[tokio::test]
async fn i48_a_secret_that_is_echoed_in_pieces_is_not_told() {
    let (first, second) = SECRET.split_at(SECRET.len() / 2);
    let body = format!(
        "data: {{\"text\":\"key {first}\"}}\n\ndata: {{\"text\":\"{second} end\"}}\n\ndata: [DONE]\n\n"
    );
    let server = Server::start(move |_| events(&body)).await;
    let (_, port) = whole(&streaming(StreamFormat::Sse).loaded(&server.url()), &server.log).await;
    let deltas = port.deltas.lock().unwrap().clone();
    assert_eq!(told(&deltas), "key [redacted] end");
    assert!(deltas.iter().all(|delta| !delta.text.contains(first)), "{deltas:?}");
}

#[tokio::test]
async fn p15_a_cancel_closes_the_connection() {
    let server = Server::start(|_| {
        let head = b"HTTP/1.1 200 X\r\nContent-Type: text/event-stream\r\n\r\n".to_vec();
        Reply::Drip(head, b"data: {\"text\":\"a\"}\n\n".to_vec(), Duration::from_millis(10))
    })
    .await;
    for (stops, upstream) in [(true, UpstreamCancel::Confirmed), (false, UpstreamCancel::Unknown)] {
        let connector = streaming(StreamFormat::Sse)
            .with(|http| {
                http.cancel = stops.then_some(Cancel::DEFAULT);
            })
            .loaded(&server.url());
        let (engine, port) = (engine(), MemoryPort::new(Arc::default()));
        let mut run = run(&engine, &connector, job(json!({ "prompt": "a cat" })), &port);
        let cancelling = Arc::clone(&port);
        let cancel = async move {
            while cancelling.deltas.lock().unwrap().is_empty() {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            cancelling.stop_with(Stop::Cancel);
        };
        let (next, ()) = tokio::join!(engine.step(&mut run), cancel);
        assert!(matches!(next, Next::End(End::Cancelled(seen)) if seen == upstream), "{next:?}");
    }
}

#[tokio::test]
async fn m59_the_payload_says_which_jobs_are_streamed() {
    let on_demand = || {
        streaming(StreamFormat::Sse).with(|http| {
            let asked = Selector {
                source: Source::Reference(reference(Root::Payload, &["stream"])),
                reducers: vec![].into(),
            };
            if let Some(stream) = &mut http.stream {
                stream.when = Some(equals(asked, Literal::Bool(true)));
            }
        })
    };
    for asked in [true, false] {
        let server = Server::start(|_| events("data: {\"text\":\"a\"}\n\ndata: [DONE]\n\n")).await;
        let (engine, port) = (engine(), MemoryPort::new(Arc::default()));
        let payload = json!({ "prompt": "a cat", "stream": asked });
        let mut run = run(&engine, &on_demand().loaded(&server.url()), job(payload), &port);
        let end = finish(&engine, &mut run, &port).await;
        assert_eq!(matches!(end, End::Succeeded { .. }), asked, "{end:?}");
        assert_eq!(server.seen()[0].body.contains("stream"), asked);
    }
}

#[tokio::test]
async fn p02_a_keyed_stream_that_breaks_off_is_sent_again_with_the_same_bytes() {
    let first = std::sync::atomic::AtomicBool::new(true);
    let server = Server::start(move |_| {
        let broken = first.swap(false, std::sync::atomic::Ordering::SeqCst);
        events(if broken {
            "data: {\"text\":\"lost\"}\n\n"
        } else {
            "data: {\"text\":\"found\"}\n\ndata: [DONE]\n\n"
        })
    })
    .await;
    let keyed = streaming(StreamFormat::Sse).with(|http| {
        http.submit.settle = Settle::Idempotent {
            key: emp_core::spec::KeyPlace::Header("idempotency-key"),
            ttl: Duration::from_hours(24),
        };
    });
    let (end, port) = whole(&keyed.loaded(&server.url()), &server.log).await;
    assert!(matches!(&end, End::Succeeded { result, .. } if result == "found"), "{end:?}");
    let deltas = port.deltas.lock().unwrap().clone();
    assert_eq!(
        deltas,
        [Delta { start: true, text: "lost".into() }, Delta { start: true, text: "found".into() }]
    );
    let seen = server.seen();
    assert_eq!((seen.len(), &seen[0].body), (2, &seen[1].body));
}

#[tokio::test]
async fn m59_chunks_are_told_beside_the_poll() {
    let polls = std::sync::atomic::AtomicUsize::new(0);
    let server = Server::start(move |seen| match (seen.method.as_str(), seen.path.as_str()) {
        ("POST", _) => reply(200, r#"{"id":"j1"}"#),
        (_, "/stream/j1") => match polls.load(std::sync::atomic::Ordering::SeqCst) {
            1 => reply(200, r#"{"stream":[{"output":"a"},{"output":"b"}]}"#),
            2 => reply(500, "{}"),
            _ => reply(200, r#"{"stream":[{"output":{"c":1}}]}"#),
        },
        _ => match polls.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
            0 | 1 => reply(200, r#"{"status":"running"}"#),
            _ => reply(200, r#"{"status":"succeeded","output":"whole"}"#),
        },
    })
    .await;
    let chunked = declared().with(|http| {
        let stream = streaming(StreamFormat::Sse).http.stream.unwrap();
        let request = crate::support::request("GET", crate::support::job_path("/stream/", ""));
        let items = at("$.stream[*].output");
        http.stream = Some(Stream { format: StreamFormat::Chunks { request, items }, delta: &[], ..stream });
    });
    let (end, port) = whole(&chunked.loaded(&server.url()), &server.log).await;
    assert!(matches!(&end, End::Succeeded { result, .. } if result == "whole"), "{end:?}");
    assert_eq!(told(&port.deltas.lock().unwrap()), r#"ab{"c":1}"#);
}
