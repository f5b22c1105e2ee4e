//! What every request passes.

use axum::body::Body;
use axum::http::{Method, header};
use emp_api::{Auth, Limits};
use emp_core::Secret;

use crate::support::{Api, get, guide, post, request};

#[tokio::test]
async fn i56_a_loopback_server_answers_only_to_its_own_names() {
    let api = Api::new();
    let with_host = |host: &'static str| {
        axum::http::Request::builder().uri("/livez").header(header::HOST, host).body(Body::empty()).unwrap()
    };
    for own in ["localhost", "localhost:3000", "LOCALHOST:1", "127.0.0.1:3000", "[::1]:3000", "[::1]"] {
        assert_eq!(api.send(with_host(own)).await.status, 200, "{own}");
    }
    for other in [
        "evil.test",
        "evil.test:3000",
        "localhost.evil.test",
        "127.0.0.1.evil.test",
        "localhost:x",
        "",
        "127.0.0.2",
        "::1",
    ] {
        api.send(with_host(other)).await.assert_problem(421, "E_WRONG_HOST");
    }
    let none = axum::http::Request::builder().uri("/livez").body(Body::empty()).unwrap();
    api.send(none).await.assert_problem(421, "E_WRONG_HOST");
    let mut two = get("/livez");
    two.headers_mut().append(header::HOST, "localhost".parse().unwrap());
    api.send(two).await.assert_problem(421, "E_WRONG_HOST");
    let mut target = get("/livez");
    *target.uri_mut() = "http://evil.test/livez".parse().unwrap();
    api.send(target).await.assert_problem(421, "E_WRONG_HOST");
}

#[tokio::test]
async fn i57_path_tricks_find_nothing() {
    let api = Api::new();
    let tricks = [
        "/api//jobs",
        "//api/jobs",
        "/api/jobs/",
        "/API/jobs",
        "/api/jobs;a=b",
        "/api/jobs.",
        "/api/jobs%2f",
        "/%61pi/jobs",
        "/api/../api/jobs",
        "/api/./jobs",
        "/api/jobs/..",
        "/api/jobs/..%2fworkers",
        "/api",
        "/",
        "/livez/",
    ];
    for path in tricks {
        let reply = api.get(path).await;
        assert_eq!(reply.status, 404, "{path}: {}", reply.text);
        assert_eq!(reply.header("content-type"), "application/problem+json");
    }
}

#[tokio::test]
async fn i59_headers_that_would_change_the_request_are_ignored() {
    let api = Api::new();
    let id = api.job().await;
    let mut tricked = get(&format!("/api/jobs/{id}"));
    for name in ["x-http-method-override", "x-method-override", "x-http-method"] {
        tricked.headers_mut().insert(name, "DELETE".parse().unwrap());
    }
    assert_eq!(api.send(tricked).await.json["id"], id.as_str());
    let mut forwarded = axum::http::Request::builder().uri("/livez").body(Body::empty()).unwrap();
    forwarded.headers_mut().insert(header::HOST, "evil.test".parse().unwrap());
    for (name, value) in
        [("x-forwarded-for", "127.0.0.1"), ("x-forwarded-host", "localhost"), ("forwarded", "host=localhost")]
    {
        forwarded.headers_mut().insert(name, value.parse().unwrap());
    }
    api.send(forwarded).await.assert_problem(421, "E_WRONG_HOST");
}

#[tokio::test]
async fn a_page_of_another_site_changes_nothing() {
    let api = Api::new();
    let from = |name: &'static str, value: &'static str| {
        let mut request = post("/api/jobs", guide().to_string());
        request.headers_mut().insert(name, value.parse().unwrap());
        request
    };
    for (name, value) in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "http://evil.test"),
        ("origin", "http://localhost:3001"),
        ("origin", "null"),
    ] {
        api.send(from(name, value)).await.assert_problem(403, "E_CROSS_SITE");
    }
    assert_eq!(api.count().await, 0);
    for (name, value) in
        [("sec-fetch-site", "same-origin"), ("sec-fetch-site", "none"), ("origin", "http://localhost:3000")]
    {
        assert_eq!(api.send(from(name, value)).await.status, 202, "{name}: {value}");
    }
}

#[tokio::test]
async fn i60_with_a_token_only_the_probes_are_open_and_they_tell_nothing() {
    let api = Api::with(Auth::token(&Secret::new("right-token")), Limits::default());
    for (path, said) in [("/livez", r#"{"status":"ok"}"#), ("/readyz", r#"{"status":"ok"}"#)] {
        let reply = api.get(path).await;
        assert_eq!((reply.status, reply.text.as_str()), (200, said));
    }
    for path in
        ["/api/jobs", "/api/services", "/api/workers", "/api/version", "/api/openapi.json", "/nothing"]
    {
        let reply = api.get(path).await;
        reply.assert_problem(401, "E_NO_AUTH");
        assert_eq!(reply.header("www-authenticate"), "Bearer");
    }
    let with_token = |token: &str| {
        request("GET", "/api/jobs")
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .body(Body::empty())
            .unwrap()
    };
    assert_eq!(api.send(with_token("right-token")).await.status, 200);
    api.send(with_token("wrong-token")).await.assert_problem(401, "E_NO_AUTH");
}

#[tokio::test]
async fn every_answer_has_the_usual_headers_and_a_request_id() {
    let api = Api::new();
    for path in ["/livez", "/api/jobs", "/nothing"] {
        let reply = api.get(path).await;
        assert_eq!(reply.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(reply.header("cache-control"), "no-store", "{path}");
        assert_eq!(reply.header("x-request-id").len(), 32, "{path}");
        assert_eq!(reply.header("access-control-allow-origin"), "", "{path}");
    }
    let named =
        |id: &'static str| request("GET", "/livez").header("x-request-id", id).body(Body::empty()).unwrap();
    assert_eq!(api.send(named("abc-1.2_3")).await.header("x-request-id"), "abc-1.2_3");
    assert_ne!(api.send(named("two words")).await.header("x-request-id"), "two words");
}

#[tokio::test]
async fn a_method_that_a_path_does_not_have_is_405_with_the_ones_it_has() {
    let api = Api::new();
    for (path, allowed) in [("/api/jobs", "POST,GET,HEAD"), ("/livez", "GET,HEAD")] {
        for method in [Method::DELETE, Method::PUT, Method::PATCH, Method::OPTIONS, Method::TRACE] {
            let reply = api.send(request(method.as_str(), path).body(Body::empty()).unwrap()).await;
            reply.assert_problem(405, "E_METHOD_NOT_ALLOWED");
            let mut listed: Vec<&str> = reply.header("allow").split(',').map(str::trim).collect();
            let mut expected: Vec<&str> = allowed.split(',').collect();
            listed.sort_unstable();
            expected.sort_unstable();
            assert_eq!(listed, expected);
        }
    }
}
