//! The store's time as this process knows it.
//!
//! The truth is the server's clock, which every script reads. Between two answers it is counted on by the time that passes here, never by
//! this machine's clock (P9). An answer tells two things: the server's moment was not before what it says when it arrived, and not after
//! it when the question left.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use emp_core::Timestamp;

use crate::moment::StoreTime;

/// How far a decision's moment may be off the server's. Much less than a lease has to spare.
pub(super) const TOLERANCE: Duration = Duration::from_secs(2);
/// A step of the server's clock that is no inexactness of ours.
const LEAP: i64 = 1000;

/// The store's time.
#[derive(Debug)]
pub(super) enum Moments {
    /// As the server tells it.
    Server {
        /// When this process began to count.
        start: Instant,
        /// What it knows.
        seen: Mutex<Seen>,
    },
    /// As a clock tells it that a test moves.
    Given(StoreTime),
}

/// What is known of the server's clock.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// The server's moment at `start`, were its clock as steady as ours.
    base: i64,
    /// The latest moment that was shown to anybody.
    shown: i64,
    leapt: Option<Duration>,
    heard: bool,
}

impl Moments {
    /// Of a server that has not been asked yet.
    pub(super) fn of_server() -> Self {
        Self::Server { start: Instant::now(), seen: Mutex::default() }
    }

    /// Now; never before what was shown already.
    pub(super) fn now(&self) -> Timestamp {
        match self {
            Self::Server { start, seen } => {
                let mut seen = lock(seen);
                seen.shown = seen.shown.max(seen.base + millis(start.elapsed()));
                Timestamp(seen.shown)
            }
            Self::Given(time) => time.now(),
        }
    }

    /// What the scripts compare a moment by: negative says that ours is the truth.
    pub(super) fn tolerance(&self) -> i64 {
        match self {
            Self::Server { .. } => millis(TOLERANCE),
            Self::Given(_) => -1,
        }
    }

    /// The server has told its moment, in answer to a question that left at `asked`.
    pub(super) fn heard(&self, asked: Instant, moment: Timestamp) {
        let Self::Server { start, seen } = self else { return };
        let (asked, now) = (asked.saturating_duration_since(*start), start.elapsed());
        lock(seen).heard(millis(asked), millis(now), moment.0);
    }

    /// The clock was set forward less than a lease ago, so that a lapsed lease may be that of a worker that lives.
    pub(super) fn leapt_within(&self, lease: Duration) -> bool {
        match self {
            Self::Server { start, seen } => {
                lock(seen).leapt.is_some_and(|leapt| start.elapsed().saturating_sub(leapt) < lease)
            }
            Self::Given(time) => time.leapt_within(lease),
        }
    }
}

impl Seen {
    fn heard(&mut self, asked: i64, answered: i64, moment: i64) {
        let (least, most) = (moment - answered, moment - asked);
        let base = if self.heard { self.base.clamp(least, most) } else { least };
        if self.heard && base - self.base > LEAP {
            self.leapt = Some(Duration::from_millis(u64::try_from(answered).unwrap_or(0)));
        }
        if base < self.base - LEAP {
            // Scripts see to it that the store's time never runs back: only another store can be that far behind.
            self.shown = 0;
        }
        (self.base, self.heard) = (base, true);
    }
}

fn lock(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// P9: an answer that took long moves nothing; a clock that was set forward does, and is noticed.
    #[test]
    fn p09_the_servers_clock_is_followed_and_its_leaps_are_noticed() {
        let mut seen = Seen::default();
        seen.heard(0, 1, 1_000_001);
        assert_eq!((seen.base, seen.leapt), (1_000_000, None));
        seen.heard(100, 1900, 1_000_150);
        assert_eq!((seen.base, seen.leapt), (1_000_000, None), "slow, and as good as before");
        seen.heard(2000, 2001, 1_002_005);
        assert_eq!((seen.base, seen.leapt), (1_000_004, None), "a few ms off");
        seen.heard(3000, 3001, 4_603_004);
        assert_eq!((seen.base, seen.leapt), (4_600_003, Some(Duration::from_millis(3001))));
    }
}
