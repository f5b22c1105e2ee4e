//! Hears what other processes publish: a hint that something changed. On a connection of its own, which may be lost without harm.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use redis::RedisResult;
use tokio::task::JoinHandle;

use crate::moment::Hints;
use crate::redis::dial::Dial;
use crate::redis::link::{self, Link};

/// After a hint the next one is passed on no sooner than this: in a rush one look finds what several hints spoke of.
const GAP: Duration = Duration::from_millis(2);
/// The wait before listening again: from, and at most. Who is cut off hears of a new server by it, and has to put back what it has before
/// others claim.
const PAUSE: (Duration, Duration) = (Duration::from_millis(50), Duration::from_millis(500));

/// How long a server may say nothing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Silence {
    /// After so long without a message it is asked whether it is there.
    quiet: Duration,
    /// Then, and when the listening begins, it has so long to answer.
    answer: Duration,
}

impl Default for Silence {
    fn default() -> Self {
        Self { quiet: Duration::from_secs(10), answer: link::ANSWER }
    }
}

/// Listens until it is dropped.
#[derive(Debug)]
pub(super) struct Listener(Option<JoinHandle<()>>);

impl Listener {
    /// Passes on to `hints` what others than `me` publish.
    pub(super) fn start(
        link: &Link,
        channel: String,
        me: String,
        hints: Arc<Hints>,
        silence: Silence,
    ) -> Self {
        let ear = Ear { dial: link.dial(), channel, me, hints, silence };
        let task = async move {
            let mut pause = PAUSE.0;
            loop {
                match ear.listen(&mut pause).await {
                    Ok(()) => tracing::debug!("the store's hints stopped"),
                    Err(error) => tracing::debug!(%error, "the store's hints are not heard"),
                }
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(PAUSE.1);
            }
        };
        Self(link.io().map(|io| io.spawn(task)))
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Some(task) = self.0.take() {
            task.abort();
        }
    }
}

/// What listens, over one connection after the other.
struct Ear {
    dial: Arc<Dial>,
    channel: String,
    me: String,
    hints: Arc<Hints>,
    silence: Silence,
}

impl Ear {
    async fn listen(&self, pause: &mut Duration) -> RedisResult<()> {
        // Sentinels are asked first, and one of them may be silent.
        let channels = link::in_time(Instant::now() + self.silence.answer * 3, self.dial.listen()).await?;
        let (mut asks, mut messages) = channels.split();
        self.answered(asks.subscribe(&self.channel)).await?;
        *pause = PAUSE.0;
        // What was published while nobody listened.
        self.hints.give();
        loop {
            match tokio::time::timeout(self.silence.quiet, messages.next()).await {
                Ok(None) => return Ok(()),
                Ok(Some(message)) if message.get_payload_bytes() == self.me.as_bytes() => {}
                Ok(Some(_)) => {
                    self.hints.give();
                    tokio::time::sleep(GAP).await;
                }
                // A connection that was lost without a word is silent for ever.
                Err(_) => self.answered(asks.ping::<redis::Value>()).await.map(drop)?,
            }
        }
    }

    async fn answered<T>(&self, ask: impl Future<Output = RedisResult<T>>) -> RedisResult<T> {
        link::in_time(Instant::now() + self.silence.answer, ask).await
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;
    use crate::redis::address::Address;

    /// P17: a connection that has gone silent is given up, and so is a node of a cluster that is gone: hints are heard again.
    #[tokio::test]
    async fn p17_hints_are_heard_again_after_their_connection_went_silent() {
        let (server, gone) = (
            TcpListener::bind("127.0.0.1:0").await.unwrap(),
            TcpListener::bind("127.0.0.1:0").await.unwrap(),
        );
        let (at, lost) = (server.local_addr().unwrap(), gone.local_addr().unwrap());
        drop(gone);
        let url = format!("redis+cluster://{lost},{at}");
        let link = Link::to(&Address::parse(&url).unwrap(), Duration::from_secs(30)).unwrap();
        let hints = Arc::new(Hints::new());
        let silence = Silence { quiet: Duration::from_millis(20), answer: Duration::from_millis(200) };
        let listener =
            Listener::start(&link, "news".to_owned(), "me".to_owned(), Arc::clone(&hints), silence);
        let mut connections = Vec::new();
        for round in 0..2 {
            let hint = hints.next();
            let (mut connection, _) = tokio::time::timeout(Duration::from_secs(10), server.accept())
                .await
                .expect("a connection")
                .unwrap();
            let mut asked = [0; 256];
            assert!(connection.read(&mut asked).await.unwrap() > 0, "round {round}");
            connection.write_all(b"*3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n").await.unwrap();
            tokio::time::timeout(Duration::from_secs(10), hint).await.expect("what was missed is looked for");
            // From now on it says nothing, and is not closed.
            connections.push(connection);
        }
        drop(listener);
    }
}
