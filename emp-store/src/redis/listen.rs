//! Hears what other processes publish: a hint that something changed. On a connection of its own, which may be lost without harm.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use redis::RedisResult;
use tokio::task::JoinHandle;

use crate::moment::Hints;
use crate::redis::dial::Dial;
use crate::redis::link::Link;

/// After a hint the next one is passed on no sooner than this: in a rush one look finds what several hints spoke of.
const GAP: Duration = Duration::from_millis(2);
/// The wait before listening again: from, and at most.
const PAUSE: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));

/// Listens until it is dropped.
#[derive(Debug)]
pub(super) struct Listener(Option<JoinHandle<()>>);

impl Listener {
    /// Passes on to `hints` what others than `me` publish.
    pub(super) fn start(link: &Link, channel: String, me: String, hints: Arc<Hints>) -> Self {
        let dial = link.dial();
        let task = async move {
            let mut pause = PAUSE.0;
            loop {
                match listen(&dial, &channel, &me, &hints, &mut pause).await {
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

async fn listen(
    dial: &Dial,
    channel: &str,
    me: &str,
    hints: &Hints,
    pause: &mut Duration,
) -> RedisResult<()> {
    let mut channels = dial.listen().await?;
    channels.subscribe(channel).await?;
    *pause = PAUSE.0;
    // What was published while nobody listened.
    hints.give();
    let mut messages = channels.on_message();
    while let Some(message) = messages.next().await {
        if message.get_payload_bytes() != me.as_bytes() {
            hints.give();
            tokio::time::sleep(GAP).await;
        }
    }
    Ok(())
}
