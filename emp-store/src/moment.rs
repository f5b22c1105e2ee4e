//! The store's time, which never runs backwards, and its hints that something changed.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use emp_core::{Clock, Timestamp};
use tokio::sync::watch;

/// What a clock may run ahead of the time that has passed before that counts as set forward. Less than a lease has to spare between
/// two renewals.
const LEAP: Duration = Duration::from_secs(1);

/// A clock that goes on when the machine's is set back, and that knows when it was set forward (P9): set back an hour, it counts from
/// where it was, so that neither leases nor due jobs stand still for that hour.
#[derive(Debug)]
pub(crate) struct StoreTime {
    clock: Arc<dyn Clock>,
    seen: Mutex<Seen>,
}

#[derive(Clone, Copy, Debug)]
struct Seen {
    clock: Timestamp,
    store: Timestamp,
    /// By the time that has passed.
    elapsed: Duration,
    leapt: Option<Duration>,
}

impl StoreTime {
    /// Time as a clock tells it.
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        let (elapsed, now) = (clock.elapsed(), clock.now());
        Self { clock, seen: Mutex::new(Seen { clock: now, store: now, elapsed, leapt: None }) }
    }

    /// Now.
    pub(crate) fn now(&self) -> Timestamp {
        self.look().store
    }

    /// Now, not before what the store has seen already.
    pub(crate) fn not_before(&self, floor: Timestamp) -> Timestamp {
        let mut seen = self.look();
        seen.store = seen.store.max(floor);
        seen.store
    }

    /// The clock was set forward, or the machine slept, less than a lease ago: a lease that has lapsed since may be that of a worker
    /// that lives, which renews it within that time.
    pub(crate) fn leapt_within(&self, lease: Duration) -> bool {
        let seen = self.look();
        seen.leapt.is_some_and(|leapt| seen.elapsed.saturating_sub(leapt) < lease)
    }

    fn look(&self) -> MutexGuard<'_, Seen> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        // Under the lock, and the time that has passed is read on both sides of the clock: a thread that is held up in between sees no leap.
        let (elapsed, now, later) = (self.clock.elapsed(), self.clock.now(), self.clock.elapsed());
        let ahead = now.since(seen.clock);
        if ahead > later.saturating_sub(seen.elapsed) + LEAP {
            seen.leapt = Some(later);
        }
        seen.store = seen.store.after(ahead).max(now);
        (seen.clock, seen.elapsed) = (now, elapsed);
        seen
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
