//! The fault proxy, in front of a server that says back what it is told.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use emp_testkit::{FaultProxy, NetFaults};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// Longer than anything takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);
/// Nothing is heard for so long.
const QUIET: Duration = Duration::from_millis(150);

/// A server that answers each piece with the same piece, behind a proxy; and what it has heard.
struct Echo {
    proxy: FaultProxy,
    heard: mpsc::UnboundedReceiver<Vec<u8>>,
}

impl Echo {
    async fn start() -> Self {
        let (address, heard) = server().await;
        Self { proxy: FaultProxy::start(address).await.expect("starts"), heard }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.proxy.address()).await.expect("connects")
    }

    async fn heard(&mut self) -> Vec<u8> {
        tokio::time::timeout(PATIENCE, self.heard.recv()).await.expect("in time").expect("a piece")
    }
}

async fn server() -> (SocketAddr, mpsc::UnboundedReceiver<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
    let address = listener.local_addr().expect("an address");
    let (tell, heard) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let tell = tell.clone();
            tokio::spawn(async move {
                let mut piece = vec![0; 1 << 16];
                while let Ok(count @ 1..) = stream.read(&mut piece).await {
                    let _ = tell.send(piece[..count].to_vec());
                    if stream.write_all(&piece[..count]).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    (address, heard)
}

/// Says something and reads so many bytes of the answer.
async fn ask(stream: &mut TcpStream, text: &str) -> String {
    stream.write_all(text.as_bytes()).await.expect("sends");
    let mut answer = vec![0; text.len()];
    tokio::time::timeout(PATIENCE, stream.read_exact(&mut answer))
        .await
        .expect("in time")
        .expect("an answer");
    String::from_utf8(answer).expect("text")
}

/// What is left to read until the connection ends, and how it ends.
async fn rest(stream: &mut TcpStream) -> (Vec<u8>, std::io::Result<()>) {
    let mut rest = Vec::new();
    let ended = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut rest)).await.expect("it ends");
    (rest, ended.map(drop))
}

/// Nothing comes, and the connection does not end.
async fn silent(stream: &mut TcpStream) -> bool {
    tokio::time::timeout(QUIET, stream.read_u8()).await.is_err()
}

#[tokio::test]
async fn without_faults_everything_passes() {
    let echo = Echo::start().await;
    let mut stream = echo.connect().await;
    assert_eq!(ask(&mut stream, "hello").await, "hello");
    let large = "x".repeat(300_000);
    let (mut read, mut write) = stream.split();
    let (sent, answer) = tokio::join!(write.write_all(large.as_bytes()), async {
        let mut answer = vec![0; large.len()];
        read.read_exact(&mut answer).await.map(|_| answer)
    });
    sent.expect("sends");
    assert!(answer.expect("an answer") == large.as_bytes());
    assert_eq!(echo.proxy.accepted(), 1);
}

#[tokio::test]
async fn latency_delays_both_ways_and_not_a_moment_longer_than_it_holds() {
    let echo = Echo::start().await;
    let mut stream = echo.connect().await;
    let latency = Duration::from_millis(60);
    echo.proxy.set(NetFaults { latency, jitter: Duration::from_millis(10), ..NetFaults::default() });
    let begun = Instant::now();
    ask(&mut stream, "slow").await;
    assert!(begun.elapsed() >= Duration::from_millis(100), "{:?}", begun.elapsed());
    echo.proxy.set(NetFaults { latency: Duration::from_hours(1), ..NetFaults::default() });
    stream.write_all(b"never").await.expect("sends");
    assert!(silent(&mut stream).await);
    echo.proxy.clear();
    let mut answer = [0; 5];
    tokio::time::timeout(PATIENCE, stream.read_exact(&mut answer))
        .await
        .expect("in time")
        .expect("an answer");
    assert_eq!(&answer, b"never");
}

#[tokio::test]
async fn bandwidth_takes_its_time() {
    let echo = Echo::start().await;
    let mut stream = echo.connect().await;
    echo.proxy.set(NetFaults { bandwidth: Some(10_000), ..NetFaults::default() });
    let begun = Instant::now();
    ask(&mut stream, &"x".repeat(500)).await;
    assert!(begun.elapsed() >= Duration::from_millis(100), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn slices_arrive_in_pieces() {
    let mut echo = Echo::start().await;
    let mut stream = echo.connect().await;
    // Each piece is on its way alone for a moment, so that the server reads it alone.
    let (slice, latency) = (Some(3), Duration::from_millis(20));
    echo.proxy.set(NetFaults { slice, latency, ..NetFaults::default() });
    assert_eq!(ask(&mut stream, "abcdefgh").await, "abcdefgh");
    let mut pieces: Vec<Vec<u8>> = Vec::new();
    while pieces.concat().len() < 8 {
        pieces.push(echo.heard().await);
    }
    assert!(pieces.len() >= 2 && pieces.iter().all(|piece| piece.len() <= 6), "{pieces:?}");
}

#[tokio::test]
async fn cut_replies_let_the_request_through_and_nothing_of_the_reply() {
    let mut echo = Echo::start().await;
    let mut stream = echo.connect().await;
    echo.proxy.set(NetFaults { cut_replies: true, ..NetFaults::default() });
    stream.write_all(b"paid for").await.expect("sends");
    assert_eq!(echo.heard().await, b"paid for");
    assert_eq!(rest(&mut stream).await.0, b"");
    echo.proxy.clear();
    assert_eq!(ask(&mut echo.connect().await, "again").await, "again");
}

#[tokio::test]
async fn a_connection_ends_at_its_limit_of_data() {
    let echo = Echo::start().await;
    let mut stream = echo.connect().await;
    echo.proxy.set(NetFaults { limit_data: Some(4), ..NetFaults::default() });
    stream.write_all(b"abcdefgh").await.expect("sends");
    assert_eq!(rest(&mut stream).await.0, b"abcd");
}

#[tokio::test]
async fn a_reset_is_told_as_one() {
    let echo = Echo::start().await;
    let mut stream = echo.connect().await;
    echo.proxy.set(NetFaults { cut_replies: true, reset: true, ..NetFaults::default() });
    stream.write_all(b"hello").await.expect("sends");
    let (_, ended) = rest(&mut stream).await;
    assert_eq!(ended.expect_err("a reset").kind(), std::io::ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn a_blackhole_is_silent_and_what_was_said_into_it_arrives_when_it_is_gone() {
    let mut echo = Echo::start().await;
    let mut stream = echo.connect().await;
    echo.proxy.set(NetFaults { blackhole: true, ..NetFaults::default() });
    stream.write_all(b"hello").await.expect("sends");
    assert!(silent(&mut stream).await);
    let mut other = echo.connect().await;
    other.write_all(b"other").await.expect("a new connection is accepted");
    assert!(silent(&mut other).await && echo.heard.try_recv().is_err());
    echo.proxy.clear();
    let mut answer = [0; 5];
    tokio::time::timeout(PATIENCE, stream.read_exact(&mut answer))
        .await
        .expect("in time")
        .expect("an answer");
    assert_eq!(&answer, b"hello");
}

#[tokio::test]
async fn refused_is_what_the_kernel_says_and_the_port_is_kept() {
    let echo = Echo::start().await;
    let mut open = echo.connect().await;
    ask(&mut open, "hello").await;
    for _ in 0..3 {
        echo.proxy.set(NetFaults { refuse: true, ..NetFaults::default() });
        assert_eq!(rest(&mut open).await.0, b"", "what is open is closed");
        let refused = async {
            loop {
                match TcpStream::connect(echo.proxy.address()).await {
                    Err(error) => return error,
                    Ok(_) => tokio::time::sleep(Duration::from_millis(5)).await,
                }
            }
        };
        let error = tokio::time::timeout(PATIENCE, refused).await.expect("in time");
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused);
        echo.proxy.clear();
        open = loop {
            if let Ok(open) = TcpStream::connect(echo.proxy.address()).await {
                break open;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        };
        assert_eq!(ask(&mut open, "again").await, "again");
    }
}

#[tokio::test]
async fn a_slow_close_is_told_later() {
    let echo = Echo::start().await;
    let mut stream = echo.connect().await;
    ask(&mut stream, "hello").await;
    echo.proxy.set(NetFaults { slow_close: Duration::from_millis(150), ..NetFaults::default() });
    let begun = Instant::now();
    stream.shutdown().await.expect("closes");
    // There and back.
    assert_eq!(rest(&mut stream).await.0, b"");
    assert!(begun.elapsed() >= Duration::from_millis(150), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn it_leads_elsewhere_when_it_is_told_to() {
    let mut echo = Echo::start().await;
    let mut stream = echo.connect().await;
    ask(&mut stream, "first").await;
    assert_eq!(echo.heard().await, b"first");
    let (second, mut heard) = server().await;
    echo.proxy.lead_to(second);
    assert_eq!(rest(&mut stream).await.0, b"", "what is open is closed");
    assert_eq!(ask(&mut echo.connect().await, "second").await, "second");
    assert_eq!(heard.recv().await.as_deref(), Some(&b"second"[..]));
    assert!(echo.heard.try_recv().is_err());
    echo.proxy.cut();
    assert_eq!(ask(&mut echo.connect().await, "third").await, "third");
}
