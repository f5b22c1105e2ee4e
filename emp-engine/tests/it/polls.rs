//! Polls: they never submit (P1), never last for ever (P24), and each fault has its conduct.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use emp_core::ErrorCode;
use emp_core::error::Billed;
use emp_core::spec::{Cancel, Setting, Unknown};
use emp_engine::port::Stop;
use emp_engine::run::{End, Next};
use emp_syntax::rule::{CodePattern, ErrorRule, FailureKind, Predicate, StateRule, StateVerdict};
use emp_syntax::selector::{Selector, Source};

use crate::support::{
    Declared, MemoryPort, Reply, Server, declared, engine, failed, finish, fixed, job_path, list, reply,
    reply_with, request, run, submitted,
};

/// Polls a submitted job against a function of the number of the poll.
async fn polled(
    declared: Declared,
    answer: impl Fn(usize) -> Reply + Send + Sync + 'static,
) -> (End, Server, Arc<MemoryPort>) {
    let count = AtomicUsize::new(0);
    let server = Server::start(move |seen| match seen.method.as_str() {
        "GET" => answer(count.fetch_add(1, Ordering::SeqCst)),
        _ => reply(200, "{}"),
    })
    .await;
    let connector = declared.loaded(&server.url());
    let (engine, port) = (engine(), MemoryPort::new(Arc::clone(&server.log)));
    let mut run = run(&engine, &connector, submitted("j1"), &port);
    let end = finish(&engine, &mut run, &port).await;
    assert_eq!(server.count("POST"), 0, "P1: a submitted job is never submitted again");
    (end, server, port)
}

fn succeeded() -> Reply {
    reply(200, r#"{"status":"succeeded","output":"done"}"#)
}

#[tokio::test]
async fn f03_p01_a_new_owner_polls_from_the_stored_id() {
    let (end, server, _) = polled(declared(), |_| succeeded()).await;
    assert!(matches!(end, End::Succeeded { .. }));
    assert_eq!(server.log(), ["GET /jobs/j1"]);
}

#[tokio::test]
async fn f36_poll_faults_never_fail_the_job_before_its_deadline() {
    let faults = |n| match n % 4 {
        0 => reply(500, "{}"),
        1 => Reply::Cut,
        2 => reply(502, "<html>"),
        _ => reply(503, ""),
    };
    let (end, server, _) = polled(declared(), move |n| if n < 20 { faults(n) } else { succeeded() }).await;
    assert!(matches!(end, End::Succeeded { .. }), "{end:?}");
    assert_eq!(server.count("GET"), 21);
    let (end, _, port) = polled(declared(), faults).await;
    let error = failed(end);
    assert_eq!((error.code, error.billed), (ErrorCode::EDeadline, Billed::Yes));
    assert_eq!(port.clock_now() - 1_700_000_000_000, 3_600_000, "the deadline, exactly");
}

#[tokio::test]
async fn f36_polls_back_off_to_a_minute_and_no_further() {
    let server = Server::start(|_| reply(500, "")).await;
    let connector = declared().loaded(&server.url());
    let (engine, port) = (engine(), MemoryPort::new(Arc::clone(&server.log)));
    let mut run = run(&engine, &connector, submitted("j1"), &port);
    let mut waits = Vec::new();
    for _ in 0..10 {
        let Next::Wait(wait) = engine.step(&mut run).await else { panic!() };
        waits.push(wait);
    }
    assert!(waits.is_sorted(), "{waits:?}");
    assert_eq!(waits.last(), Some(&Duration::from_secs(45)), "60 s, jittered by one half");
}

#[tokio::test]
async fn f37_a_404_must_last_before_the_job_is_lost() {
    let (end, server, port) = polled(declared(), |_| reply(404, "{}")).await;
    assert_eq!(failed(end).code, ErrorCode::EServiceJobLost);
    assert!(server.count("GET") >= 3);
    assert!(port.clock_now() - 1_700_000_000_000 >= 30_000);
    let (end, _, _) = polled(declared(), |n| if n < 3 { reply(404, "{}") } else { succeeded() }).await;
    assert!(matches!(end, End::Succeeded { .. }), "it was only slow to show");
}

#[tokio::test]
async fn f37_a_rule_may_say_otherwise() {
    let code = Selector { source: Source::Code, reducers: Vec::new().into() };
    let when = Predicate::Compare {
        selector: code,
        op: emp_syntax::rule::Comparison::Eq,
        value: emp_syntax::hole::Literal::Int(404),
    };
    let rules = list(vec![StateRule { when, then: StateVerdict::Lost }]);
    let (end, server, _) =
        polled(declared().with(|http| http.states.rules = rules), |_| reply(404, "{}")).await;
    assert_eq!(failed(end).code, ErrorCode::EServiceJobLost);
    assert_eq!(server.count("GET"), 1);
}

#[tokio::test]
async fn p24_a_refused_credential_ends_the_job() {
    for (status, code) in [(401, ErrorCode::EAuth), (403, ErrorCode::EAuth), (402, ErrorCode::EBilling)] {
        let (end, server, _) = polled(declared(), move |_| reply(status, "{}")).await;
        let error = failed(end);
        assert_eq!((error.code, error.billed, server.count("GET")), (code, Billed::Yes, 1));
    }
}

#[tokio::test]
async fn p24_i37_unknown_statuses_end() {
    let word = |word: &'static str| move |_| reply(200, format!("{{\"status\":{word}}}"));
    for status in ["\"aborted\"", "\"succeeded\\u0000\"", "\"SUCCEEDED \"", "1", "{}", "[]", "null"] {
        let (end, server, port) = polled(declared(), word(status)).await;
        assert_eq!(failed(end).code, ErrorCode::EUnknownStatus, "{status}");
        assert!(server.count("GET") > 5 && port.clock_now() - 1_700_000_000_000 >= 120_000, "{status}");
    }
    let mut slow = declared();
    (slow.pace.first, slow.pace.min, slow.pace.max) =
        (Duration::from_secs(50), Duration::from_secs(50), Duration::from_secs(50));
    let (end, server, _) = polled(slow, word("\"aborted\"")).await;
    assert_eq!((failed(end).code, server.count("GET")), (ErrorCode::EUnknownStatus, 5), "not sooner");
    let strict = || declared().with(|http| http.states.unknown = Unknown::Failed);
    let (end, server, _) = polled(strict(), word("\"aborted\"")).await;
    assert_eq!((failed(end).code, server.count("GET")), (ErrorCode::EUnknownStatus, 1));
}

#[tokio::test]
async fn p24_a_known_status_starts_the_count_of_unknown_ones_anew() {
    let (end, _, _) = polled(declared(), |n| match n {
        30 => succeeded(),
        n if n % 4 == 3 => reply(200, r#"{"status":"running"}"#),
        _ => reply(200, r#"{"status":"new word"}"#),
    })
    .await;
    assert!(matches!(end, End::Succeeded { .. }), "{end:?}");
}

#[tokio::test]
async fn p24_a_job_that_runs_for_ever_ends_at_its_deadline_and_is_cancelled_upstream() {
    let mut declared = declared().with(|http| {
        http.cancel = Some(Cancel {
            request: Some(request("DELETE", job_path("/jobs/", ""))),
            ok: &[],
            too_late: &[],
            gone: &[CodePattern::Exact(200)],
            ..Cancel::DEFAULT
        });
    });
    declared.pace.deadline = fixed(600);
    let (end, server, _) = polled(declared, |_| reply(200, r#"{"status":"running"}"#)).await;
    let error = failed(end);
    assert_eq!(error.code, ErrorCode::EDeadline);
    assert!(error.message.contains("cancelled at the service"), "{}", error.message);
    assert_eq!(server.count("DELETE"), 1);
}

#[tokio::test]
async fn f38_a_transient_failure_is_a_new_attempt() {
    let (end, _, _) = polled(declared(), |_| reply(200, r#"{"status":"preempted","error":"spot"}"#)).await;
    assert!(matches!(&end, End::Retry { error, .. } if error.code == ErrorCode::ETransient), "{end:?}");
    let mut once = declared();
    once.limits.attempts = Setting::Fixed(1);
    let (end, _, _) = polled(once, |_| reply(200, r#"{"status":"preempted"}"#)).await;
    assert_eq!(failed(end).code, ErrorCode::ETransient);
    let (end, _, _) = polled(declared(), |_| reply(200, r#"{"status":"failed","error":"boom"}"#)).await;
    let error = failed(end);
    assert_eq!((error.code, error.detail.as_deref()), (ErrorCode::EServiceFailed, Some("boom")));
}

#[tokio::test]
async fn f39_i38_progress_never_falls_and_is_clamped() {
    let told = ["0.5", "0.2", "1e308", "-5", "\"NaN\"", "101"];
    let (_, _, port) = polled(declared(), move |n| match told.get(n) {
        Some(progress) => reply(200, format!("{{\"status\":\"running\",\"progress\":{progress}}}")),
        None => succeeded(),
    })
    .await;
    let fractions: Vec<f64> =
        port.progress.lock().unwrap().iter().filter_map(|progress| progress.fraction).collect();
    assert_eq!(fractions, [0.5, 0.5, 1.0, 1.0, 1.0]);
}

#[tokio::test]
async fn i39_advice_is_bounded_and_garbage_is_none() {
    for (advice, wait) in [
        ("7", 7),
        ("-1", 2),
        ("999999999999", 3600),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 2),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 3600),
        ("Tue, 14 Nov 2023 22:13:40 GMT", 20),
        ("soon", 2),
        ("", 2),
    ] {
        let head = format!("Retry-After: {advice}\r\nContent-Type: application/json\r\n");
        let server = Server::start(move |_| reply_with(200, &head, r#"{"status":"running"}"#)).await;
        let mut declared = declared();
        declared.pace.deadline = fixed(86400);
        let connector = declared.loaded(&server.url());
        let (engine, port) = (engine(), MemoryPort::new(Arc::clone(&server.log)));
        let mut run = run(&engine, &connector, submitted("j1"), &port);
        let Next::Wait(found) = engine.step(&mut run).await else { panic!() };
        assert_eq!(found, Duration::from_secs(wait), "{advice}");
    }
}

#[tokio::test]
async fn p23_a_429_to_a_poll_holds_back_every_request_of_the_credential() {
    let server = Server::start(|_| reply_with(429, "Retry-After: 30\r\n", "")).await;
    let connector = declared().loaded(&server.url());
    let (engine, port) = (engine(), MemoryPort::new(Arc::clone(&server.log)));
    let mut first = run(&engine, &connector, submitted("j1"), &port);
    let mut second = run(&engine, &connector, submitted("j2"), &port);
    assert!(matches!(engine.step(&mut first).await, Next::Wait(wait) if wait == Duration::from_secs(30)));
    assert!(matches!(engine.step(&mut second).await, Next::Wait(wait) if wait > Duration::from_secs(25)));
    assert_eq!(server.count("GET"), 1);
}

#[tokio::test]
async fn a_declared_kind_other_than_a_final_one_only_slows_the_polls() {
    let rule = |code, kind| ErrorRule {
        codes: vec![CodePattern::Exact(code)].into(),
        when: None,
        kind,
        wait: Vec::new().into(),
    };
    let rules = list(vec![rule(400, FailureKind::InvalidInput), rule(410, FailureKind::Expired)]);
    let with = || declared().with(|http| http.errors.rules = rules);
    let (end, _, _) = polled(with(), |n| if n < 3 { reply(400, "{}") } else { succeeded() }).await;
    assert!(matches!(end, End::Succeeded { .. }), "{end:?}");
    let (end, _, _) = polled(with(), |_| reply(410, "{}")).await;
    assert_eq!(failed(end).code, ErrorCode::EExpired);
}

#[tokio::test]
async fn i36_an_error_page_with_200_is_no_status() {
    for body in ["<html>sorry</html>", "", "null", "\u{feff}{\"status\":\"succeeded\",\"output\":1}"] {
        let (end, _, _) = polled(declared(), move |_| reply(200, body)).await;
        assert_eq!(failed(end).code, ErrorCode::EUnknownStatus, "{body}");
    }
    let html = |_| reply_with(200, "Content-Type: text/html\r\n", r#"{"status":"succeeded","output":1}"#);
    let (end, _, _) = polled(declared(), html).await;
    assert_eq!(failed(end).code, ErrorCode::EUnknownStatus, "the content type says that it is a page");
}

#[tokio::test]
async fn i35_a_member_that_stands_twice_is_refused() {
    let twice = r#"{"status":"running","status":"succeeded","output":1}"#;
    let (end, _, _) = polled(declared(), move |_| reply(200, twice)).await;
    let error = failed(end);
    assert_eq!(error.code, ErrorCode::EUnknownStatus);
    assert!(error.detail.unwrap().contains("twice"));
}

#[tokio::test]
async fn i21_an_id_that_cannot_stand_in_a_url_is_never_polled() {
    for id in ["../admin", "..", "a/b", "%2e%2e", "x\ny"] {
        let server = Server::start(|_| succeeded()).await;
        let connector = declared().loaded(&server.url());
        let (engine, port) = (engine(), MemoryPort::new(Arc::clone(&server.log)));
        let mut run = run(&engine, &connector, submitted(id), &port);
        let error = failed(finish(&engine, &mut run, &port).await);
        assert_eq!((error.code, error.billed), (ErrorCode::EBadServiceId, Billed::Yes), "{id}");
        assert_eq!(server.seen().len(), 0, "{id}");
    }
}

#[tokio::test]
async fn a_stop_drops_a_poll_that_is_under_way() {
    let server = Server::start(|_| {
        Reply::Drip(b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), b" ".to_vec(), Duration::from_millis(20))
    })
    .await;
    let connector = declared().loaded(&server.url());
    let (engine, port) = (engine(), MemoryPort::new(Arc::clone(&server.log)));
    let mut run = run(&engine, &connector, submitted("j1"), &port);
    let stopper = Arc::clone(&port);
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(30)).await;
        stopper.stop_with(Stop::HandOver);
    });
    assert!(matches!(engine.step(&mut run).await, Next::Stopped(Stop::HandOver)));
}

#[tokio::test]
async fn a_job_of_an_older_declaration_is_still_polled_with_its_own_data() {
    let server = Server::start(|_| succeeded()).await;
    let connector = declared().loaded(&server.url());
    let (engine, port) = (engine(), MemoryPort::new(Arc::clone(&server.log)));
    let mut job = submitted("j1");
    if let Some(service_job) = &mut job.service_job {
        service_job.fingerprint = 99;
    }
    let mut run = run(&engine, &connector, job, &port);
    assert!(matches!(finish(&engine, &mut run, &port).await, End::Succeeded { .. }));
}

#[tokio::test]
async fn the_result_is_told_only_where_it_is_declared() {
    let (end, _, _) = polled(declared(), |_| reply(200, r#"{"status":"succeeded"}"#)).await;
    let error = failed(end);
    assert_eq!((error.code, error.billed), (ErrorCode::EBadResponse, Billed::Yes));
    let whole = declared().with(|http| http.outcome.take.json = &[]);
    let (end, _, _) = polled(whole, |_| succeeded()).await;
    assert!(matches!(end, End::Succeeded { result, .. } if result["output"] == "done"));
}

#[tokio::test]
async fn p24_a_service_that_asks_to_come_again_at_once_does_not_make_a_loop() {
    for code in [429, 503, 500, 404, 200] {
        let server = Server::start(move |_| {
            reply_with(
                code,
                "Retry-After: 0\r\nContent-Type: application/json\r\n",
                r#"{"status":"running"}"#,
            )
        })
        .await;
        let mut declared = declared();
        declared.pace.min = Duration::ZERO;
        let connector = declared.loaded(&server.url());
        let (engine, port) = (engine(), MemoryPort::new(Arc::clone(&server.log)));
        let mut run = run(&engine, &connector, submitted("j1"), &port);
        let Next::Wait(wait) = engine.step(&mut run).await else { panic!("{code}") };
        assert!(wait >= Duration::from_millis(10), "{code}: {wait:?}");
        assert!(code == 200 || wait >= Duration::from_secs(1), "{code}: {wait:?}");
    }
}

#[tokio::test]
async fn p24_an_answer_that_does_not_come_does_not_move_the_deadline() {
    let server = Server::start(|_| Reply::Late(Duration::from_secs(5), Vec::new())).await;
    let mut declared = declared();
    declared.pace.deadline = fixed(600);
    let connector = declared.loaded(&server.url());
    let (engine, port) = (engine(), MemoryPort::new(Arc::clone(&server.log)));
    port.clock.advance(Duration::from_millis(599_950));
    let mut run = run(&engine, &connector, submitted("j1"), &port);
    let started = std::time::Instant::now();
    let Next::End(end) = engine.step(&mut run).await else { panic!() };
    assert_eq!(failed(end).code, ErrorCode::EDeadline);
    assert!(started.elapsed() < Duration::from_secs(1));
}
