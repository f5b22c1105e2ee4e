//! The one thread that writes: it puts what is waiting into one transaction, so that one sync to the disk serves all of it, and answers
//! when that is done.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::oneshot;

use crate::embedded::dir::Reserve;
use crate::embedded::fault;
use crate::embedded::ledger::Ledger;
use crate::moment::{Hints, StoreTime};
use crate::store::{StoreError, StoreOptions};

/// At most so many wishes in one transaction.
const BATCH: usize = 512;
/// How often it is looked whether another process wrote.
const LOOK: Duration = Duration::from_millis(25);

/// Whether a wish is still granted when the disk is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Need {
    /// It brings something new: refused.
    TakesIn,
    /// It helps what is there to end: granted from the reserve.
    GoesOn,
}

/// A wish to write.
pub(super) trait Wish: Send {
    /// How much it matters when there is no room.
    fn need(&self) -> Need;
    /// Does it within a transaction; may be called again after a transaction that failed.
    fn grant(&mut self, ledger: &mut Ledger<'_>) -> Result<(), StoreError>;
    /// Says what became of it: what it did is durable, or it was not done.
    fn answer(self: Box<Self>, outcome: Result<(), StoreError>);
}

/// A wish as a function and the place where its answer is awaited.
struct Call<T, F> {
    need: Need,
    work: F,
    done: Option<T>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> Wish for Call<T, F>
where
    T: Send,
    F: FnMut(&mut Ledger<'_>) -> Result<T, StoreError> + Send,
{
    fn need(&self) -> Need {
        self.need
    }

    fn grant(&mut self, ledger: &mut Ledger<'_>) -> Result<(), StoreError> {
        self.done = Some((self.work)(ledger)?);
        Ok(())
    }

    fn answer(self: Box<Self>, outcome: Result<(), StoreError>) {
        let Self { done, reply, .. } = *self;
        // Nobody waits any more: the wish was granted all the same.
        let _ = reply.send(outcome.and_then(|()| done.ok_or_else(gone)));
    }
}

/// A wish, and where its answer will be.
pub(super) fn wish<T, F>(need: Need, work: F) -> (Box<dyn Wish>, oneshot::Receiver<Result<T, StoreError>>)
where
    T: Send + 'static,
    F: FnMut(&mut Ledger<'_>) -> Result<T, StoreError> + Send + 'static,
{
    let (reply, answer) = oneshot::channel();
    (Box::new(Call { need, work, done: None, reply }), answer)
}

/// The thread that writes is gone.
pub(super) fn gone() -> StoreError {
    StoreError::Down("the store is closed".to_owned())
}

/// What the thread has.
pub(super) struct Writer {
    pub(super) connection: Connection,
    pub(super) reserve: Reserve,
    pub(super) options: StoreOptions,
    pub(super) time: Arc<StoreTime>,
    pub(super) hints: Arc<Hints>,
}

impl Writer {
    /// Grants wishes until nobody can make any more.
    pub(super) fn run(mut self, wishes: &Receiver<Box<dyn Wish>>) {
        let mut seen = self.version();
        loop {
            match wishes.recv_timeout(LOOK) {
                Ok(first) => {
                    let batch = std::iter::once(first).chain(wishes.try_iter()).take(BATCH).collect();
                    self.batch(batch);
                }
                Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => {}
            }
            let version = self.version();
            if version != seen {
                seen = version;
                self.hints.give();
            }
        }
    }

    /// Changes when another process has committed something, and only then.
    fn version(&self) -> Option<i64> {
        self.connection.pragma_query_value(None, "data_version", |row| row.get(0)).ok()
    }

    fn batch(&mut self, wishes: Vec<Box<dyn Wish>>) {
        let room = !wishes.iter().any(|wish| wish.need() == Need::TakesIn) || self.reserve.held();
        let (mut granted, refused): (Vec<_>, Vec<_>) =
            wishes.into_iter().partition(|wish| room || wish.need() == Need::GoesOn);
        for wish in refused {
            wish.answer(Err(fault::full()));
        }
        if granted.is_empty() {
            return;
        }
        match self.commit(&mut granted) {
            Ok(()) => granted.into_iter().for_each(|wish| wish.answer(Ok(()))),
            // One of them may have spoilt it for all: each for itself.
            Err(_) => granted.into_iter().for_each(|wish| self.alone(wish)),
        }
    }

    /// Grants one wish. When that fails for want of room, the log is emptied first; then, for what helps the jobs that are there to
    /// end, the reserve is given up.
    fn alone(&mut self, mut wish: Box<dyn Wish>) {
        let mut outcome = self.commit(std::slice::from_mut(&mut wish));
        for last_resort in [false, true] {
            if !matches!(outcome, Err(StoreError::Full(_))) || (last_resort && wish.need() == Need::TakesIn) {
                break;
            }
            if last_resort {
                self.reserve.release();
            }
            // The log starts anew in the room that it has already. When even that fails, the commit will say so.
            let _ = self.connection.query_row("PRAGMA wal_checkpoint(RESTART)", [], |_| Ok(()));
            outcome = self.commit(std::slice::from_mut(&mut wish));
        }
        wish.answer(outcome);
    }

    /// One transaction for all; nothing of it is there unless all of it is.
    fn commit(&mut self, wishes: &mut [Box<dyn Wish>]) -> Result<(), StoreError> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut ledger = Ledger::open(&transaction, &self.options, &self.time)?;
        for wish in wishes {
            wish.grant(&mut ledger)?;
        }
        let news = ledger.close()?;
        transaction.commit()?;
        if news {
            self.hints.give();
        }
        Ok(())
    }
}
