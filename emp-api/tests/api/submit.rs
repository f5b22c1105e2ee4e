//! `POST /api/jobs`.

use axum::body::Body;
use axum::http::header;
use emp_api::Limits;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::{Api, Reply, guide, post, request};

/// The body is refused, and no job is left.
async fn refused(api: &Api, body: &Value) -> Reply {
    let reply = api.submit(body).await;
    assert!((400..500).contains(&reply.status), "{body}: {}", reply.text);
    assert_eq!(api.count().await, 0, "{body}");
    reply
}

#[tokio::test]
async fn the_guides_curl_gets_a_job() {
    let api = Api::new();
    let reply = api.submit(&guide()).await;
    assert_eq!(reply.status, 202, "{}", reply.text);
    let id = reply.json["job_id"].as_str().unwrap();
    assert_eq!(reply.header("location"), format!("/api/jobs/{id}"));
    assert_eq!(reply.json["id"], id);
    assert_eq!((&reply.json["status"], &reply.json["state"]), (&json!("pending"), &json!("queued")));
    let job = api.get(reply.header("location")).await;
    assert_eq!(job.json["payload"], guide()["payload"]);
}

#[tokio::test]
async fn priority_and_labels_are_kept() {
    let api = Api::new();
    let mut body = guide();
    body["priority"] = json!(9);
    body["labels"] = json!({ "gpu": "a100", "team": "quotes \" and \\ are fine" });
    let reply = api.submit(&body).await;
    assert_eq!(reply.status, 202, "{}", reply.text);
    let job = api.get(reply.header("location")).await.json;
    assert_eq!((&job["priority"], &job["labels"]), (&json!(9), &body["labels"]));
}

#[tokio::test]
async fn a_missing_member_of_the_payload_is_named_itself() {
    let api = Api::new();
    let reply = refused(&api, &json!({ "service": "my-service", "payload": {} })).await;
    reply.assert_problem(422, "E_INVALID");
    assert_eq!(reply.pointers(), ["/payload/input"]);
    assert_eq!(reply.json["errors"][0]["detail"], "is missing");
    assert_eq!(reply.json["errors"][0]["expected"], "a member `input`");
    assert!(reply.json["detail"].as_str().unwrap().contains("/payload/input"));
}

#[tokio::test]
async fn i65_every_wrong_or_unknown_member_is_named() {
    let api = Api::new();
    let body = json!({
        "service": "my-service", "payload": { "options": 1 }, "state": "succeeded", "tenant": "x", "nonce": "n",
        "service_job_id": "s", "priority": 999
    });
    let reply = refused(&api, &body).await;
    reply.assert_problem(422, "E_INVALID");
    let mut pointers = reply.pointers();
    pointers.sort_unstable();
    let expected =
        ["/nonce", "/payload/input", "/payload/options", "/priority", "/service_job_id", "/state", "/tenant"];
    assert_eq!(pointers, expected);
}

#[tokio::test]
async fn i65_an_envelope_of_another_shape_is_refused_at_its_place() {
    let api = Api::new();
    let cases = [
        (json!({}), vec!["/payload", "/service"]),
        (json!([]), vec![""]),
        (json!({ "service": 1, "payload": {} }), vec!["/service"]),
        (json!({ "service": "my-service" }), vec!["/payload"]),
        (json!({ "service": "my-service", "payload": null }), vec!["/payload"]),
        (json!({ "service": "my-service", "payload": { "input": 1 }, "priority": 1.5 }), vec!["/priority"]),
        (json!({ "service": "my-service", "payload": { "input": 1 }, "priority": -1 }), vec!["/priority"]),
        (
            json!({ "service": "my-service", "payload": { "input": 1 }, "labels": { "a": 1 } }),
            vec!["/labels/a"],
        ),
    ];
    for (body, expected) in cases {
        let reply = refused(&api, &body).await;
        assert_eq!(reply.status, 422, "{body}");
        let mut pointers = reply.pointers();
        pointers.sort_unstable();
        assert_eq!(pointers, expected, "{body}: {}", reply.text);
    }
}

#[tokio::test]
async fn an_unknown_service_is_answered_with_the_nearest() {
    let api = Api::new();
    let reply = refused(&api, &json!({ "service": "my-servce", "payload": {} })).await;
    reply.assert_problem(422, "E_UNKNOWN_SERVICE");
    assert_eq!(reply.pointers(), ["/service"]);
    assert_eq!(reply.json["errors"][0]["expected"], "`my-service`");
    assert_eq!(reply.json["help"], "write \"service\": \"my-service\"");
    let far = refused(&api, &json!({ "service": "zzz", "payload": {} })).await;
    assert_eq!(far.json["errors"][0]["expected"], "one of `my-service`, `simulation`");
}

#[tokio::test]
async fn i70_odd_service_names_are_unknown_services_and_long_ones_are_not_sent_back() {
    let api = Api::new();
    let long = "x".repeat(10 << 10);
    for name in
        ["../../x", "__proto__", "emp:lock", &long, "🦀", "*", "{tag}", "my-service\u{0}", " my-service"]
    {
        let reply = refused(&api, &json!({ "service": name, "payload": { "input": 1 } })).await;
        reply.assert_problem(422, "E_UNKNOWN_SERVICE");
        assert!(reply.text.len() < 1000, "{}", reply.text);
    }
    refused(&api, &json!({ "service": "", "payload": {} })).await.assert_problem(422, "E_INVALID");
}

#[tokio::test]
async fn i66_a_body_over_the_limit_is_refused_announced_or_not() {
    let api = Api::new();
    let body = json!({ "service": "my-service", "payload": { "input": "x".repeat(2 << 20) } }).to_string();
    let announced = api.send(post("/api/jobs", body.clone())).await;
    announced.assert_problem(413, "E_TOO_LARGE");
    let chunks: Vec<Result<String, std::io::Error>> =
        body.as_bytes().chunks(1000).map(|chunk| Ok(String::from_utf8(chunk.to_vec()).unwrap())).collect();
    let streamed = Body::from_stream(futures_util::stream::iter(chunks));
    api.send(post("/api/jobs", streamed)).await.assert_problem(413, "E_TOO_LARGE");
    assert_eq!(api.count().await, 0);
    let fits =
        json!({ "service": "my-service", "payload": { "input": "x".repeat(Limits::default().body - 200) } });
    assert_eq!(api.submit(&fits).await.status, 202);
}

#[tokio::test]
async fn i68_what_is_not_json_is_refused_with_line_and_column() {
    let api = Api::new();
    let deep =
        format!("{{\"service\":\"my-service\",\"payload\":{}{}}}", "[".repeat(10_000), "]".repeat(10_000));
    let cases: [(&str, &str, &str); 6] = [
        ("{\n  \"service\": oops}", "", "line 2 column"),
        (r#"{"service":"my-service","payload":{"input":1,"input":2}}"#, "/payload/input", "given twice"),
        (r#"{"service":"my-service","service":"simulation","payload":{}}"#, "/service", "given twice"),
        (r#"{"service":"my-service","payload":{"input":1}} x"#, "", "trailing"),
        (r#"{"service":"my-service", /* no */ "payload":{}}"#, "", "line 1"),
        (&deep, "/payload", "deeper than 64"),
    ];
    for (body, pointer, detail) in cases {
        let reply = api.send(post("/api/jobs", body.to_owned())).await;
        reply.assert_problem(400, "E_BAD_JSON");
        assert!(reply.json["detail"].as_str().unwrap().contains(detail), "{}", reply.text);
        assert!(reply.pointers()[0].starts_with(pointer), "{}", reply.text);
    }
    assert_eq!(api.count().await, 0);
}

#[tokio::test]
async fn i69_only_json_in_utf_8_is_read() {
    let api = Api::new();
    let send = |content_type: Option<&'static str>, encoding: Option<&'static str>| {
        let mut request = request("POST", "/api/jobs");
        if let Some(value) = content_type {
            request = request.header(header::CONTENT_TYPE, value);
        }
        if let Some(value) = encoding {
            request = request.header(header::CONTENT_ENCODING, value);
        }
        api.send(request.body(Body::from(guide().to_string())).unwrap())
    };
    let refused = [
        (None, None),
        (Some(""), None),
        (Some("text/plain"), None),
        (Some("application/x-www-form-urlencoded"), None),
        (Some("application/json; charset=utf-16"), None),
        (Some("application/jsonx"), None),
        (Some("application/json"), Some("gzip")),
    ];
    for (content_type, encoding) in refused {
        send(content_type, encoding).await.assert_problem(415, "E_CONTENT_TYPE");
    }
    assert_eq!(api.count().await, 0);
    for accepted in [
        "application/json",
        "Application/JSON",
        "application/json; charset=UTF-8",
        "application/json;charset=\"utf-8\"",
    ] {
        assert_eq!(send(Some(accepted), None).await.status, 202, "{accepted}");
    }
}

#[tokio::test]
async fn i78_labels_are_bounded() {
    let api = Api::new();
    let many: serde_json::Map<String, Value> = (0..10_000).map(|n| (format!("l{n}"), json!("x"))).collect();
    for labels in [
        Value::Object(many),
        json!({ "a": "line\nbreak" }),
        json!({ "a": "x".repeat(129) }),
        json!({ "a b": "x" }),
    ] {
        let mut body = guide();
        body["labels"] = labels;
        let reply = refused(&api, &body).await;
        reply.assert_problem(422, "E_INVALID");
        assert!(reply.pointers().iter().all(|pointer| pointer.starts_with("/labels")), "{}", reply.text);
    }
}

fn keyed(body: &Value, key: &str) -> axum::http::Request<Body> {
    let mut request = post("/api/jobs", body.to_string());
    request.headers_mut().insert("idempotency-key", key.parse().unwrap());
    request
}

#[tokio::test]
async fn p16_the_same_key_and_body_is_the_same_job_and_another_body_is_refused() {
    let api = Api::new();
    let first = api.send(keyed(&guide(), "k-1")).await;
    assert_eq!((first.status, first.header("idempotency-replayed")), (202, ""));
    let again = api.send(keyed(&guide(), "k-1")).await;
    assert_eq!((again.status, again.header("idempotency-replayed")), (200, "true"), "{}", again.text);
    assert_eq!((&again.json["id"], again.header("location")), (&first.json["id"], first.header("location")));
    let mut member = guide();
    member["idempotency_key"] = json!("k-1");
    assert_eq!(api.submit(&member).await.json["id"], first.json["id"], "the key may stand in the body");
    assert_eq!(api.send(keyed(&member, "k-1")).await.status, 200, "and in both");
    let mut other = guide();
    other["payload"]["input"] = json!("another");
    let conflict = api.send(keyed(&other, "k-1")).await;
    conflict.assert_problem(422, "E_KEY_CONFLICT");
    assert!(conflict.json["detail"].as_str().unwrap().contains(first.json["id"].as_str().unwrap()));
    assert_eq!(api.count().await, 1);
}

#[tokio::test]
async fn p16_two_keys_that_differ_are_refused() {
    let api = Api::new();
    let mut member = guide();
    member["idempotency_key"] = json!("k-2");
    let reply = api.send(keyed(&member, "k-1")).await;
    reply.assert_problem(422, "E_INVALID");
    assert_eq!(reply.pointers(), ["/idempotency_key"]);
    assert_eq!(api.count().await, 0);
}

#[tokio::test]
async fn i72_a_key_that_no_header_could_carry_is_refused() {
    let api = Api::new();
    let long = "k".repeat(10 << 10);
    for key in [long.as_str(), "", "two words"] {
        api.send(keyed(&guide(), key)).await.assert_problem(400, "E_INVALID_KEY");
    }
    for key in [long.as_str(), "", "a\r\nX-Evil: 1", "ключ"] {
        let mut body = guide();
        body["idempotency_key"] = json!(key);
        refused(&api, &body).await.assert_problem(400, "E_INVALID_KEY");
    }
    let mut twice = keyed(&guide(), "a");
    twice.headers_mut().append("idempotency-key", "a".parse().unwrap());
    api.send(twice).await.assert_problem(400, "E_INVALID_KEY");
    assert_eq!(api.count().await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn i72_a_hundred_submits_with_one_key_are_one_job() {
    let api = Api::new();
    let replies = join_all((0..100).map(|_| api.send(keyed(&guide(), "k-1")))).await;
    assert_eq!(replies.iter().filter(|reply| reply.status == 202).count(), 1);
    assert_eq!(replies.iter().filter(|reply| reply.status == 200).count(), 99);
    assert!(replies.iter().all(|reply| reply.json["id"] == replies[0].json["id"]));
    assert_eq!(api.count().await, 1);
}
