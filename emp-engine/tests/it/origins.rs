//! Table A: origins, addresses, redirects.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use emp_core::ErrorCode;
use emp_core::job::ServiceJob;
use emp_core::spec::{Download, DownloadAuth, Follow, UrlSpec};
use emp_engine::gateway::{FetchRequest, Gateway, Resolver};
use emp_engine::request::{Trust, base, download, server_url};
use emp_engine::run::End;
use emp_syntax::hole::Root;
use serde_json::{Value, json};

use crate::support::{
    MemoryPort, SECRET, Server, declared, engine, engine_with, failed, finish, list, reference, reply,
    reply_with, request, run, submitted,
};

fn check(url: &str, follow: Follow) -> Result<Trust, ErrorCode> {
    let connector = declared().loaded("https://api.x.com/v1");
    let base = base(connector.spec.http().unwrap(), &connector).unwrap();
    server_url(url, &base, follow).map(|(_, trust)| trust).map_err(|error| error.code)
}

#[test]
fn i01_to_i08_a_url_of_the_services_leads_to_its_own_origin_or_nowhere() {
    for refused in [
        "https://evil.test/x",
        "https://api.x.com:8443/v1",
        "http://api.x.com/v1",
        "https://api.x.com@evil.test/",
        "https://@api.x.com/",
        "//evil.test/x",
        "\\\\evil.test\\x",
        "https:\\\\evil.test",
        "https:/api.x.com/",
        "https://api.x.com.evil.test/",
        "https://evilapi.x.com/",
        "https://api.x.com./v1",
        "https://api.x.com/v1#f",
        "https://api.x.com/a\tb",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "data:text/plain,x",
        "/v1/jobs",
        "",
    ] {
        assert_eq!(check(refused, Follow::SelfOnly), Err(ErrorCode::EOriginRefused), "{refused}");
    }
    assert_eq!(check("https://API.X.COM/v1", Follow::SelfOnly), Ok(Trust::Base));
    assert_eq!(check("https://api.x.com:443/v1?a=b", Follow::SelfOnly), Ok(Trust::Base));
}

#[test]
fn i10_a_declared_host_is_followed_without_the_credential_and_matched_by_label() {
    let hosts = Follow::Hosts(list(vec!["*.files.test", "cdn.test"]));
    assert_eq!(check("https://a.b.files.test/x", hosts), Ok(Trust::Declared));
    assert_eq!(check("https://cdn.test/x", hosts), Ok(Trust::Declared));
    for refused in
        ["https://files.test/", "https://evilfiles.test/", "https://cdn.test:8443/", "http://cdn.test/"]
    {
        assert_eq!(check(refused, hosts), Err(ErrorCode::EOriginRefused), "{refused}");
    }
}

#[test]
fn i01_to_i08_a_rebased_url_keeps_path_and_query_and_nothing_else() {
    let connector = declared().loaded("https://gateway.x.com/outer");
    let base = base(connector.spec.http().unwrap(), &connector).unwrap();
    let rebased = |url: &str| {
        server_url(url, &base, Follow::Rebase)
            .map(|(url, trust)| (url.to_string(), trust))
            .map_err(|error| error.code)
    };
    for (from, to) in [
        ("http://inner:8080/v1/jobs/7?a=b%20c", "https://gateway.x.com/v1/jobs/7?a=b%20c"),
        ("https://evil.test/x", "https://gateway.x.com/x"),
        ("https://10.0.0.1//evil.test/x", "https://gateway.x.com//evil.test/x"),
        ("https://inner/a/%2e%2e/b", "https://gateway.x.com/b"),
        ("https://gateway.x.com/x", "https://gateway.x.com/x"),
    ] {
        assert_eq!(rebased(from), Ok((to.to_owned(), Trust::Base)), "{from}");
    }
    for refused in [
        "https://api.x.com@evil.test/",
        "//inner/x",
        "https:\\\\inner\\x",
        "https://inner/x#f",
        "file:///x",
        "/x",
        "",
    ] {
        assert_eq!(rebased(refused), Err(ErrorCode::EOriginRefused), "{refused}");
    }
}

#[test]
fn m10_a_download_goes_to_declared_hosts_and_takes_the_credential_only_where_that_is_said() {
    let trust = |auth: DownloadAuth, follow: Follow, url: &str| {
        let hosts: &'static [&'static str] = &["*.files.test", "cdn.test"];
        let connector = declared().with(|http| {
            http.follow = follow;
            http.download = Download { hosts, auth };
        });
        let connector = connector.loaded("https://api.x.com/v1");
        let http = connector.spec.http().unwrap();
        let base = base(http, &connector).unwrap();
        assert_eq!(
            server_url(url, &base, follow).is_err(),
            url.contains("files.test") && follow != Follow::Rebase,
            "a poll never goes to a host of downloads: {url}"
        );
        download(http, &base, url).map(|request| request.trust).map_err(|error| error.code)
    };
    let (none, same) = (DownloadAuth::None, DownloadAuth::SameAsApi);
    assert_eq!(trust(none, Follow::SelfOnly, "https://a.files.test/x"), Ok(Trust::Declared));
    assert_eq!(trust(same, Follow::SelfOnly, "https://a.files.test/x"), Ok(Trust::Download));
    assert_eq!(trust(same, Follow::Rebase, "https://a.files.test/x"), Ok(Trust::Download));
    assert_eq!(trust(none, Follow::SelfOnly, "https://api.x.com/x"), Ok(Trust::Base));
    let followed = Follow::Hosts(&["eu.x.com"]);
    assert_eq!(trust(same, followed, "https://eu.x.com/x"), Ok(Trust::Declared), "followed is not download");
    assert!(Trust::Base.credential() && Trust::Download.credential() && !Trust::Declared.credential());
    for refused in ["https://files.test/x", "http://a.files.test/x", "https://a.files.test:8443/x"] {
        assert_eq!(trust(same, Follow::SelfOnly, refused), Err(ErrorCode::EOriginRefused), "{refused}");
    }
}

#[tokio::test]
async fn m9_a_rebased_poll_goes_to_the_base_with_the_credential() {
    let server = Server::start(|_| reply(200, r#"{"status":"succeeded","output":1}"#)).await;
    let connector = declared().with(|http| {
        http.follow = Follow::Rebase;
        http.poll.as_mut().unwrap().request =
            request("GET", UrlSpec::Captured(reference(Root::Job, &["poll_url"])));
    });
    let connector = connector.loaded(&server.url());
    let port = MemoryPort::new(Arc::clone(&server.log));
    let mut run = run(&engine(), &connector, with_poll_url("https://inner:8443/v9/jobs/j1?x=1"), &port);
    assert!(matches!(finish(&engine(), &mut run, &port).await, End::Succeeded { .. }));
    let head = &server.seen()[0].head;
    assert!(head.starts_with("GET /v9/jobs/j1?x=1 ") && head.contains(SECRET), "{head}");
}

fn with_poll_url(url: &str) -> emp_core::job::Job {
    let mut job = submitted("j1");
    let captured = [("poll_url".to_owned(), Value::from(url))].into_iter().collect();
    job.service_job = job.service_job.map(|service_job| ServiceJob { captured, ..service_job });
    job
}

#[tokio::test]
async fn i20_a_base_on_loopback_does_not_open_the_rest_of_loopback() {
    let other = Server::start(|_| reply(200, "{}")).await;
    let service = Server::start(|_| reply(200, r#"{"status":"running"}"#)).await;
    let connector = declared()
        .with(|http| {
            http.follow =
                Follow::Hosts(list(vec![Box::leak(format!("localhost:{}", other.port).into_boxed_str())]));
            http.poll.as_mut().unwrap().request =
                request("GET", UrlSpec::Captured(reference(Root::Job, &["poll_url"])));
        })
        .loaded(&service.url());
    for place in [other.url(), format!("http://localhost:{}/", other.port), "http://2130706433/".to_owned()] {
        let (engine, port) = (engine(), MemoryPort::new(Arc::clone(&service.log)));
        let mut run = run(&engine, &connector, with_poll_url(&place), &port);
        assert_eq!(failed(finish(&engine, &mut run, &port).await).code, ErrorCode::EOriginRefused, "{place}");
    }
    assert_eq!(other.seen().len(), 0, "nothing was sent there");
}

#[tokio::test]
async fn i12_i14_literal_addresses_are_checked_whatever_their_spelling() {
    let spellings = ["2130706433", "0x7f.1", "0177.0.0.1", "127.1", "[::ffff:127.0.0.1]", "169.254.169.254"];
    for host in spellings {
        let url = format!("http://{host}:9/");
        let host: &'static str = Box::leak(format!("{host}:9").into_boxed_str());
        let connector = declared()
            .with(|http| {
                http.follow = Follow::Hosts(list(vec![host]));
                http.poll.as_mut().unwrap().request =
                    request("GET", UrlSpec::Captured(reference(Root::Job, &["poll_url"])));
            })
            .loaded("http://api.test");
        let (engine, port) = (engine(), MemoryPort::new(Arc::default()));
        let mut run = run(&engine, &connector, with_poll_url(&url), &port);
        assert_eq!(failed(finish(&engine, &mut run, &port).await).code, ErrorCode::EOriginRefused, "{host}");
    }
}

/// Answers with each list in turn, and counts.
#[derive(Debug)]
struct Script(Vec<Vec<IpAddr>>, AtomicUsize);

#[async_trait]
impl Resolver for Script {
    async fn resolve(&self, _: &str) -> std::io::Result<Vec<IpAddr>> {
        let asked = self.1.fetch_add(1, Ordering::SeqCst);
        Ok(self.0[asked.min(self.0.len() - 1)].clone())
    }
}

async fn poll_elsewhere(script: Vec<Vec<IpAddr>>, other: &Server) -> (ErrorCode, Arc<Script>) {
    let resolver = Arc::new(Script(script, AtomicUsize::new(0)));
    let place: &'static str = Box::leak(format!("files.test:{}", other.port).into_boxed_str());
    let connector = declared()
        .with(|http| {
            http.follow = Follow::Hosts(list(vec![place]));
            http.poll.as_mut().unwrap().request =
                request("GET", UrlSpec::Captured(reference(Root::Job, &["poll_url"])));
        })
        .loaded("http://api.test");
    let engine = engine_with(|options| {
        options.resolver = Arc::clone(&resolver) as Arc<dyn Resolver>;
        options.patience.connect = std::time::Duration::from_millis(100);
    });
    let port = MemoryPort::new(Arc::clone(&other.log));
    let mut run = run(&engine, &connector, with_poll_url(&format!("http://{place}/x")), &port);
    let code = match engine.step(&mut run).await {
        emp_engine::run::Next::End(End::Failed(error)) => error.code,
        _ => ErrorCode::EConnect,
    };
    (code, resolver)
}

#[tokio::test]
async fn i15_a_name_for_a_private_address_is_refused() {
    let other = Server::start(|_| reply(200, "{}")).await;
    let loopback: IpAddr = "127.0.0.1".parse().unwrap();
    let (code, _) = poll_elsewhere(vec![vec![loopback]], &other).await;
    assert_eq!((code, other.seen().len()), (ErrorCode::EOriginRefused, 0));
}

#[tokio::test]
async fn i16_i17_the_address_that_was_checked_is_the_one_that_is_used() {
    let other = Server::start(|_| reply(200, "{}")).await;
    let (public, loopback): (IpAddr, IpAddr) = ("203.0.114.1".parse().unwrap(), "127.0.0.1".parse().unwrap());
    // Rebinding: public first, loopback second. And a mixed answer: the private one is dropped.
    for script in [vec![vec![public], vec![loopback]], vec![vec![loopback, public]]] {
        let (_, resolver) = poll_elsewhere(script, &other).await;
        assert_eq!(resolver.1.load(Ordering::SeqCst), 1, "one lookup");
        assert_eq!(other.seen().len(), 0);
    }
}

#[tokio::test]
async fn i09_a_submit_is_never_sent_on() {
    let evil = Server::start(|_| reply(200, r#"{"id":"x"}"#)).await;
    let target = evil.url();
    for code in [301, 302, 307, 308] {
        let target = target.clone();
        let server =
            Server::start(move |_| reply_with(code, &format!("Location: {target}/jobs\r\n"), "")).await;
        let (end, _) = crate::support::whole(&declared().loaded(&server.url()), &server.log).await;
        assert_eq!(failed(end).code, ErrorCode::EServiceRejected);
        assert_eq!(server.count("POST"), 1);
    }
    assert_eq!(evil.seen().len(), 0);
}

#[tokio::test]
async fn i09_a_303_after_a_submit_is_an_unknown_outcome() {
    let server = Server::start(|_| reply_with(303, "Location: /jobs/1\r\n", "")).await;
    let (end, _) = crate::support::whole(&declared().loaded(&server.url()), &server.log).await;
    assert!(matches!(end, End::Uncertain(error) if error.code == ErrorCode::ESubmitUncertain));
}

/// Every name is this machine.
#[derive(Debug)]
struct Loopback;
#[async_trait]
impl Resolver for Loopback {
    async fn resolve(&self, _: &str) -> std::io::Result<Vec<IpAddr>> {
        Ok(vec!["127.0.0.1".parse().unwrap()])
    }
}

async fn poll_through(server: &Server, follow: Follow, allow: Vec<(String, u16)>) -> End {
    let connector = declared().with(|http| http.follow = follow).loaded(&server.url());
    let engine = engine_with(|options| {
        options.allow = allow;
        options.resolver = Arc::new(Loopback);
    });
    let port = MemoryPort::new(Arc::clone(&server.log));
    let mut run = run(&engine, &connector, submitted("j1"), &port);
    finish(&engine, &mut run, &port).await
}

#[tokio::test]
async fn i10_a_poll_is_redirected_to_a_declared_origin_without_the_credential() {
    let files = Server::start(|_| reply(200, r#"{"status":"succeeded","output":1}"#)).await;
    let target = format!("http://files.test:{}/x", files.port);
    let server = Server::start(move |_| reply_with(302, &format!("Location: {target}\r\n"), "")).await;
    let place: &'static str = Box::leak(format!("files.test:{}", files.port).into_boxed_str());
    let allow = vec![("files.test".to_owned(), files.port)];
    let end = poll_through(&server, Follow::Hosts(list(vec![place])), allow).await;
    assert!(matches!(end, End::Succeeded { result, .. } if result == json!(1)));
    assert!(server.seen()[0].head.contains(SECRET), "its own origin gets the credential");
    let head = files.seen()[0].head.to_ascii_lowercase();
    assert!(!head.contains(SECRET) && !head.contains("referer") && !head.contains("cookie"), "{head}");
}

#[tokio::test]
async fn i10_an_undeclared_origin_is_not_followed() {
    let files = Server::start(|_| reply(200, r#"{"status":"succeeded","output":1}"#)).await;
    let target = format!("{}/x", files.url());
    let server = Server::start(move |_| reply_with(302, &format!("Location: {target}\r\n"), "")).await;
    let error = failed(poll_through(&server, Follow::SelfOnly, Vec::new()).await);
    assert_eq!((error.code, files.seen().len()), (ErrorCode::EOriginRefused, 0));
}

#[tokio::test]
async fn i11_redirects_end_after_three_hops_and_leave_http_never() {
    let server = Server::start(|_| reply_with(302, "Location: /jobs/j1\r\n", "")).await;
    let error = failed(poll_through(&server, Follow::SelfOnly, Vec::new()).await);
    assert_eq!((error.code, server.seen().len()), (ErrorCode::EOriginRefused, 4));
    for location in ["file:///etc/passwd", "data:text/plain,x", "//127.0.0.1/x"] {
        let server = Server::start(move |_| reply_with(302, &format!("Location: {location}\r\n"), "")).await;
        let error = failed(poll_through(&server, Follow::SelfOnly, Vec::new()).await);
        assert_eq!((error.code, server.seen().len()), (ErrorCode::EOriginRefused, 1), "{location}");
    }
}

#[tokio::test]
async fn i19_an_allowed_place_is_exactly_one_host_and_port() {
    let other = Server::start(|_| reply(200, "{}")).await;
    let target = format!("http://files.test:{}/x", other.port);
    let server = Server::start(move |_| reply_with(302, &format!("Location: {target}\r\n"), "")).await;
    let place: &'static str = Box::leak(format!("files.test:{}", other.port).into_boxed_str());
    let allow = vec![("files.test".to_owned(), other.port.wrapping_add(1))];
    let error = failed(poll_through(&server, Follow::Hosts(list(vec![place])), allow).await);
    assert_eq!((error.code, other.seen().len()), (ErrorCode::EOriginRefused, 0));
}

#[tokio::test]
async fn i44_no_cookie_is_kept() {
    let server = Server::start(|_| {
        reply_with(200, "Set-Cookie: a=b\r\nContent-Type: application/json\r\n", r#"{"status":"running"}"#)
    })
    .await;
    let connector = declared().loaded(&server.url());
    let (engine, port) = (engine(), MemoryPort::new(Arc::clone(&server.log)));
    let mut run = run(&engine, &connector, submitted("j1"), &port);
    for _ in 0..2 {
        engine.step(&mut run).await;
    }
    assert_eq!(server.seen().len(), 2);
    assert!(server.seen().iter().all(|seen| !seen.head.to_ascii_lowercase().contains("cookie:")));
}

#[tokio::test]
async fn a_fetch_reaches_the_place_that_the_caller_names() {
    let server = Server::start(|_| reply(200, "hello")).await;
    let gateway = Gateway::default();
    let answer =
        gateway.fetch(FetchRequest::new(http::Method::GET, server.url().parse().unwrap())).await.unwrap();
    assert_eq!((answer.status, answer.body.as_ref()), (200, b"hello".as_slice()));
    let request = FetchRequest::new(http::Method::GET, server.url().parse().unwrap());
    let mut stream = gateway.stream(request).await.unwrap();
    let mut body = Vec::new();
    while let Some(piece) = futures_util::StreamExt::next(&mut stream.body).await {
        body.extend_from_slice(&piece.unwrap());
    }
    assert_eq!(body, b"hello");
}

/// The environment is the process's, so the test runs itself again with a proxy in it.
#[tokio::test]
async fn i18_a_proxy_in_the_environment_is_not_used() {
    const AGAIN: &str = "EMP_TEST_I18_URL";
    if let Ok(url) = std::env::var(AGAIN) {
        let answer =
            Gateway::default().fetch(FetchRequest::new(http::Method::GET, url.parse().unwrap())).await;
        assert_eq!(answer.unwrap().body.as_ref(), b"direct");
        return;
    }
    let (server, proxy) =
        (Server::start(|_| reply(200, "direct")).await, Server::start(|_| reply(200, "proxied")).await);
    let status = tokio::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "origins::i18_a_proxy_in_the_environment_is_not_used"])
        .env(AGAIN, server.url())
        .env("HTTP_PROXY", proxy.url())
        .env("http_proxy", proxy.url())
        .env("ALL_PROXY", proxy.url())
        .status()
        .await
        .unwrap();
    assert!(status.success());
    assert_eq!((server.seen().len(), proxy.seen().len()), (1, 0));
}

#[tokio::test]
async fn i12_not_even_a_configured_base_may_be_a_metadata_service() {
    for base in [
        "http://169.254.169.254",
        "http://0xa9fea9fe",
        "http://[::ffff:169.254.169.254]",
        "http://[fd00:ec2::254]",
    ] {
        let (engine, port) = (engine(), MemoryPort::new(Arc::default()));
        let connector = declared().loaded(base);
        let mut run = run(&engine, &connector, submitted("j1"), &port);
        assert_eq!(failed(finish(&engine, &mut run, &port).await).code, ErrorCode::EOriginRefused, "{base}");
    }
}
