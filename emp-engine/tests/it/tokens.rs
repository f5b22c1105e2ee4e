//! Tokens that are made, where many jobs need one, and where its endpoint does odd things.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use emp_core::ErrorCode;
use emp_core::connector::Loaded;
use emp_core::spec::{Auth, ClientAuth, OAuth2, TokenUrl};
use emp_engine::run::{End, Next};
use serde_json::json;

use crate::support::{
    MemoryPort, SECRET, Seen, Server, declared, engine, finish, job, reply, reply_with, run, template,
};

fn granted(server: &Server) -> Arc<Loaded> {
    let oauth2 = OAuth2 {
        token_url: TokenUrl::Path(template("/token", None, "")),
        client_id: "api_key",
        client_secret: "api_key",
        client_auth: ClientAuth::Basic,
        scope: None,
        params: &[],
        refresh_before: Duration::from_mins(1),
    };
    declared().with(|http| http.auth = Auth::OAuth2(oauth2)).loaded(&server.url())
}

fn paths(server: &Server, path: &str) -> usize {
    server.seen().iter().filter(|seen| seen.line().contains(path)).count()
}

#[tokio::test]
async fn m46_many_jobs_that_need_a_token_at_once_wait_for_one_request() {
    let server = Server::start(|seen: &Seen| match seen.line() {
        line if line.contains("/token") => {
            reply(200, r#"{"access_token":"token-0123456789","expires_in":3600}"#)
        }
        line if line.starts_with("POST") => reply(200, r#"{"id":"j1"}"#),
        _ => reply(200, r#"{"status":"succeeded","output":1}"#),
    })
    .await;
    let (connector, engine) = (granted(&server), engine());
    let jobs = (0..20).map(|_| async {
        let port = MemoryPort::new(Arc::clone(&server.log));
        let mut run = run(&engine, &connector, job(json!({ "prompt": "a" })), &port);
        finish(&engine, &mut run, &port).await
    });
    let ends = futures_util::future::join_all(jobs).await;
    assert!(ends.iter().all(|end| matches!(end, End::Succeeded { .. })), "{ends:?}");
    assert_eq!((paths(&server, "/token"), paths(&server, "POST /jobs")), (1, 20));
    let seen = server.seen();
    let others = seen.iter().filter(|seen| !seen.line().contains("/token"));
    assert!(
        others.clone().all(|seen| seen.head.contains("Bearer token-0123456789")
            || seen.head.contains("bearer token-0123456789"))
    );
    assert!(others.clone().all(|seen| !seen.head.contains(SECRET)), "the secret goes to the endpoint only");
}

#[tokio::test]
async fn i09_a_token_endpoint_that_redirects_is_not_followed_and_the_secret_stays() {
    let evil = Server::start(|_| reply(200, r#"{"access_token":"token-0123456789"}"#)).await;
    let target = format!("{}/token", evil.url());
    let server = Server::start(move |_| reply_with(307, &format!("Location: {target}\r\n"), "")).await;
    let connector = granted(&server);
    let port = MemoryPort::new(Arc::clone(&server.log));
    let engine = engine();
    let mut run = run(&engine, &connector, job(json!({ "prompt": "a" })), &port);
    let next = engine.step(&mut run).await;
    assert!(matches!(&next, Next::End(End::Failed(error)) if error.code == ErrorCode::EAuth), "{next:?}");
    assert_eq!((evil.seen().len(), server.seen().len()), (0, 1));
}

#[tokio::test]
async fn m48_an_endpoint_that_is_down_is_not_asked_again_by_every_job_that_waited() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let server = Server::start(move |_| {
        count.fetch_add(1, Ordering::SeqCst);
        reply(503, "{}")
    })
    .await;
    let (connector, engine) = (granted(&server), engine());
    let jobs = (0..10).map(|_| async {
        let port = MemoryPort::new(Arc::clone(&server.log));
        let mut run = run(&engine, &connector, job(json!({ "prompt": "a" })), &port);
        engine.step(&mut run).await
    });
    let ends = futures_util::future::join_all(jobs).await;
    assert!(ends.iter().all(|next| matches!(next, Next::End(End::GiveBack { .. }))), "{ends:?}");
    assert!(!format!("{ends:?}").contains(SECRET));
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}
