//! Table C: what an answer may weigh, how long it may take, and what of it is shown.

use std::sync::Arc;
use std::time::{Duration, Instant};

use emp_core::error::Billed;
use emp_core::{ErrorCode, Secret};
use emp_engine::run::{End, Next};
use emp_engine::scrub::Scrubber;
use emp_engine::strict_json;

use crate::support::{
    MemoryPort, Reply, SECRET, Server, at, capture, declared, engine, failed, finish, list, reply,
    reply_with, run, submitted, whole,
};

/// One poll: its end, or that it goes on.
async fn poll_once(answer: impl Fn() -> Reply + Send + Sync + 'static) -> (Next, Server) {
    let server = Server::start(move |_| answer()).await;
    let connector = declared().loaded(&server.url());
    let (engine, port) = (engine(), MemoryPort::new(Arc::clone(&server.log)));
    let mut run = run(&engine, &connector, submitted("j1"), &port);
    (engine.step(&mut run).await, server)
}

/// What a submit makes of bytes that are no proper answer: an unknown outcome, in bounded time.
async fn is_unknown(answer: impl Fn() -> Reply + Send + Sync + 'static) {
    let server = Server::start(move |_| answer()).await;
    let started = Instant::now();
    let (end, _) = whole(&declared().loaded(&server.url()), &server.log).await;
    assert!(matches!(&end, End::Uncertain(error) if error.billed == Billed::Maybe), "{end:?}");
    assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
}

#[tokio::test]
async fn i28_f35_an_encoding_that_nobody_asked_for_is_not_decoded() {
    for encoding in ["gzip", "br", "zstd", "deflate", "gzip, gzip"] {
        let head = format!("Content-Encoding: {encoding}\r\nContent-Type: application/json\r\n");
        let (next, server) =
            poll_once(move || reply_with(200, &head, r#"{"status":"succeeded","output":1}"#)).await;
        assert!(
            matches!(next, Next::Wait(_)),
            "{encoding}: an answer without a status, of which a few are borne"
        );
        assert!(server.seen()[0].head.to_ascii_lowercase().contains("accept-encoding: identity"));
    }
}

#[tokio::test]
async fn i29_f34_an_endless_body_stops_at_the_cap() {
    let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    let mut chunk = b"10000\r\n".to_vec();
    chunk.extend(vec![b'x'; 0x10000]);
    chunk.extend(b"\r\n");
    let (next, _) = poll_once(move || Reply::Drip(head.clone(), chunk.clone(), Duration::ZERO)).await;
    let Next::End(end) = next else { panic!("{next:?}") };
    assert_eq!(failed(end).code, ErrorCode::EResponseTooLarge);
}

#[tokio::test]
async fn i30_lengths_that_lie_are_unknown_outcomes() {
    for head in [
        "Content-Length: 99999999999\r\n",
        "Content-Length: 100\r\n",
        "Content-Length: 11\r\nContent-Length: 5\r\n",
        "Content-Length: x\r\n",
    ] {
        is_unknown(move || {
            Reply::Raw(format!("HTTP/1.1 200 OK\r\n{head}\r\n{{\"id\":\"j1\"}}").into_bytes())
        })
        .await;
    }
}

#[tokio::test]
async fn i30_what_follows_the_length_is_not_read() {
    let bytes = || {
        let body = r#"{"status":"succeeded","output":1}"#;
        let mut bytes =
            format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes();
        bytes.extend(vec![b'x'; 1 << 20]);
        Reply::Raw(bytes)
    };
    let (next, _) = poll_once(bytes).await;
    assert!(matches!(next, Next::End(End::Succeeded { .. }) | Next::Wait(_)), "{next:?}");
}

#[tokio::test]
async fn i31_f32_a_byte_now_and_then_ends_by_the_rate() {
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n".to_vec();
    let started = Instant::now();
    is_unknown(move || Reply::Drip(head.clone(), b"x".to_vec(), Duration::from_millis(20))).await;
    assert!(started.elapsed() < Duration::from_secs(1), "by the rate, and not by the total deadline");
}

#[tokio::test]
async fn f32_silence_ends_by_a_deadline_before_and_within_the_body() {
    let patient = Duration::from_mins(1);
    is_unknown(move || Reply::Drip(Vec::new(), Vec::new(), patient)).await;
    is_unknown(move || {
        Reply::Drip(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{".to_vec(), Vec::new(), patient)
    })
    .await;
}

fn headers(count: usize, length: usize) -> String {
    let lines: Vec<String> = (0..count).map(|n| format!("x-{n}: {}\r\n", "y".repeat(length))).collect();
    lines.concat()
}

#[tokio::test]
async fn i32_heads_are_bounded() {
    let many = headers(10_000, 1);
    let large = format!("x-large: {}\r\n", "y".repeat(1 << 20));
    let wide = headers(90, 1000);
    for head in [many, large, wide] {
        is_unknown(move || reply_with(200, &head, r#"{"id":"j1"}"#)).await;
    }
}

#[tokio::test]
async fn i33_interim_answers_do_not_go_on_for_ever() {
    let interim = b"HTTP/1.1 103 Early Hints\r\n\r\n".to_vec();
    is_unknown(move || Reply::Drip(Vec::new(), interim.clone(), Duration::from_millis(1))).await;
}

#[test]
fn i34_json_is_bounded_in_depth_and_size() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let edge = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
    let many = format!("[{}0]", "0,".repeat(5_000_000));
    let key = format!("{{\"{}\":1}}", "k".repeat(1 << 20));
    for bad in [deep, edge(65), many, key] {
        assert!(strict_json::parse(bad.as_bytes()).is_err(), "{bad:.20}");
    }
    assert!(strict_json::parse(edge(64).as_bytes()).is_ok());
}

#[test]
fn i35_i36_what_is_not_json_is_refused() {
    for bad in [
        b"{\"a\":1,\"a\":2}".as_slice(),
        b"{\"x\":[{\"a\":1,\"a\":1}]}",
        b"",
        b"\xef\xbb\xbf{}",
        b"\xff\xfe{\0}\0",
        b"\"\xff\"",
        b"{\"a\":NaN}",
        b"{} {}",
        b"{\"a\":1e400}",
        b"\"\\ud800\"",
    ] {
        assert!(strict_json::parse(bad).is_err(), "{:?}", String::from_utf8_lossy(bad));
    }
}

#[tokio::test]
async fn i46_i47_error_texts_are_one_bounded_line_without_controls() {
    let text = format!("\\u001b]0;pwned\\u0007\\u001b[2J\\n::error file=x::{}", "y".repeat(1 << 20));
    let body = format!(r#"{{"status":"failed","error":"{text}"}}"#);
    let server = Server::start(move |_| reply(200, &body)).await;
    let connector = declared().loaded(&server.url());
    let (engine, port) = (engine(), MemoryPort::new(Arc::clone(&server.log)));
    let mut run = run(&engine, &connector, submitted("j1"), &port);
    let detail = failed(finish(&engine, &mut run, &port).await).detail.unwrap();
    assert!(detail.chars().count() <= 2048 && !detail.chars().any(char::is_control));
}

#[tokio::test]
async fn i48_an_echoed_credential_is_scrubbed_everywhere() {
    let echo = |seen: &crate::support::Seen| {
        let (code, body) = match seen.method.as_str() {
            "POST" => (422, format!(r#"{{"error":"bad header x-api-key: {SECRET}"}}"#)),
            _ => (200, format!(r#"{{"status":"succeeded","output":{{"you sent":["{SECRET}"]}}}}"#)),
        };
        reply(code, body)
    };
    let server = Server::start(echo).await;
    let connector = declared().loaded(&server.url());
    let (end, _) = whole(&connector, &server.log).await;
    assert!(!format!("{end:?}").contains(SECRET) && format!("{end:?}").contains("[redacted]"), "{end:?}");
    let (engine, port) = (engine(), MemoryPort::new(Arc::clone(&server.log)));
    let mut run = run(&engine, &connector, submitted("j1"), &port);
    let end = finish(&engine, &mut run, &port).await;
    assert!(!format!("{end:?}").contains(SECRET) && format!("{end:?}").contains("[redacted]"), "{end:?}");
}

#[test]
fn i48_every_spelling_of_a_secret_is_known() {
    let secret = "pa/ss+w\"rd&12345";
    let scrubber = Scrubber::new([&Secret::new(secret)]);
    let base64 = |prefix: &str| {
        use base64::Engine as _;
        base64::engine::general_purpose::STANDARD.encode(format!("{prefix}{secret}:tail"))
    };
    for text in [
        secret.to_owned(),
        "pa%2Fss%2Bw%22rd%2612345".to_owned(),
        "pa%2fss%2bw%22rd%2612345".to_owned(),
        serde_json::to_string(secret).unwrap(),
        base64(""),
        base64("u:"),
        base64("us:"),
        base64("user:"),
    ] {
        let clean = scrubber.text(&format!("before {text} after"));
        assert!(
            clean.contains("[redacted]") && clean.starts_with("before ") && clean.ends_with(" after"),
            "{text}: {clean}"
        );
        assert!(!clean.contains("ss+w") && !clean.contains("ss%2"), "{clean}");
    }
    assert_eq!(Scrubber::new([&Secret::new("short")]).text("a short word"), "a short word");
}

#[tokio::test]
async fn errors_name_no_url() {
    let server = Server::start(|_| Reply::Cut).await;
    let (end, _) = whole(&declared().loaded(&server.url()), &server.log).await;
    let text = format!("{end:?}");
    assert!(!text.contains("127.0.0.1") && !text.contains("http"), "{text}");
}

/// A port whose record is looked through: what is stored of a service job is shown by the API.
#[tokio::test]
async fn i48_an_echoed_credential_is_not_stored_with_the_service_job_and_not_cut_in_half() {
    let body = format!(r#"{{"id":"j-{SECRET}","{SECRET}":1,"u":"http://x/?key={SECRET}"}}"#);
    let server = Server::start(move |_| reply(200, &body)).await;
    let declared = declared().with(|http| {
        http.submit.capture =
            list(vec![capture("id", at("$.id")), capture("u", at("$.u")), capture("all", at("$"))]);
    });
    let (_, _) = whole(&declared.loaded(&server.url()), &server.log).await;
    assert!(!format!("{:?}", server.log()).contains(SECRET), "{:?}", server.log());
    assert!(server.log().iter().any(|line| line.starts_with("submitted j-[redacted]")), "{:?}", server.log());

    // An error quotes the first 300 characters: the cut goes through the credential.
    let body = format!("{}{SECRET}", "x".repeat(290));
    let server = Server::start(move |_| reply_with(400, "Content-Type: text/plain\r\n", &body)).await;
    let (end, _) = whole(&crate::support::declared().loaded(&server.url()), &server.log).await;
    assert!(!format!("{end:?}").contains(&SECRET[..6]), "{end:?}");
}

#[test]
fn i24_whole_numbers_keep_their_digits_and_all_else_is_as_serde_reads_it() {
    let parse = |text: &str| strict_json::parse(text.as_bytes());
    for large in ["12345678901234567890123", "-9223372036854775809", "18446744073709551616"] {
        assert_eq!(parse(large), Ok(large.into()));
        let inside = format!(r#"{{"a":[{large},1.5],"b":"{large}"}}"#);
        assert_eq!(parse(&inside), Ok(serde_json::json!({ "a": [large, 1.5], "b": large })));
    }
    for same in [
        "18446744073709551615",
        "-9223372036854775808",
        "123456789012345678901.5",
        "1234567890123456789012e2",
        r#"["\\",1,"\"12345678901234567890123",2]"#,
    ] {
        assert_eq!(parse(same).ok(), serde_json::from_str(same).ok(), "{same}");
    }
    for wrong in [
        "01234567890123456789012",
        "12345678901234567890123 4",
        "\"12345678901234567890123",
        "--12345678901234567890123",
    ] {
        assert!(parse(wrong).is_err(), "{wrong}");
    }
}
