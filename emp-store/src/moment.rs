//! The store's time, which never runs backwards, and its hints that something changed.

use std::sync::{Arc, Mutex, PoisonError};

use emp_core::{Clock, Timestamp};
use tokio::sync::watch;

/// A clock that goes on when the machine's is set back (P9): set back an hour, it counts from where it was, so that neither leases nor
/// due jobs stand still for that hour.
#[derive(Debug)]
pub(crate) struct StoreTime {
    clock: Arc<dyn Clock>,
    seen: Mutex<Seen>,
}

#[derive(Clone, Copy, Debug)]
struct Seen {
    clock: Timestamp,
    store: Timestamp,
}

impl StoreTime {
    /// Time as a clock tells it.
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        let now = clock.now();
        Self { clock, seen: Mutex::new(Seen { clock: now, store: now }) }
    }

    /// Now.
    pub(crate) fn now(&self) -> Timestamp {
        let now = self.clock.now();
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.store = seen.store.after(now.since(seen.clock)).max(now);
        seen.clock = now;
        seen.store
    }

    /// Now, not before what the store has seen already.
    pub(crate) fn not_before(&self, floor: Timestamp) -> Timestamp {
        let now = self.now();
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.store = now.max(floor);
        seen.store
    }
}

/// Tells everybody who waits that something changed.
#[derive(Debug)]
pub(crate) struct Hints(watch::Sender<()>);

impl Hints {
    /// Nothing has changed.
    pub(crate) fn new() -> Self {
        Self(watch::Sender::new(()))
    }

    /// Something changed.
    pub(crate) fn give(&self) {
        self.0.send_replace(());
    }

    /// Waits for the next hint from now on: from this call, not from when it is awaited.
    pub(crate) fn next(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut receiver = self.0.subscribe();
        async move {
            // A store that is gone gives no hints; whoever waits will find out when it looks.
            let _ = receiver.changed().await;
        }
    }
}
