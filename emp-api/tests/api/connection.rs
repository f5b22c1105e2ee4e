//! Real connections: what is slow, too large, too many, or still open when the server stops.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use emp_api::{Auth, Limits, bind, serve};
use emp_core::Secret;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::support::{Api, guide};

/// A server on loopback.
pub(crate) struct Server {
    pub(crate) api: Api,
    pub(crate) address: SocketAddr,
    pub(crate) stop: CancellationToken,
    pub(crate) running: JoinHandle<std::io::Result<()>>,
}

impl Server {
    pub(crate) async fn start(limits: Limits) -> Self {
        let api = Api::with(Auth::None, limits);
        let listener = bind("127.0.0.1:0".parse().unwrap(), &Auth::None).await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let running = tokio::spawn(serve(listener, api.state.clone(), stop.clone()));
        Self { api, address, stop, running }
    }

    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends bytes, and reads until the server closes.
    pub(crate) async fn exchange(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect().await;
        // The server may answer and close before everything is sent.
        let _ = stream.write_all(bytes).await;
        read_all(&mut stream).await
    }

    pub(crate) async fn livez(&self) -> String {
        self.exchange(b"GET /livez HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await
    }
}

pub(crate) async fn read_all(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let read = stream.read_to_end(&mut bytes);
    tokio::time::timeout(Duration::from_secs(10), read).await.expect("the server closes in time").unwrap();
    String::from_utf8(bytes).unwrap()
}

/// Reads until a text has come.
pub(crate) async fn read_until(stream: &mut TcpStream, wanted: &str) -> String {
    let mut text = String::new();
    let mut buffer = [0; 4096];
    while !text.contains(wanted) {
        let read = tokio::time::timeout(Duration::from_secs(5), stream.read(&mut buffer)).await;
        let read = read.unwrap_or_else(|_| panic!("`{wanted}` did not come: {text}")).unwrap();
        assert_ne!(read, 0, "closed before `{wanted}`: {text}");
        text.push_str(std::str::from_utf8(&buffer[..read]).unwrap());
    }
    text
}

fn short() -> Limits {
    Limits {
        head_timeout: Duration::from_millis(150),
        body_timeout: Duration::from_millis(150),
        ..Limits::default()
    }
}

#[tokio::test]
async fn the_guides_curl_over_a_socket() {
    let server = Server::start(Limits::default()).await;
    let body = guide().to_string();
    let head = "POST /api/jobs HTTP/1.1\r\nhost: localhost:3000\r\nconnection: close\r\ncontent-type: application/json";
    let answer =
        server.exchange(format!("{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 202 "), "{answer}");
    assert!(answer.contains("location: /api/jobs/"), "{answer}");
}

#[tokio::test]
async fn i67_a_slow_head_is_answered_408_and_others_are_served_meanwhile() {
    let server = Server::start(short()).await;
    let mut slow = server.connect().await;
    slow.write_all(b"GET /livez HTTP/1.1\r\nhost: loc").await.unwrap();
    assert!(server.livez().await.starts_with("HTTP/1.1 200 "));
    assert!(read_all(&mut slow).await.starts_with("HTTP/1.1 408 "));
}

#[tokio::test]
async fn i67_a_slow_body_is_answered_408_with_a_problem() {
    let server = Server::start(short()).await;
    let head = "POST /api/jobs HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{";
    let answer = server.exchange(head.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(answer.contains("E_REQUEST_TIMEOUT"), "{answer}");
}

#[tokio::test]
async fn i67_idle_connections_give_their_places_to_others() {
    let server = Server::start(Limits { connections: 2, ..short() }).await;
    let _idle = [server.connect().await, server.connect().await, server.connect().await];
    assert!(server.livez().await.starts_with("HTTP/1.1 200 "));
}

#[tokio::test]
async fn i66_the_answer_to_a_body_that_is_too_large_arrives() {
    let server = Server::start(Limits::default()).await;
    let head = "POST /api/jobs HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json";
    let mut announced = format!("{head}\r\ncontent-length: {}\r\n\r\n", 2 << 20).into_bytes();
    announced.resize(announced.len() + (2 << 20), b'x');
    let answer = server.exchange(&announced).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    let mut endless = format!("{head}\r\ntransfer-encoding: chunked\r\n\r\n").into_bytes();
    for _ in 0..40 {
        endless.extend_from_slice(b"10000\r\n");
        endless.resize(endless.len() + 0x10000, b'x');
        endless.extend_from_slice(b"\r\n");
    }
    let answer = server.exchange(&endless).await;
    assert!(answer.starts_with("HTTP/1.1 413 ") && answer.contains("E_TOO_LARGE"), "{answer}");
    assert_eq!(server.api.count().await, 0);
}

#[tokio::test]
async fn i66_a_body_that_is_only_announced_is_refused_before_it_is_sent() {
    let server = Server::start(Limits::default()).await;
    let head = "POST /api/jobs HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\nexpect: 100-continue";
    let mut stream = server.connect().await;
    stream.write_all(format!("{head}\r\ncontent-length: {}\r\n\r\n", 1u64 << 30).as_bytes()).await.unwrap();
    let answer = read_until(&mut stream, "E_TOO_LARGE").await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
}

#[tokio::test]
async fn a_head_that_is_too_large_is_refused() {
    let server = Server::start(Limits::default()).await;
    let large = format!("GET /livez HTTP/1.1\r\nhost: localhost\r\nx: {}\r\n\r\n", "x".repeat(1 << 20));
    assert!(server.exchange(large.as_bytes()).await.starts_with("HTTP/1.1 431 "));
    let many = format!("GET /livez HTTP/1.1\r\nhost: localhost\r\n{}\r\n", "x: y\r\n".repeat(200));
    assert!(server.exchange(many.as_bytes()).await.starts_with("HTTP/1.1 431 "));
    assert!(server.livez().await.starts_with("HTTP/1.1 200 "));
}

#[tokio::test]
async fn a_stop_ends_idle_slow_and_streaming_connections_in_under_two_seconds() {
    let server = Server::start(Limits::default()).await;
    let id = server.api.job().await;
    let mut stream = server.connect().await;
    stream
        .write_all(format!("GET /api/jobs/{id}/events HTTP/1.1\r\nhost: localhost\r\n\r\n").as_bytes())
        .await
        .unwrap();
    read_until(&mut stream, "queued").await;
    let _idle = server.connect().await;
    let mut half = server.connect().await;
    half.write_all(b"POST /api/jobs HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{").await.unwrap();
    assert!(server.livez().await.starts_with("HTTP/1.1 200 "), "all of them are accepted by now");
    let stopped = Instant::now();
    server.stop.cancel();
    server.running.await.unwrap().unwrap();
    assert!(stopped.elapsed() < Duration::from_secs(2), "{:?}", stopped.elapsed());
    assert!(read_all(&mut stream).await.ends_with("0\r\n\r\n"), "the stream ends as a stream should");
    assert!(TcpStream::connect(server.address).await.is_err());
}

#[tokio::test]
async fn a_stop_does_not_wait_for_connections_that_are_only_kept_alive() {
    let server = Server::start(Limits::default()).await;
    let mut kept = server.connect().await;
    kept.write_all(b"GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    read_until(&mut kept, "200 OK").await;
    let stopped = Instant::now();
    server.stop.cancel();
    server.running.await.unwrap().unwrap();
    assert!(stopped.elapsed() < Duration::from_millis(800), "{:?}", stopped.elapsed());
}

#[tokio::test]
async fn i54_a_listener_for_others_is_not_served_without_a_token() {
    let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let refused = serve(listener, Api::new().state, CancellationToken::new()).await.unwrap_err();
    assert!(refused.to_string().contains("E_NO_AUTH"), "{refused}");
}

#[tokio::test]
async fn a_listener_for_others_with_a_token_answers_to_any_name() {
    let auth = Auth::token(&Secret::new("right-token"));
    let api = Api::with(auth.clone(), Limits::default());
    let listener = bind("0.0.0.0:0".parse().unwrap(), &auth).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let stop = CancellationToken::new();
    tokio::spawn(serve(listener, api.state.clone(), stop.clone()));
    for (token, status) in [("right-token", "200"), ("wrong", "401")] {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let request = format!(
            "GET /api/jobs HTTP/1.1\r\nhost: jobs.test\r\nauthorization: Bearer {token}\r\nconnection: close\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        assert!(read_all(&mut stream).await.starts_with(&format!("HTTP/1.1 {status} ")));
    }
    stop.cancel();
}
