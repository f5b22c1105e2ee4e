//! Between a store and its server: passes everything on, until it is told to lose an answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, AtomicUsize, Ordering};

use emp_testkit::redis::RedisBox;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// A way to a server on which an answer can be lost.
pub(crate) struct Proxy {
    port: u16,
    to: Arc<AtomicU16>,
    /// How many answers from now on: the last of them is lost.
    loses: Arc<AtomicUsize>,
}

impl Proxy {
    /// To a server, for as long as the test's runtime lives.
    pub(crate) async fn to(server: &RedisBox) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let loses = Arc::new(AtomicUsize::new(0));
        let to = Arc::new(AtomicU16::new(server.port()));
        let (target, flag) = (Arc::clone(&to), Arc::clone(&loses));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let Ok(server) = TcpStream::connect(("127.0.0.1", target.load(Ordering::SeqCst))).await
                else {
                    continue;
                };
                tokio::spawn(pass(client, server, Arc::clone(&flag)));
            }
        });
        Self { port, to, loses }
    }

    /// Where it is, for `--store`.
    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// From now on connections lead to another server; those that there are stay where they are.
    pub(crate) fn lead_to(&self, server: &RedisBox) {
        self.to.store(server.port(), Ordering::SeqCst);
    }

    /// The nth answer of the server from now on is lost, and the connection with it.
    pub(crate) fn lose_answer(&self, nth: usize) {
        self.loses.store(nth, Ordering::SeqCst);
    }

    /// Whether it was lost by now.
    pub(crate) fn has_lost_it(&self) -> bool {
        self.loses.load(Ordering::SeqCst) == 0
    }
}

async fn pass(client: TcpStream, server: TcpStream, loses: Arc<AtomicUsize>) {
    let ((mut from_client, mut to_client), (mut from_server, mut to_server)) =
        (client.into_split(), server.into_split());
    let asking = tokio::spawn(async move { tokio::io::copy(&mut from_client, &mut to_server).await });
    let mut answer = vec![0; 1 << 16];
    while let Ok(read @ 1..) = from_server.read(&mut answer).await {
        let left = loses.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        if left == Ok(1) || to_client.write_all(&answer[..read]).await.is_err() {
            break;
        }
    }
    // Both ways are closed when both halves are dropped.
    asking.abort();
}
