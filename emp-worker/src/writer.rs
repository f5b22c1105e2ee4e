//! Durable writes of claimed jobs: those that come while one is under way go together in the next (one commit, one round trip).

use std::sync::Arc;
use std::time::Duration;

use emp_engine::port::Stop;
use emp_store::store::{Answer, Change, Store, StoreError, Write};
use tokio::sync::{mpsc, oneshot};
use tracing::{error, warn};

use crate::claim::Claim;
use crate::pacing::Backoff;

/// At most so many writes in one call.
const BATCH: usize = 256;
/// The longest wait between two tries of one write.
const RETRY_CAP: Duration = Duration::from_secs(2);

/// How long a write is tried while the store is down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Until {
    /// Until the store answers: an outcome or a service job id is never thrown away (P21). The nonce keeps a late one harmless.
    Answered,
    /// Until the claim is in doubt: what the write prepares must not happen then.
    InDoubt,
}

/// Why a write was not made.
enum Failed {
    /// The store is down or full; the same write may be made again.
    ForNow(String),
    /// It failed together with others, one of which the store cannot take: it is to be made alone.
    Together,
    /// It will fail every time.
    ForGood(String),
}

/// A write on its way to the store.
struct Queued {
    write: Write,
    alone: bool,
    reply: oneshot::Sender<Result<Answer, Failed>>,
}

/// Makes writes durable. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Writer {
    random: fn() -> f64,
    queue: mpsc::UnboundedSender<Queued>,
}

/// The task side of a [`Writer`].
pub(crate) struct WriterTask {
    store: Arc<dyn Store>,
    queue: mpsc::UnboundedReceiver<Queued>,
}

impl Writer {
    /// A writer, and what must be run for it.
    pub(crate) fn new(store: Arc<dyn Store>, random: fn() -> f64) -> (Self, WriterTask) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Self { random, queue: sender }, WriterTask { store, queue: receiver })
    }

    /// Makes a change of a claimed job durable, trying again while the store is down. The claim takes note of the answer.
    pub(crate) async fn persist(&self, claim: &Claim, change: Change, until: Until) -> Result<Answer, Stop> {
        let mut backoff = Backoff::up_to(RETRY_CAP);
        let mut alone = false;
        loop {
            match self.write(Write { claim: claim.key.clone(), change: change.clone() }, alone).await {
                Ok(answer) => {
                    claim.note(answer);
                    return Ok(answer);
                }
                Err(Failed::ForGood(reason)) => {
                    error!(job = %claim.key.job, worker = %claim.worker, reason, "the store cannot take a write of this job");
                    claim.note(Answer::Gone);
                    return Err(Stop::Fenced);
                }
                Err(Failed::Together) => {
                    alone = true;
                    continue;
                }
                Err(Failed::ForNow(reason)) => {
                    warn!(job = %claim.key.job, worker = %claim.worker, reason, "write not made, trying again");
                }
            }
            let wait = tokio::time::sleep(backoff.next((self.random)()));
            match until {
                Until::Answered => wait.await,
                Until::InDoubt => tokio::select! {
                    biased;
                    () = wait => {}
                    stop = claim.stopped() => return Err(stop),
                },
            }
        }
    }

    async fn write(&self, write: Write, alone: bool) -> Result<Answer, Failed> {
        let (reply, answer) = oneshot::channel();
        let stopped = || Failed::ForNow("the worker has stopped".to_owned());
        self.queue.send(Queued { write, alone, reply }).map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?
    }
}

impl WriterTask {
    /// Writes until every [`Writer`] is gone.
    pub(crate) async fn run(mut self) {
        let mut batch = Vec::new();
        while self.queue.recv_many(&mut batch, BATCH).await > 0 {
            // Jobs that were answered together write together again, once they have had their turn.
            tokio::task::yield_now().await;
            while batch.len() < BATCH
                && let Ok(queued) = self.queue.try_recv()
            {
                batch.push(queued);
            }
            let (alone, together): (Vec<_>, Vec<_>) = batch.drain(..).partition(|queued| queued.alone);
            if !together.is_empty() {
                self.write(together).await;
            }
            for queued in alone {
                self.write(vec![queued]).await;
            }
        }
    }

    async fn write(&self, batch: Vec<Queued>) {
        let (writes, replies): (Vec<_>, Vec<_>) =
            batch.into_iter().map(|queued| (queued.write, queued.reply)).unzip();
        match self.store.write(writes).await {
            Ok(answers) => {
                let missing = || Err(Failed::ForNow("the store gave fewer answers than writes".to_owned()));
                let answers = answers.into_iter().map(Ok).chain(std::iter::repeat_with(missing));
                for (reply, answer) in replies.into_iter().zip(answers) {
                    // Whoever asked may be gone by now.
                    drop(reply.send(answer));
                }
            }
            Err(error) => {
                let together = replies.len() > 1;
                for reply in replies {
                    drop(reply.send(Err(failed(&error, together))));
                }
            }
        }
    }
}

fn failed(error: &StoreError, together: bool) -> Failed {
    match error {
        // What the store has is at fault, not the way to it: a password or a right that is wrong today is mended by somebody.
        StoreError::Corrupt(_) | StoreError::Version(_) if together => Failed::Together,
        StoreError::Corrupt(_) | StoreError::Version(_) => Failed::ForGood(error.to_string()),
        StoreError::Down(_)
        | StoreError::Full(_)
        | StoreError::Crowded(_)
        | StoreError::Unreplicated(_)
        | StoreError::Reset(_)
        | StoreError::Unsafe(_)
        | StoreError::Url(_) => Failed::ForNow(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// P21: an outcome is given up only for what will never be otherwise.
    #[test]
    fn p21_only_what_the_store_has_ends_a_write_for_good() {
        let for_good = |error: fn(String) -> StoreError| {
            matches!(failed(&error(String::new()), false), Failed::ForGood(_))
        };
        assert!(for_good(StoreError::Corrupt) && for_good(StoreError::Version));
        for error in
            [StoreError::Down, StoreError::Full, StoreError::Reset, StoreError::Unsafe, StoreError::Url]
        {
            assert!(!for_good(error));
        }
    }
}
