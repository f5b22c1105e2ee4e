//! Submits: the intent comes first (P2), errors are sorted by when (P4), and each settle rule settles.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use emp_core::ErrorCode;
use emp_core::error::Billed;
use emp_core::job::{Intent, Job, Phase};
use emp_core::spec::{
    Auth, Body, Follow, HttpProtocol, KeyPlace, Lookup, Outcome, Setting, Settle, States, Take, UrlSpec,
};
use emp_engine::gateway::Patience;
use emp_engine::key;
use emp_engine::port::Stop;
use emp_engine::run::{End, Next};
use emp_syntax::hole::{Reference, Root};
use emp_syntax::rule::{CodePattern, ErrorRule, FailureKind};
use serde_json::json;

use crate::support::{
    Declared, MemoryPort, Reply, SECRET, Server, at, capture, declared, engine, engine_with, failed, finish,
    header, job, list, path, reference, reply, reply_with, request, run, whole,
};

/// A service that answers the nth submit by a function and every poll with success.
async fn service(submit: impl Fn(usize) -> Reply + Send + Sync + 'static) -> Server {
    let count = AtomicUsize::new(0);
    Server::start(move |seen| match seen.method.as_str() {
        "POST" => submit(count.fetch_add(1, Ordering::SeqCst)),
        _ => reply(200, r#"{"status":"succeeded","output":"done"}"#),
    })
    .await
}

fn settled(settle: Settle) -> Declared {
    declared().with(|http| http.submit.settle = settle)
}

fn keyed() -> Settle {
    Settle::Idempotent { key: KeyPlace::Header("idempotency-key"), ttl: Duration::from_hours(24) }
}

/// A job whose worker died after the intent.
fn resumed(declared: Declared, server: &Server) -> (Arc<emp_core::connector::Loaded>, Job) {
    let connector = declared.loaded(&server.url());
    let mut job = job(json!({ "prompt": "a cat" }));
    let key = key::derive(&job.id, 1);
    let context = emp_engine::context::Context::of(&job, &connector, &key);
    let http = connector.spec.http().unwrap();
    let request = emp_engine::request::submit(http, &http.submit, &context).unwrap();
    let digest = key::digest(&request);
    job.intent = Some(Intent {
        connector: "TestConnector".to_owned(),
        fingerprint: 7,
        key,
        digest,
        prepared: serde_json::Map::new(),
        at: job.created_at,
    });
    job.phase = Some(Phase::Submitting);
    job.attempt = 1;
    (connector, job)
}

async fn resume(declared: Declared, server: &Server) -> End {
    let (connector, job) = resumed(declared, server);
    let (engine, port) = (engine(), MemoryPort::new(Arc::clone(&server.log)));
    let mut run = run(&engine, &connector, job, &port);
    finish(&engine, &mut run, &port).await
}

#[tokio::test]
async fn p02_f25_the_intent_is_stored_before_the_first_byte_and_the_id_before_the_first_poll() {
    let server = service(|_| reply(201, r#"{"id":"j1"}"#)).await;
    let (end, _) = whole(&declared().loaded(&server.url()), &server.log).await;
    assert!(matches!(end, End::Succeeded { result, .. } if result == json!("done")));
    let key = key::derive(&job(json!({})).id, 1);
    assert_eq!(server.log(), [&format!("intent {key}"), "POST /jobs", "submitted j1", "GET /jobs/j1"]);
}

#[tokio::test]
async fn p05_a_fenced_worker_sends_nothing() {
    let server = service(|_| reply(201, r#"{"id":"j1"}"#)).await;
    for stop in [Stop::Fenced, Stop::Cancel, Stop::HandOver] {
        let (engine, log) = (engine(), Arc::default());
        let port = Arc::new(MemoryPort { stop_at_intent: Some(stop), ..MemoryPort::bare(Arc::clone(&log)) });
        let connector = declared().loaded(&server.url());
        let mut run = run(&engine, &connector, job(json!({ "prompt": "a cat" })), &port);
        assert!(matches!(engine.step(&mut run).await, Next::Stopped(seen) if seen == stop));
        let withdrawn = log.lock().unwrap().iter().any(|line: &String| line.starts_with("not_sent"));
        assert_eq!(withdrawn, stop != Stop::Fenced, "a fenced worker writes nothing either");
    }
    assert_eq!(server.seen().len(), 0);
}

#[tokio::test]
async fn f24_no_connection_is_not_an_attempt() {
    let port = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    let log = Arc::default();
    let (end, _) = whole(&declared().loaded(&format!("http://127.0.0.1:{port}")), &log).await;
    assert!(
        matches!(&end, End::GiveBack { reason, after } if reason.contains("E_CONNECT") && !after.is_zero()),
        "{end:?}"
    );
    let log = log.lock().unwrap();
    assert!(log[0].starts_with("intent") && log[1].starts_with("not_sent"), "{log:?}");
}

#[tokio::test]
async fn f24_i45_a_refused_certificate_sends_nothing() {
    // A server without TLS: the handshake fails before a byte of the request.
    let server = Server::start(|_| reply(200, "{}")).await;
    let url = server.url().replace("http:", "https:");
    let (end, _) = whole(&declared().loaded(&url), &server.log).await;
    assert!(
        matches!(&end, End::GiveBack { reason, .. } if reason.contains("E_TLS") || reason.contains("E_CONNECT")),
        "{end:?}"
    );
    assert!(!format!("{end:?}{:?}", server.seen()).contains(SECRET));
}

#[tokio::test]
async fn f24_an_unknown_name_is_no_connection() {
    let log = Arc::default();
    let (end, _) = whole(&declared().loaded("http://nowhere.invalid"), &log).await;
    assert!(matches!(&end, End::GiveBack { reason, .. } if reason.contains("E_CONNECT")), "{end:?}");
}

#[tokio::test]
async fn f26_an_accepted_submit_without_an_id_is_an_unknown_outcome() {
    for body in ["{}", "<html>welcome</html>", "", r#"{"id":null}"#, r#"{"id":["a"]}"#, r#"{"id":1e3}"#] {
        let server = service(move |_| reply(200, body)).await;
        let (end, _) = whole(&declared().loaded(&server.url()), &server.log).await;
        let End::Uncertain(error) = end else { panic!("{body}: {end:?}") };
        assert_eq!((error.code, error.billed), (ErrorCode::ESubmitNoId, Billed::Maybe), "{body}");
        assert_eq!(server.count("POST"), 1, "{body}");
    }
}

#[tokio::test]
async fn f27_f28_a_definite_refusal_fails_at_once() {
    for (status, code) in [
        (400, ErrorCode::EServiceRejected),
        (401, ErrorCode::EAuth),
        (402, ErrorCode::EBilling),
        (403, ErrorCode::EAuth),
        (404, ErrorCode::EServiceRejected),
        (422, ErrorCode::EServiceRejected),
    ] {
        let server = service(move |_| reply(status, r#"{"error":"no such model"}"#)).await;
        let (end, _) = whole(&declared().loaded(&server.url()), &server.log).await;
        let error = failed(end);
        assert_eq!((error.code, error.billed), (code, Billed::No), "{status}");
        assert_eq!(error.detail.as_deref(), Some("no such model"));
        assert_eq!(server.count("POST"), 1);
    }
}

#[tokio::test]
async fn f27_a_refused_credential_stops_the_other_jobs_of_the_credential() {
    let server = service(|_| reply(401, "{}")).await;
    let connector = declared().loaded(&server.url());
    let engine = engine();
    let mut ends = Vec::new();
    for _ in 0..20 {
        let port = MemoryPort::new(Arc::default());
        let mut run = run(&engine, &connector, job(json!({ "prompt": "a cat" })), &port);
        ends.push(finish(&engine, &mut run, &port).await);
    }
    assert_eq!(server.count("POST"), 1);
    assert!(ends[1..].iter().all(|end| matches!(end, End::GiveBack { .. })));
    let (after, why) = engine.paused(&connector).unwrap();
    assert!(after > Duration::from_secs(50) && why.contains("credential"), "{why}");
}

#[tokio::test]
async fn f29_a_409_for_the_key_waits_and_sends_the_same_again() {
    let server = service(|n| if n == 0 { reply(409, "{}") } else { reply(200, r#"{"id":"j1"}"#) }).await;
    let (end, _) = whole(&settled(keyed()).loaded(&server.url()), &server.log).await;
    assert!(matches!(end, End::Succeeded { .. }), "{end:?}");
    assert_eq!(server.count("POST"), 2);
}

#[tokio::test]
async fn f30_a_429_is_obeyed_and_not_an_attempt() {
    let server = service(|_| reply_with(429, "Retry-After: 17\r\n", "")).await;
    let connector = declared().loaded(&server.url());
    let (engine, port) = (engine(), MemoryPort::new(Arc::clone(&server.log)));
    let mut first = run(&engine, &connector, job(json!({ "prompt": "a cat" })), &port);
    let Next::End(End::GiveBack { after, .. }) = engine.step(&mut first).await else { panic!() };
    assert_eq!(after, Duration::from_secs(17));
    assert!(server.log()[2].starts_with("not_sent"), "{:?}", server.log());
    let (left, _) = engine.paused(&connector).unwrap();
    assert!(left > Duration::from_secs(15), "all jobs of the credential stay away");
}

#[tokio::test]
async fn f31_a_5xx_is_unknown_unless_the_declaration_says_that_it_rejects() {
    for status in [500, 502, 503, 504] {
        let server = service(move |_| reply(status, "{}")).await;
        let (end, _) = whole(&declared().loaded(&server.url()), &server.log).await;
        assert!(
            matches!(&end, End::Uncertain(error) if error.code == ErrorCode::ESubmitUncertain),
            "{status} {end:?}"
        );
        assert_eq!(server.count("POST"), 1, "never repeated");
    }
    let server = service(|_| reply_with(503, "Retry-After: 3\r\n", "")).await;
    let rejecting = declared().with(|http| http.submit.rejects = &[CodePattern::Exact(503)]);
    let (end, _) = whole(&rejecting.loaded(&server.url()), &server.log).await;
    assert!(matches!(end, End::GiveBack { after, .. } if after == Duration::from_secs(3)));
}

fn cut_after_accept(n: usize) -> Reply {
    if n == 0 { Reply::Cut } else { reply(200, r#"{"id":"j1"}"#) }
}

#[tokio::test]
async fn p02_at_most_once_is_never_repeated() {
    let server = service(cut_after_accept).await;
    let (end, _) = whole(&declared().loaded(&server.url()), &server.log).await;
    let End::Uncertain(error) = end else { panic!("{end:?}") };
    assert_eq!(
        (error.code, error.billed, error.retriable),
        (ErrorCode::ESubmitUncertain, Billed::Maybe, false)
    );
    assert_eq!(server.count("POST"), 1);
    let server = service(|_| reply(200, r#"{"id":"j1"}"#)).await;
    assert!(matches!(resume(declared(), &server).await, End::Uncertain(_)));
    assert_eq!(server.seen().len(), 0, "a new owner asks nobody");
}

#[tokio::test]
async fn p02_p03_an_idempotent_submit_is_repeated_with_the_same_key_and_bytes() {
    for settle in
        [keyed(), Settle::Idempotent { key: KeyPlace::Field("request_id"), ttl: Duration::from_mins(1) }]
    {
        let server = service(cut_after_accept).await;
        let (end, _) = whole(&settled(settle).loaded(&server.url()), &server.log).await;
        assert!(matches!(end, End::Succeeded { .. }), "{end:?}");
        let posts: Vec<_> = server.seen().into_iter().filter(|seen| seen.method == "POST").collect();
        let key = key::derive(&job(json!({})).id, 1);
        assert_eq!(posts.len(), 2);
        assert!(posts.iter().all(|post| post.head.contains(&key) || post.body.contains(&key)));
        assert_eq!((&posts[0].head, &posts[0].body), (&posts[1].head, &posts[1].body));
    }
}

#[tokio::test]
async fn p02_a_new_owner_repeats_an_idempotent_submit_with_the_stored_key() {
    let server = service(|_| reply(200, r#"{"id":"j1"}"#)).await;
    assert!(matches!(resume(settled(keyed()), &server).await, End::Succeeded { .. }));
    assert!(server.seen()[0].head.contains(&key::derive(&job(json!({})).id, 1)));
}

#[tokio::test]
async fn p02_a_key_is_not_used_when_the_service_may_have_forgotten_it() {
    let server = service(|_| reply(200, r#"{"id":"j1"}"#)).await;
    let settle = Settle::Idempotent { key: KeyPlace::Header("k"), ttl: Duration::from_secs(100) };
    let (connector, job) = resumed(settled(settle), &server);
    let (engine, port) = (engine(), MemoryPort::new(Arc::clone(&server.log)));
    port.clock.advance(Duration::from_secs(81));
    let mut run = run(&engine, &connector, job, &port);
    assert!(matches!(finish(&engine, &mut run, &port).await, End::Uncertain(_)));
    assert_eq!(server.seen().len(), 0);
}

#[tokio::test]
async fn p03_other_bytes_are_never_sent_under_the_same_key() {
    let server = service(|_| reply(200, r#"{"id":"j1"}"#)).await;
    let (connector, mut job) = resumed(settled(keyed()), &server);
    job.payload = json!({ "prompt": "a dog" });
    let (engine, port) = (engine(), MemoryPort::new(Arc::clone(&server.log)));
    let mut run = run(&engine, &connector, job, &port);
    assert!(matches!(finish(&engine, &mut run, &port).await, End::Uncertain(_)));
    assert_eq!(server.seen().len(), 0);
}

fn assigned(resend: bool) -> Declared {
    declared().with(|http| {
        http.submit.settle = Settle::AssignId { absent_for: Duration::from_secs(30), resend };
        http.submit.capture = &[];
    })
}

#[tokio::test]
async fn p02_an_assigned_id_is_looked_up_first() {
    let server = service(|_| Reply::Cut).await;
    let (end, _) = whole(&assigned(false).loaded(&server.url()), &server.log).await;
    assert!(matches!(end, End::Succeeded { .. }), "{end:?}");
    let key = key::derive(&job(json!({})).id, 1);
    let log = server.log();
    assert_eq!(server.count("POST"), 1);
    assert_eq!(log[2], format!("GET /jobs/{key}"));
    assert_eq!(log[3], format!("submitted {key}"));
}

#[tokio::test]
async fn p02_an_absent_assigned_id_is_sent_again_only_where_declared() {
    for (resend, posts) in [(false, 1), (true, 2)] {
        let count = Arc::new(AtomicUsize::new(0));
        let server = Server::start(move |seen| match (seen.method.as_str(), count.load(Ordering::SeqCst)) {
            ("POST", 0) => {
                count.fetch_add(1, Ordering::SeqCst);
                Reply::Cut
            }
            ("POST", _) => {
                count.fetch_add(1, Ordering::SeqCst);
                reply(200, "{}")
            }
            (_, 1) => reply(404, "{}"),
            _ => reply(200, r#"{"status":"succeeded","output":1}"#),
        })
        .await;
        let (end, _) = whole(&assigned(resend).loaded(&server.url()), &server.log).await;
        assert_eq!(server.count("POST"), posts);
        assert!(server.count("GET") > 3, "absent for the declared time");
        assert_eq!(matches!(end, End::Succeeded { .. }), resend, "{end:?}");
        assert_eq!(matches!(end, End::Uncertain(_)), !resend);
    }
}

fn searching(http: &mut HttpProtocol) {
    http.submit.settle = Settle::Lookup(Lookup {
        request: request("GET", path("/search")),
        items: at("$.items[*]"),
        tag: at("$.tag"),
        id: at("$.id"),
        wait: Duration::from_secs(10),
    });
}

#[tokio::test]
async fn p02_a_lookup_adopts_the_job_that_carries_our_tag() {
    let id = job(json!({})).id;
    let items =
        json!({ "items": [{ "tag": "another", "id": "x" }, { "tag": id.as_str(), "id": "j9" }] }).to_string();
    let server = Server::start(move |seen| match seen.line().as_str() {
        "POST /jobs" => Reply::Cut,
        "GET /search" => reply(200, &items),
        _ => reply(200, r#"{"status":"succeeded","output":1}"#),
    })
    .await;
    let (end, _) = whole(&declared().with(searching).loaded(&server.url()), &server.log).await;
    assert!(matches!(end, End::Succeeded { .. }), "{end:?}");
    assert!(server.log().contains(&"submitted j9".to_owned()));
    assert_eq!(server.count("POST"), 1);
}

#[tokio::test]
async fn p02_a_lookup_that_finds_nothing_for_long_enough_sends_again() {
    let count = AtomicUsize::new(0);
    let server = Server::start(move |seen| match seen.line().as_str() {
        "POST /jobs" => cut_after_accept(count.fetch_add(1, Ordering::SeqCst)),
        "GET /search" => reply(200, r#"{"items":[]}"#),
        _ => reply(200, r#"{"status":"succeeded","output":1}"#),
    })
    .await;
    let (end, port) = whole(&declared().with(searching).loaded(&server.url()), &server.log).await;
    assert!(matches!(end, End::Succeeded { .. }), "{end:?}");
    assert_eq!(server.count("POST"), 2);
    assert!(port.clock_now() >= 1_700_000_010_000, "not before the declared time");
}

#[tokio::test]
async fn p02_at_least_once_begins_a_new_attempt() {
    let server = service(|_| Reply::Cut).await;
    let (end, _) = whole(&settled(Settle::AtLeastOnce).loaded(&server.url()), &server.log).await;
    assert!(matches!(end, End::Retry { .. }), "{end:?}");
}

#[tokio::test]
async fn p04_break_points_after_the_first_byte_are_unknown() {
    let breaks: Vec<(&str, &'static [u8])> = vec![
        ("no answer", b""),
        ("half a status line", b"HTTP/1.1 2"),
        ("a status line", b"HTTP/1.1 200 OK\r\n"),
        ("half a header", b"HTTP/1.1 200 OK\r\nContent-Le"),
        ("the head", b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n"),
        ("half the body", b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{\"id\":\"j1\""),
        ("a short chunk", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n20\r\n{\"id\""),
        ("no last chunk", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nb\r\n{\"id\":\"j1\"}\r\n"),
        ("nonsense", b"SSH-2.0-OpenSSH\r\n"),
        ("two lengths", b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\nContent-Length: 5\r\n\r\n{\"id\":\"j1\"}"),
    ];
    for (what, bytes) in breaks {
        let server = service(move |_| Reply::Raw(bytes.to_vec())).await;
        let (end, _) = whole(&declared().loaded(&server.url()), &server.log).await;
        assert!(matches!(end, End::Uncertain(_)), "{what}: {end:?}");
        assert_eq!(server.count("POST"), 1, "{what}");
    }
}

#[tokio::test]
async fn f38_a_transient_refusal_is_another_attempt_until_there_is_none() {
    let rule = ErrorRule {
        codes: vec![CodePattern::Exact(423)].into(),
        when: None,
        kind: FailureKind::Capacity,
        wait: Vec::new().into(),
    };
    let rule = list(vec![rule]);
    let server = service(|_| reply(423, "{}")).await;
    for (attempt, last) in [(0, false), (1, false), (2, true)] {
        let connector = declared().with(|http| http.errors.rules = rule).loaded(&server.url());
        let (engine, port) = (engine(), MemoryPort::new(Arc::clone(&server.log)));
        let mut job = job(json!({ "prompt": "a cat" }));
        job.attempt = attempt;
        let mut run = run(&engine, &connector, job, &port);
        let end = finish(&engine, &mut run, &port).await;
        assert_eq!(matches!(end, End::Failed(_)), last, "{end:?}");
        assert_eq!(matches!(end, End::Retry { .. }), !last, "{end:?}");
    }
}

fn synchronous(http: &mut HttpProtocol) {
    http.poll = None;
    http.submit.capture = &[];
    http.states = States { at: &[], sets: &[], rules: &[], ..States { ..emp_states() } };
}

fn emp_states() -> States {
    declared().http.states
}

#[tokio::test]
async fn a_synchronous_answer_is_the_result() {
    let server = service(|_| reply(200, r#"{"output":{"a":1},"text":"hi","tokens":5}"#)).await;
    let connector = declared().with(synchronous).loaded(&server.url());
    let (end, _) = whole(&connector, &server.log).await;
    assert!(matches!(end, End::Succeeded { result, .. } if result == json!({ "a": 1 })));
    let both = declared().with(synchronous).with(|http| {
        http.outcome = Outcome {
            take: Take { json: list(vec![at("$.output")]), text: list(vec![at("$.text")]), ..Take::DEFAULT },
            meta: list(vec![capture("tokens", at("$.tokens"))]),
            ..Outcome::DEFAULT
        };
    });
    let (end, _) = whole(&both.loaded(&server.url()), &server.log).await;
    let End::Succeeded { result, meta } = end else { panic!("{end:?}") };
    assert_eq!(result, json!({ "text": "hi", "json": { "a": 1 } }));
    assert_eq!(meta["tokens"], 5);
    assert_eq!(server.count("GET"), 0);
}

#[tokio::test]
async fn i36_a_synchronous_answer_without_the_result_is_no_success() {
    for body in ["", "null", "<html>error</html>", "{}", "\u{feff}{}", "{\"output\":NaN}"] {
        let server = service(move |_| reply(200, body)).await;
        let (end, _) = whole(&declared().with(synchronous).loaded(&server.url()), &server.log).await;
        assert_eq!(failed(end).code, ErrorCode::EBadResponse, "{body}");
    }
}

#[tokio::test]
async fn a_submit_that_feeds_the_poll_may_be_final_without_an_id() {
    let feeding = || declared().with(|http| http.submit.feeds_poll = true);
    let server = service(|_| reply(200, r#"{"status":"succeeded","output":1}"#)).await;
    let (end, _) = whole(&feeding().loaded(&server.url()), &server.log).await;
    assert!(matches!(end, End::Succeeded { .. }), "{end:?}");
    let server = service(|_| reply(200, r#"{"status":"failed","error":"no credit in envelope"}"#)).await;
    let (end, _) = whole(&feeding().loaded(&server.url()), &server.log).await;
    assert_eq!(failed(end).detail.as_deref(), Some("no credit in envelope"));
    let server = service(|_| reply(200, r#"{"id":"j1","status":"queued"}"#)).await;
    let (end, _) = whole(&feeding().loaded(&server.url()), &server.log).await;
    assert!(matches!(end, End::Succeeded { .. }), "{end:?}");
}

#[tokio::test]
async fn a_service_job_may_be_named_by_its_url_alone() {
    let server = Server::start(|seen| match seen.method.as_str() {
        "POST" => {
            let host = seen.head.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
            reply_with(202, &format!("Operation-Location: http://{host}/ops/7?v=1\r\n"), "")
        }
        _ => reply(200, r#"{"status":"succeeded","output":1}"#),
    })
    .await;
    let poll_url: Reference = reference(Root::Job, &["poll_url"]);
    let declared = declared().with(|http| {
        http.submit.capture = list(vec![capture("poll_url", header("operation-location"))]);
        http.poll.as_mut().unwrap().request = request("GET", UrlSpec::Captured(poll_url));
    });
    let (end, _) = whole(&declared.loaded(&server.url()), &server.log).await;
    assert!(matches!(end, End::Succeeded { .. }), "{end:?}");
    assert_eq!(server.log().last().unwrap(), "GET /ops/7?v=1");
}

#[tokio::test]
async fn the_credential_stands_where_it_is_declared() {
    use emp_core::spec::AuthPart::{Field, Literal};
    let places: [(Auth, &str); 3] = [
        (
            Auth::Header { name: "authorization", value: &[Literal("Bearer "), Field("api_key")] },
            "Bearer sk-canary",
        ),
        (Auth::Query { name: "key", value: &[Field("api_key")] }, "/jobs?key=sk-canary"),
        (Auth::Basic { user: Literal("user"), password: Field("api_key") }, "Basic dXNlcjpzay1jYW5hcnk"),
    ];
    for (auth, expected) in places {
        let server = service(|_| reply(422, "{}")).await;
        let (end, _) =
            whole(&declared().with(|http| http.auth = auth).loaded(&server.url()), &server.log).await;
        assert!(server.seen()[0].head.contains(expected), "{}", server.seen()[0].head);
        assert!(!format!("{end:?}").contains(SECRET));
    }
}

#[tokio::test]
async fn in_flight_is_held_from_the_submit_to_the_end_of_the_run() {
    let server = service(|_| reply(200, r#"{"id":"j1"}"#)).await;
    let mut declared = declared();
    declared.limits.in_flight = Some(Setting::Fixed(1));
    let connector = declared.loaded(&server.url());
    let (engine, port) = (engine(), MemoryPort::new(Arc::clone(&server.log)));
    let mut first = run(&engine, &connector, job(json!({ "prompt": "a" })), &port);
    let mut second = run(&engine, &connector, job(json!({ "prompt": "b" })), &port);
    assert!(matches!(engine.step(&mut first).await, Next::Wait(_)));
    assert!(matches!(engine.step(&mut second).await, Next::End(End::GiveBack { .. })));
    drop(first);
    assert!(matches!(engine.step(&mut second).await, Next::Wait(_)));
    assert_eq!(server.count("POST"), 2);
}

#[tokio::test]
async fn p23_the_rate_is_kept_by_all_jobs_together() {
    let server = service(|_| reply(200, r#"{"id":"j1"}"#)).await;
    let mut declared = declared();
    declared.limits.rate = Some(emp_core::spec::Rate { count: 4, per: Duration::from_mins(1) });
    let connector = declared.loaded(&server.url());
    let engine = engine();
    for _ in 0..10 {
        let port = MemoryPort::new(Arc::default());
        let mut run = run(&engine, &connector, job(json!({ "prompt": "a" })), &port);
        engine.step(&mut run).await;
    }
    assert!(server.count("POST") <= 4, "{}", server.count("POST"));
}

#[tokio::test]
async fn m17_a_submit_is_waited_for_longer_than_the_service_may_hold_it() {
    for (hold, accepted) in [(None, false), (Some(Setting::Fixed(Duration::from_millis(200))), true)] {
        let server = service(|_| {
            let answer = r#"{"id":"j1"}"#;
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", answer.len());
            Reply::Late(Duration::from_millis(150), format!("{head}{answer}").into_bytes())
        })
        .await;
        let declared = declared().with(|http| {
            http.submit.hold = hold;
            http.submit.request.timeout = Some(Setting::Fixed(Duration::from_millis(50)));
        });
        let (end, _) = whole(&declared.loaded(&server.url()), &server.log).await;
        assert_eq!(matches!(end, End::Succeeded { .. }), accepted, "{end:?}");
        assert_eq!(matches!(end, End::Uncertain(_)), !accepted, "{end:?}");
    }
}

#[test]
fn m17_no_deadline_is_shorter_than_the_hold() {
    let hold = Duration::from_mins(5);
    let patience = Patience::default().of(Some(Duration::from_secs(1)), Some(hold));
    assert!(patience.total > hold && patience.idle > hold && patience.rate_after > hold, "{patience:?}");
    let long = Patience::default().of(Some(Duration::from_hours(1)), Some(hold));
    assert_eq!(long.total, Duration::from_hours(1), "a longer timeout stays");
}

#[tokio::test]
async fn p04_a_submit_by_get_is_not_sent_on_and_not_sent_again() {
    // The place that the redirect leads to refuses connections: that says nothing of the submit that was answered.
    let server = Server::start(|seen| match seen.path.as_str() {
        "/jobs" => reply_with(303, "Location: http://localhost:9/\r\n", ""),
        _ => reply(200, r#"{"status":"succeeded","output":"done"}"#),
    })
    .await;
    let engine = engine_with(|gateway| gateway.allow.push(("localhost".to_owned(), 9)));
    let declared = declared().with(|http| {
        http.submit.request.method = "GET";
        http.submit.request.body = Body::None;
        http.follow = Follow::Hosts(&["localhost:9"]);
    });
    let connector = declared.loaded(&server.url());
    let port = MemoryPort::new(Arc::clone(&server.log));
    let mut run = run(&engine, &connector, job(json!({ "prompt": "a cat" })), &port);
    let end = finish(&engine, &mut run, &port).await;
    assert!(matches!(end, End::Uncertain(_)), "{end:?}");
    assert!(!server.log().iter().any(|line| line.starts_with("not_sent")), "{:?}", server.log());
}

#[tokio::test]
async fn billed_says_whether_the_service_accepted_the_job() {
    let accepted = |poll: &'static str, code: u16| (201, r#"{"id":"j1"}"#, code, poll, Billed::Yes);
    let cases = [
        // Accepted, whatever became of it.
        accepted(r#"{"status":"failed"}"#, 200),
        accepted(r#"{"status":"preempted"}"#, 200),
        accepted(r#"{"status":"canceled"}"#, 200),
        accepted(r#"{"status":"who knows"}"#, 200),
        accepted(r#"{"status":"succeeded"}"#, 200),
        accepted("<html>", 200),
        accepted("{}", 401),
        accepted("{}", 402),
        accepted("{}", 404),
        accepted("{}", 410),
        accepted("{}", 500),
        // Nobody can tell.
        (201, "{}", 0, "", Billed::Maybe),
        (500, "{}", 0, "", Billed::Maybe),
        (408, "{}", 0, "", Billed::Maybe),
        // Refused for certain.
        (400, "{}", 0, "", Billed::No),
        (401, "{}", 0, "", Billed::No),
        (402, "{}", 0, "", Billed::No),
        (307, "{}", 0, "", Billed::No),
    ];
    for (status, submit, code, poll, billed) in cases {
        let server = Server::start(move |seen| match seen.method.as_str() {
            "POST" => reply(status, submit),
            _ => reply(code, poll),
        })
        .await;
        let (end, _) = whole(&declared().loaded(&server.url()), &server.log).await;
        let (End::Failed(error) | End::Retry { error, .. } | End::Uncertain(error)) = end else {
            panic!("{status} {submit} {code} {poll}: {end:?}")
        };
        assert_eq!(error.billed, billed, "{status} {submit} {code} {poll}: {error}");
    }
}

#[tokio::test]
async fn billed_of_a_submit_that_is_its_own_answer() {
    for answer in [r#"{"status":"failed"}"#, r#"{"status":"queued"}"#, r#"{"status":"succeeded"}"#, "<html>"]
    {
        let server = service(move |_| reply(200, answer)).await;
        let sync = declared().with(|http| http.poll = None);
        let error = failed(whole(&sync.loaded(&server.url()), &server.log).await.0);
        assert_eq!(error.billed, Billed::Yes, "{answer}: {error}");
    }
}

#[tokio::test]
async fn p02_an_assigned_id_that_is_taken_is_looked_up_again() {
    // The first submit was accepted and is slow to show; the service refuses the second one because of it.
    let (posts, gets) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let server = Server::start(move |seen| match seen.method.as_str() {
        "POST" if posts.fetch_add(1, Ordering::SeqCst) == 0 => Reply::Cut,
        "POST" => {
            gets.store(100, Ordering::SeqCst);
            reply(409, r#"{"error":"the id exists"}"#)
        }
        _ if gets.load(Ordering::SeqCst) < 100 => reply(404, "{}"),
        _ => reply(200, r#"{"status":"succeeded","output":"done"}"#),
    })
    .await;
    let (end, _) = whole(&assigned(true).loaded(&server.url()), &server.log).await;
    assert!(matches!(end, End::Succeeded { .. }), "{end:?}");
    assert_eq!(server.count("POST"), 2);
}

#[tokio::test]
async fn p02_a_search_that_answers_with_no_list_does_not_say_that_the_job_is_absent() {
    for error in [r#"{"error":"busy"}"#, "{}", "null", r#"{"items":null}"#, r#"{"items":"none"}"#] {
        let server = Server::start(move |seen| match seen.method.as_str() {
            "POST" => Reply::Cut,
            _ => reply(200, error),
        })
        .await;
        let (end, _) = whole(&declared().with(searching).loaded(&server.url()), &server.log).await;
        assert!(matches!(end, End::Uncertain(_)), "{error}: {end:?}");
        assert_eq!(server.count("POST"), 1, "{error}");
    }
}

#[tokio::test]
async fn i24_an_id_that_no_integer_holds_is_polled_digit_by_digit() {
    let server = service(|_| reply(200, r#"{"id":12345678901234567890123,"x":"\\\"9"}"#)).await;
    let (end, _) = whole(&declared().loaded(&server.url()), &server.log).await;
    assert!(matches!(end, End::Succeeded { .. }), "{end:?}");
    assert_eq!(server.log()[3], "GET /jobs/12345678901234567890123");
}

#[tokio::test]
async fn p02_a_submit_of_a_dead_worker_stays_uncertain_when_the_environment_is_wrong_now() {
    let server = service(|_| reply(200, r#"{"id":"j1"}"#)).await;
    let (_, job) = resumed(settled(keyed()), &server);
    let connector = settled(keyed()).loaded("http://user@127.0.0.1:9");
    let (engine, port) = (engine(), MemoryPort::new(Arc::clone(&server.log)));
    let mut run = run(&engine, &connector, job, &port);
    let end = finish(&engine, &mut run, &port).await;
    assert!(matches!(&end, End::Uncertain(error) if error.billed == Billed::Maybe), "{end:?}");
}
