//! A worker's death at a chosen moment of a job.

use std::sync::{Mutex, PoisonError};

use tokio::sync::Notify;

/// A moment at which a worker can die: just before, or just after, something durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Nothing is stored and nothing is sent.
    BeforeIntent,
    /// The intent is stored, and no byte has left.
    AfterIntent,
    /// The service has answered, and its id is not stored.
    BeforeId,
    /// The id is stored, and nothing was asked with it.
    AfterId,
    /// The job waits: between two polls, or in a custom connector's own sleep.
    Waiting,
    /// The end is known, and not stored.
    BeforeEnd,
}

/// A death that is to come.
#[derive(Debug, Default)]
pub(crate) struct Kill {
    at: Mutex<Option<Moment>>,
    reached: Notify,
}

impl Kill {
    /// The worker dies the next time it comes to this moment.
    pub(crate) fn arm(&self, moment: Moment) {
        *self.lock() = Some(moment);
    }

    /// It does not die any more.
    pub(crate) fn disarm(&self) {
        *self.lock() = None;
    }

    /// Comes to a moment; does not return when it is the last.
    pub(crate) async fn come_to(&self, moment: Moment) {
        let dies = self.lock().take_if(|armed| *armed == moment).is_some();
        if dies {
            self.reached.notify_one();
            std::future::pending::<()>().await;
        }
    }

    /// Completes when the moment has come.
    pub(crate) async fn reached(&self) {
        self.reached.notified().await;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Moment>> {
        self.at.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
