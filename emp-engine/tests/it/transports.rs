//! The bad inputs of the security tables B and C, over every transport where they can occur: what one refuses, none lets through.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use emp_core::Connector;
use emp_core::connector::Entry;
use emp_engine::run::End;
use serde_json::{Value, json};

use crate::support::{MemoryPort, Reply, Seen, Server, engine, finish, job, reply, reply_with, run};

/// A connector whose submit is sent in this way, and whose polls say what `$.output` is.
macro_rules! sends {
    ($name:ident, $service:tt, $($submit:tt)*) => {
        /// Sends.
        #[derive(Connector)]
        #[connector(service = $service, version = "1.0.0", unregistered)]
        #[http(base = env.base_url)]
        #[auth(none)]
        #[submit($($submit)*, capture(id = "$.id"), at_most_once)]
        #[poll(get = "/status/{job.id}")]
        #[states(at = "$.status", running = ["running"], succeeded = ["done"], unknown = running(warn))]
        #[outcome(json = "$.output")]
        struct $name {
            #[env("TRANSPORT_URL")]
            base_url: emp_core::Url,
        }
    };
}

sends!(Json, "json", post = "/jobs", json { "x": payload.x });
sends!(Form, "form", post = "/jobs", form { x: payload.x });
sends!(Multipart, "multipart", post = "/jobs", multipart { x: payload.x });
sends!(Raw, "raw", post = "/jobs", raw(payload.x, content_type = "text/plain"));
sends!(Query, "query", post = "/jobs", query("x" = payload.x), json {});
sends!(Header, "header", post = "/jobs", header("X-Note" = payload.x), json {});
sends!(Segment, "segment", post = "/jobs/{payload.x}", json {});

/// Streams lines.
#[derive(Connector)]
#[connector(service = "lines", version = "1.0.0", mode = stream, unregistered)]
#[http(base = env.base_url)]
#[auth(none)]
#[submit(post = "/jobs", json { "x": payload.x }, at_most_once)]
#[stream(ndjson, delta = "$.output", done = "$.status" == "done")]
#[outcome(text = deltas)]
struct Lines {
    #[env("TRANSPORT_URL")]
    base_url: emp_core::Url,
}

/// Streams events.
#[derive(Connector)]
#[connector(service = "events", version = "1.0.0", mode = stream, unregistered)]
#[http(base = env.base_url)]
#[auth(none)]
#[submit(post = "/jobs", json { "x": payload.x }, at_most_once)]
#[stream(sse, delta = "$.output", done = "$.status" == "done")]
#[outcome(text = deltas)]
struct Events {
    #[env("TRANSPORT_URL")]
    base_url: emp_core::Url,
}

/// Fetches its result, and its result's file, by requests of their own.
#[derive(Connector)]
#[connector(service = "fetches", version = "1.0.0", unregistered)]
#[http(base = env.base_url)]
#[auth(none)]
#[submit(post = "/jobs", json { "x": payload.x }, capture(id = "$.id"), at_most_once)]
#[poll(get = "/status/{job.id}")]
#[states(at = "$.status", running = ["running"], succeeded = ["done"], unknown = running(warn))]
#[outcome(get = "/result/{job.id}", json = "$.output")]
struct Fetches {
    #[env("TRANSPORT_URL")]
    base_url: emp_core::Url,
}

async fn work(entry: Entry, server: &Server, x: &str) -> End {
    let env = BTreeMap::from([("TRANSPORT_URL".to_owned(), server.url())]);
    let connector = Arc::new(entry.load(&env).unwrap());
    let (engine, port) = (engine(), MemoryPort::new(Arc::clone(&server.log)));
    let mut run = run(&engine, &connector, job(json!({ "x": x })), &port);
    finish(&engine, &mut run, &port).await
}

/// What a payload may hold: table B.
const VALUES: &[&str] = &[
    "a\r\nX-Evil: 1",
    "a\nX-Evil: 1\n\nPOST /admin HTTP/1.1",
    "../admin",
    "..",
    "%2e%2e%2fadmin",
    "a/b?c=1#d",
    "{{env.SECRET}} ${SECRET} {payload.y} {env:PATH}",
    "a\u{202e}b\u{feff}",
    "a\0b\tc",
    "\"; name=\"admin\"; filename=\"x",
    "\r\n--x\r\nContent-Disposition: form-data; name=\"admin\"\r\n\r\n1\r\n--x--",
    "x=1&admin=true",
    "\",\"admin\":true,\"y\":\"",
    "é中",
];

/// What came of the value at the far side; `None` when it is not there as it was sent.
fn arrived(service: &str, seen: &Seen) -> Option<String> {
    let form = |text: &str| -> Vec<(String, String)> {
        url::form_urlencoded::parse(text.as_bytes()).into_owned().collect()
    };
    let one = |pairs: Vec<(String, String)>| match pairs.as_slice() {
        [(name, value)] if name == "x" => Some(value.clone()),
        _ => None,
    };
    match service {
        "json" => match serde_json::from_str(&seen.body).ok()? {
            Value::Object(members) if members.len() == 1 => Some(members.get("x")?.as_str()?.to_owned()),
            _ => None,
        },
        "form" => one(form(&seen.body)),
        "query" => one(form(seen.path.split_once('?')?.1)),
        "raw" => Some(seen.body.clone()),
        "multipart" => {
            let boundary = seen.head.split("boundary=").nth(1)?.split(['\r', ';']).next()?.trim_matches('"');
            let whole = format!("\r\n{}", seen.body);
            let parts: Vec<&str> = whole.split(&format!("\r\n--{boundary}")).collect();
            let ["", part, "--\r\n" | "--"] = parts.as_slice() else { return None };
            let (head, body) = part.split_once("\r\n\r\n")?;
            (head.matches("name=").count() == 1 && head.contains("name=\"x\"")).then(|| body.to_owned())
        }
        "segment" => {
            let segment = seen.path.strip_prefix("/jobs/")?;
            (!segment.contains(['/', '?', '#'])).then(|| percent_decode(segment))
        }
        _ => {
            let note = seen.head.lines().find_map(|line| line.strip_prefix("x-note: "))?;
            Some(note.to_owned())
        }
    }
}

fn percent_decode(text: &str) -> String {
    let escaped = text.replace('+', "%2B");
    url::form_urlencoded::parse(format!("x={escaped}").as_bytes())
        .next()
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}

#[tokio::test]
async fn i21_i22_i23_i25_i26_a_value_arrives_as_it_is_or_nothing_is_sent_over_every_transport() {
    let transports = [
        Entry::of::<Json>(),
        Entry::of::<Form>(),
        Entry::of::<Multipart>(),
        Entry::of::<Raw>(),
        Entry::of::<Query>(),
        Entry::of::<Header>(),
        Entry::of::<Segment>(),
    ];
    for entry in transports {
        let service = entry.spec.services[0];
        for value in VALUES {
            let server = Server::start(|seen| match seen.method.as_str() {
                "POST" => reply(200, r#"{"id":"j1"}"#),
                _ => reply(200, r#"{"status":"done","output":1}"#),
            })
            .await;
            let end = work(entry, &server, value).await;
            let posts: Vec<Seen> = server.seen().into_iter().filter(|seen| seen.method == "POST").collect();
            match posts.as_slice() {
                // Refused before a byte: the payload is at fault, and will be. A body takes any text.
                [] => {
                    let in_a_body = ["json", "form", "multipart", "raw"].contains(&service);
                    assert!(
                        !in_a_body && matches!(&end, End::Failed(error) if !error.retriable),
                        "{service} {value:?}: {end:?}"
                    );
                }
                [seen] => {
                    assert_eq!(arrived(service, seen).as_deref(), Some(*value), "{service}: {}", seen.head);
                    let head = seen.head.to_ascii_lowercase();
                    assert!(!head.contains("\nx-evil"), "{service} {value:?}: {head}");
                    assert!(matches!(end, End::Succeeded { .. }), "{service} {value:?}: {end:?}");
                }
                more => panic!("{service} {value:?}: {} submits", more.len()),
            }
            assert!(server.seen().iter().all(|seen| !seen.path.starts_with("/admin")), "{service} {value:?}");
        }
    }
}

/// What an answer, an event or a result may be: table C. Each says `bad` where the output is.
fn documents() -> Vec<(&'static str, String)> {
    let deep = format!(
        r#"{{"id":"j1","status":"done","output":"bad","x":{}1{}}}"#,
        "[".repeat(200),
        "]".repeat(200)
    );
    vec![
        ("I34 too deep", deep),
        ("I35 a member twice", r#"{"id":"j1","status":"done","output":"good","output":"bad"}"#.to_owned()),
        ("I36 a number that is none", r#"{"id":"j1","status":"done","output":"bad","x":NaN}"#.to_owned()),
        ("I36 a page", "<html>bad</html>".to_owned()),
        ("I36 cut off", r#"{"id":"j1","status":"done","output":"bad""#.to_owned()),
        ("I36 something behind it", r#"{"id":"j1","status":"done","output":"bad"} {}"#.to_owned()),
    ]
}

const GOOD: &str = r#"{"id":"j1","status":"done","output":"good"}"#;

/// A service that says this first where the connector under test reads it, and then what is right.
async fn service(place: &'static str, first: impl Fn() -> Reply + Send + Sync + 'static) -> Server {
    let asked = AtomicUsize::new(0);
    Server::start(move |seen| {
        let at = match (seen.method.as_str(), seen.path.split('/').nth(1)) {
            ("POST", _) => "submit",
            (_, Some("result")) => "result",
            _ => "poll",
        };
        if at == place && asked.fetch_add(1, Ordering::SeqCst) == 0 {
            return first();
        }
        match at {
            "submit" => reply(200, r#"{"id":"j1"}"#),
            _ => reply(200, GOOD),
        }
    })
    .await
}

fn says_bad(end: &End) -> bool {
    matches!(end, End::Succeeded { result, .. } if result.to_string().contains("bad"))
}

#[tokio::test]
async fn i34_i35_i36_a_document_that_is_none_is_no_answer_no_event_and_no_result() {
    for (name, document) in documents() {
        let text = document.clone();
        let server = service("poll", move || reply(200, &text)).await;
        let end = work(Entry::of::<Json>(), &server, "x").await;
        assert!(
            matches!(&end, End::Succeeded { result, .. } if *result == json!("good")),
            "poll, {name}: {end:?}"
        );

        let text = document.clone();
        let server = service("result", move || reply(200, &text)).await;
        let end = work(Entry::of::<Fetches>(), &server, "x").await;
        assert!(!says_bad(&end), "result, {name}: {end:?}");

        let text = format!("{document}\n{{\"status\":\"done\"}}\n");
        let server =
            service("submit", move || reply_with(200, "Content-Type: application/x-ndjson\r\n", &text)).await;
        let end = work(Entry::of::<Lines>(), &server, "x").await;
        assert!(!says_bad(&end), "line, {name}: {end:?}");

        let text = format!("data: {document}\n\ndata: {{\"status\":\"done\"}}\n\n");
        let server =
            service("submit", move || reply_with(200, "Content-Type: text/event-stream\r\n", &text)).await;
        let end = work(Entry::of::<Events>(), &server, "x").await;
        assert!(!says_bad(&end), "event, {name}: {end:?}");
    }
}

#[tokio::test]
async fn i28_an_encoding_that_nobody_asked_for_is_read_by_no_reader() {
    // Whatever the bytes are: they are said to be something else than what they look like.
    for encoding in ["gzip", "br", "zstd", "deflate"] {
        let headers = move |kind: &str| format!("Content-Type: {kind}\r\nContent-Encoding: {encoding}\r\n");
        let bad = GOOD.replace("good", "bad");
        for (place, entry, kind, body) in [
            ("poll", Entry::of::<Json>(), "application/json", bad.clone()),
            ("result", Entry::of::<Fetches>(), "application/json", bad.clone()),
            ("submit", Entry::of::<Lines>(), "application/x-ndjson", format!("{bad}\n")),
            ("submit", Entry::of::<Events>(), "text/event-stream", format!("data: {bad}\n\n")),
        ] {
            let head = headers(kind);
            let server = service(place, move || reply_with(200, &head, &body)).await;
            let end = work(entry, &server, "x").await;
            assert!(!says_bad(&end), "{place} of {}, {encoding}: {end:?}", entry.spec.name);
        }
    }
}

mod tls {
    //! I45: who is at the other end.

    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;
    use std::sync::Mutex;

    use rustls::pki_types::pem::PemObject as _;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};

    use super::*;
    use crate::support::{SECRET, declared, whole};

    /// What the other end shows.
    enum Shows {
        Certificate(&'static str, &'static str),
        /// Bytes in answer to the greeting: an alert of TLS 1.0, for one.
        Bytes(&'static [u8]),
    }

    /// A server that takes one connection after another; gives its port and what it has read in clear.
    fn listen(shows: Shows) -> (u16, Arc<Mutex<Vec<u8>>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let read = Arc::new(Mutex::new(Vec::new()));
        let told = Arc::clone(&read);
        std::thread::spawn(move || {
            for socket in listener.incoming() {
                let Ok(mut socket) = socket else { return };
                let mut buffer = [0; 4096];
                match &shows {
                    Shows::Bytes(bytes) => {
                        let length = socket.read(&mut buffer).unwrap_or_default();
                        told.lock().unwrap().extend_from_slice(&buffer[..length]);
                        let _ = socket.write_all(bytes);
                    }
                    Shows::Certificate(certificate, key) => {
                        let certificate = CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap();
                        let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
                        let provider = Arc::new(rustls::crypto::ring::default_provider());
                        let config = rustls::ServerConfig::builder_with_provider(provider)
                            .with_safe_default_protocol_versions()
                            .unwrap()
                            .with_no_client_auth()
                            .with_single_cert(vec![certificate], key)
                            .unwrap();
                        let mut tls = rustls::ServerConnection::new(Arc::new(config)).unwrap();
                        let mut stream = rustls::Stream::new(&mut tls, &mut socket);
                        let length = stream.read(&mut buffer).unwrap_or_default();
                        told.lock().unwrap().extend_from_slice(&buffer[..length]);
                    }
                }
            }
        });
        (port, read)
    }

    #[tokio::test]
    async fn i40_http2_is_not_offered_so_that_its_floods_of_frames_cannot_come() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let greeting = std::thread::spawn(move || {
            let (mut socket, _) = listener.accept().unwrap();
            let mut acceptor = rustls::server::Acceptor::default();
            loop {
                acceptor.read_tls(&mut socket).unwrap();
                if let Some(accepted) = acceptor.accept().map_err(|(error, _)| error).unwrap() {
                    let offered = accepted.client_hello().alpn();
                    return offered
                        .map(|all| all.map(<[u8]>::to_vec).collect::<Vec<_>>())
                        .unwrap_or_default();
                }
            }
        });
        let _end = whole(&declared().loaded(&format!("https://127.0.0.1:{port}")), &Arc::default()).await;
        let offered = greeting.join().unwrap();
        assert!(!offered.contains(&b"h2".to_vec()), "{offered:?}");
    }

    #[tokio::test]
    async fn i45_f24_a_certificate_that_is_not_to_be_trusted_gets_no_byte_of_a_request() {
        macro_rules! pair {
            ($name:literal) => {
                Shows::Certificate(
                    include_str!(concat!("../data/tls/", $name, ".crt")),
                    include_str!(concat!("../data/tls/", $name, ".key")),
                )
            };
        }
        for (what, shows) in [
            ("its own signature", pair!("own")),
            ("another name", pair!("other")),
            ("an end that is past", pair!("expired")),
            ("TLS 1.0", Shows::Bytes(b"\x15\x03\x01\x00\x02\x02\x46")),
            ("no TLS", Shows::Bytes(b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n{\"id\":\"j1\"}")),
        ] {
            let (port, read) = listen(shows);
            let (end, _) =
                whole(&declared().loaded(&format!("https://127.0.0.1:{port}")), &Arc::default()).await;
            assert!(
                matches!(&end, End::GiveBack { reason, .. } if reason.contains("E_TLS") || reason.contains("E_CONNECT")),
                "{what}: {end:?}"
            );
            let read = String::from_utf8_lossy(&read.lock().unwrap()).into_owned();
            assert!(!read.contains(SECRET) && !read.contains("POST"), "{what}: {read}");
        }
    }
}
