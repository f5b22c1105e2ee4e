//! Cancels: tried, then verified at the job (P15).

use std::sync::Arc;

use emp_core::job::UpstreamCancel;
use emp_core::spec::Cancel;
use emp_engine::port::Stop;
use emp_engine::run::Next;
use emp_syntax::rule::CodePattern;
use serde_json::json;

use crate::support::{
    Declared, MemoryPort, Server, declared, engine, job, job_path, reply, request, run, submitted,
};

fn cancellable() -> Declared {
    declared().with(|http| {
        http.cancel = Some(Cancel {
            request: Some(request("DELETE", job_path("/jobs/", ""))),
            ok: &[CodePattern::Exact(202)],
            // Not a code that refuses by itself.
            too_late: &[CodePattern::Exact(503)],
            gone: &[CodePattern::Exact(404)],
            ..Cancel::DEFAULT
        });
    })
}

async fn cancelled(declared: Declared, code: u16, status: &'static str) -> UpstreamCancel {
    let server = Server::start(move |seen| match seen.method.as_str() {
        "DELETE" => reply(code, "{}"),
        _ => reply(200, format!("{{\"status\":\"{status}\"}}")),
    })
    .await;
    let connector = declared.loaded(&server.url());
    let (engine, port) = (engine(), MemoryPort::new(Arc::clone(&server.log)));
    let mut run = run(&engine, &connector, submitted("j1"), &port);
    engine.cancel(&mut run).await
}

#[tokio::test]
async fn p15_a_cancel_is_confirmed_only_when_the_job_is_seen_to_have_ended() {
    assert_eq!(cancelled(cancellable(), 202, "canceled").await, UpstreamCancel::Confirmed);
    assert_eq!(cancelled(cancellable(), 202, "failed").await, UpstreamCancel::Confirmed);
    assert_eq!(cancelled(cancellable(), 202, "succeeded").await, UpstreamCancel::Refused);
    assert_eq!(cancelled(cancellable(), 202, "running").await, UpstreamCancel::Unknown);
    assert_eq!(cancelled(cancellable(), 404, "running").await, UpstreamCancel::Confirmed);
    assert_eq!(cancelled(cancellable(), 503, "running").await, UpstreamCancel::Refused, "too late");
    assert_eq!(cancelled(cancellable(), 403, "running").await, UpstreamCancel::Refused);
    assert_eq!(cancelled(cancellable(), 500, "running").await, UpstreamCancel::Unknown);
    assert_eq!(cancelled(declared(), 202, "canceled").await, UpstreamCancel::Unsupported);
}

#[tokio::test]
async fn p15_nothing_is_asked_when_nothing_was_sent() {
    let server = Server::start(|_| reply(202, "{}")).await;
    let connector = cancellable().loaded(&server.url());
    let (engine, port) = (engine(), MemoryPort::new(Arc::clone(&server.log)));
    let mut run = run(&engine, &connector, job(json!({ "prompt": "a" })), &port);
    assert_eq!(engine.cancel(&mut run).await, UpstreamCancel::NotNeeded);
    assert_eq!(server.seen().len(), 0);
}

#[tokio::test]
async fn m54_a_worker_whose_claim_is_lost_sends_no_cancel_and_one_that_hands_over_leaves_it_to_the_next() {
    let server = Server::start(|_| reply(200, r#"{"status":"running"}"#)).await;
    let connector = cancellable().loaded(&server.url());
    let (engine, port) = (engine(), MemoryPort::new(Arc::clone(&server.log)));
    let mut fenced = run(&engine, &connector, submitted("j1"), &port);
    port.stop_with(Stop::Fenced);
    assert_eq!(engine.cancel(&mut fenced).await, UpstreamCancel::Unknown);
    let mut late = run(&engine, &connector, submitted("j1"), &port);
    port.clock.advance(std::time::Duration::from_hours(48));
    port.stop_with(Stop::HandOver);
    assert!(matches!(engine.step(&mut late).await, Next::Stopped(Stop::HandOver)));
    assert_eq!(server.seen().len(), 0);
}
