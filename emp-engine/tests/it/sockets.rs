//! Sockets that are none, or say more than they may: the job is polled all the same.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use emp_core::spec::{Poll, States, Websocket};
use emp_engine::run::{End, Next};
use serde_json::json;

use crate::support::{
    Declared, MemoryPort, Reply, SECRET, Server, at, declared, engine, job, list, path, reply, reply_with,
    request, run,
};

/// As declared, with a socket at `/ws` and a poll that asks every few milliseconds.
fn watched() -> Declared {
    let mut declared = declared().with(|http| {
        http.websocket = Some(Websocket {
            channel: Poll {
                request: request("GET", path("/ws")),
                progress: list(vec![at("$.progress")]),
                ..Poll::DEFAULT
            },
            job: &[],
            states: States::DEFAULT,
            delta: list(vec![at("$.text")]),
            idle_timeout: Duration::from_millis(100),
        });
    });
    declared.pace.min = Duration::from_millis(20);
    declared.pace.first = Duration::from_millis(20);
    declared.pace.max = Duration::from_millis(60);
    declared
}

/// A service whose socket answers so, and whose third poll is the last.
async fn service(socket: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Server {
    let polls = AtomicUsize::new(0);
    Server::start(move |seen| match seen.path.as_str() {
        "/ws" => socket(&seen.head),
        "/jobs" => reply(201, r#"{"id":"j1"}"#),
        _ if polls.fetch_add(1, Ordering::SeqCst) < 2 => reply(200, r#"{"status":"running"}"#),
        _ => reply(200, r#"{"status":"succeeded","output":"done"}"#),
    })
    .await
}

/// To the end in real time, as a job with a socket is worked on.
async fn to_the_end(server: &Server) -> (End, Arc<MemoryPort>) {
    let port = MemoryPort::new(Arc::clone(&server.log));
    (work(server, watched(), &port).await, port)
}

async fn work(server: &Server, declared: Declared, port: &Arc<MemoryPort>) -> End {
    let engine = engine();
    let mut run = run(&engine, &declared.loaded(&server.url()), job(json!({ "prompt": "a cat" })), port);
    loop {
        match engine.step(&mut run).await {
            Next::Wait(wait) => assert!(wait.is_zero(), "a job with a socket is watched at once"),
            Next::End(end) => return end,
            Next::Stopped(stop) => panic!("stopped: {stop:?}"),
        }
    }
}

fn accept(head: &str) -> String {
    let key = head.lines().find_map(|line| {
        line.to_ascii_lowercase().starts_with("sec-websocket-key").then(|| line[19..].trim().to_owned())
    });
    tokio_tungstenite::tungstenite::handshake::derive_accept_key(key.unwrap().as_bytes())
}

fn opened(head: &str, frames: &[u8]) -> Vec<u8> {
    let mut bytes = format!(
        "HTTP/1.1 101 X\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: {}\r\n\r\n",
        accept(head)
    )
    .into_bytes();
    bytes.extend_from_slice(frames);
    bytes
}

fn text(text: &str) -> Vec<u8> {
    let mut frame = vec![0x81, u8::try_from(text.len()).unwrap()];
    frame.extend_from_slice(text.as_bytes());
    frame
}

#[tokio::test]
async fn a_socket_that_is_refused_or_is_none_leaves_the_poll() {
    let answers: [fn(&str) -> Reply; 5] = [
        |_| reply(404, "{}"),
        |_| reply(200, r#"{"progress":1}"#),
        |_| reply_with(302, "Location: http://127.0.0.1:9/ws\r\n", ""),
        |_| {
            Reply::Raw(b"HTTP/1.1 101 X\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: bm90IG91cnM=\r\n\r\n".to_vec())
        },
        |_| Reply::Cut,
    ];
    for answer in answers {
        let server = service(answer).await;
        let (end, port) = to_the_end(&server).await;
        assert!(matches!(&end, End::Succeeded { result, .. } if result == "done"), "{end:?}");
        assert!(port.progress.lock().unwrap().is_empty());
    }
}

#[tokio::test]
async fn the_credential_goes_to_the_socket_and_its_texts_are_progress() {
    let server = service(|head| {
        assert!(head.contains(SECRET));
        let frames = [
            text(r#"{"progress":0.5}"#),
            vec![0x82, 3, 1, 2, 3],
            text("no JSON"),
            text(r#"{"progress":0.25}"#),
        ]
        .concat();
        Reply::Drip(opened(head, &frames), Vec::new(), Duration::from_secs(5))
    })
    .await;
    let (end, port) = to_the_end(&server).await;
    assert!(matches!(end, End::Succeeded { .. }), "{end:?}");
    let told: Vec<_> = port.progress.lock().unwrap().iter().map(|progress| progress.fraction).collect();
    assert_eq!(told, [Some(0.5), Some(0.5)], "it never falls");
}

#[tokio::test]
async fn i29_a_message_without_end_and_a_silent_socket_are_left() {
    // A text frame of 2 MiB, and a socket that answers no ping.
    let endless = [&[0x81, 127, 0, 0, 0, 0, 0, 0x20, 0, 0][..], &[b'a'; 1024][..]].concat();
    for frames in [endless, Vec::new()] {
        let server =
            service(move |head| Reply::Drip(opened(head, &frames), Vec::new(), Duration::from_secs(5))).await;
        let (end, _) = to_the_end(&server).await;
        assert!(matches!(end, End::Succeeded { .. }), "{end:?}");
    }
}

#[tokio::test]
async fn m58_a_call_of_the_service_is_not_left_to_the_socket() {
    let server = service(|head| Reply::Drip(opened(head, &[]), Vec::new(), Duration::from_mins(1))).await;
    let mut seldom = watched().with(|http| {
        http.websocket.as_mut().expect("a socket").idle_timeout = Duration::from_mins(1);
    });
    seldom.pace.max = Duration::from_hours(1);
    let port = MemoryPort::new(Arc::clone(&server.log));
    let polled = |times: usize| {
        let log = Arc::clone(&server.log);
        async move {
            while log.lock().unwrap().iter().filter(|line| line.contains("GET /jobs/")).count() < times {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    };
    let calls = async {
        for times in [1, 2] {
            polled(times).await;
            port.nudged.notify_one();
        }
        polled(3).await;
    };
    let watched = async { tokio::join!(work(&server, seldom, &port), calls) };
    let within = tokio::time::timeout(Duration::from_secs(30), Box::pin(watched)).await;
    let (end, ()) = within.expect("an hour lies between two polls");
    assert!(matches!(end, End::Succeeded { .. }), "{end:?}");
}

/// The end of it was held back, since a secret may begin like that.
#[tokio::test]
async fn the_end_of_a_sockets_text_is_told_with_the_end_of_its_job() {
    let server = service(|head| {
        let frames = [text(r#"{"text":"the key is "}"#), text(r#"{"text":"sk-canary"}"#)].concat();
        Reply::Drip(opened(head, &frames), Vec::new(), Duration::from_secs(5))
    })
    .await;
    let (end, port) = to_the_end(&server).await;
    assert!(matches!(end, End::Succeeded { .. }), "{end:?}");
    let told = port.deltas.lock().unwrap().clone();
    let told: Vec<_> = told.iter().map(|delta| (delta.start, delta.text.as_str())).collect();
    assert_eq!(told, [(true, "the key is "), (false, "sk-canary")]);
}
