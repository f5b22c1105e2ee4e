//! How often: jitter, backoff and the floor under every loop (P22).

use std::time::Duration;

/// No loop goes round faster than this when there is nothing to gain from it.
pub(crate) const FLOOR: Duration = Duration::from_millis(50);

/// The duration plus or minus a part of it, by a number from 0 to 1: so many workers do not act in step.
pub(crate) fn spread(duration: Duration, part: f64, random: f64) -> Duration {
    duration.mul_f64((1.0 + part * (2.0 * random - 1.0)).max(0.0))
}

/// Waits between tries at something that fails: from the floor, doubled each time, up to a cap, with jitter above the floor.
#[derive(Debug)]
pub(crate) struct Backoff {
    next: Duration,
    cap: Duration,
}

impl Backoff {
    pub(crate) fn up_to(cap: Duration) -> Self {
        Self { next: FLOOR, cap: cap.max(FLOOR) }
    }

    /// How long to wait now; longer the next time.
    pub(crate) fn next(&mut self, random: f64) -> Duration {
        let wait = spread(self.next, 0.25, random).max(FLOOR);
        self.next = (self.next * 2).min(self.cap);
        wait
    }

    /// It worked.
    pub(crate) fn reset(&mut self) {
        self.next = FLOOR;
    }
}

/// How fast hints are followed that lead to nothing: a few at once, then less and less often, down to the floor.
///
/// A lone job's own events are hints too and must not make the next job wait; a busy fleet's events must not make a worker with
/// free slots ask for jobs a thousand times a second.
#[derive(Debug, Default)]
pub(crate) struct HintPace {
    in_vain: u32,
}

impl HintPace {
    /// More than the events of one short job.
    const AT_ONCE: u32 = 12;

    /// A hint was followed and there was nothing; says how long to wait before the next one is followed.
    pub(crate) fn in_vain(&mut self) -> Duration {
        self.in_vain = self.in_vain.saturating_add(1);
        let doublings = self.in_vain.saturating_sub(Self::AT_ONCE);
        if doublings == 0 {
            return Duration::ZERO;
        }
        Duration::from_millis(1 << (doublings - 1).min(8)).min(FLOOR)
    }

    /// There was something, or it was quiet for a while.
    pub(crate) fn reset(&mut self) {
        self.in_vain = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p22_backoff_has_a_floor_and_a_cap() {
        let mut backoff = Backoff::up_to(Duration::from_secs(1));
        let waits: Vec<_> = (0..20).map(|step| backoff.next(f64::from(step % 2))).collect();
        assert!(waits.iter().all(|wait| *wait >= FLOOR && *wait <= Duration::from_millis(1250)), "{waits:?}");
        assert!(waits[8] >= Duration::from_millis(750), "{waits:?}");
        backoff.reset();
        assert!(backoff.next(1.0) < Duration::from_millis(75));
    }

    #[test]
    fn p22_endless_hints_in_vain_are_followed_twenty_times_a_second() {
        let mut pace = HintPace::default();
        let waits: Vec<_> = (0..30).map(|_| pace.in_vain()).collect();
        assert!(waits.iter().take(12).all(Duration::is_zero), "a few are followed at once: {waits:?}");
        assert!(waits.is_sorted(), "{waits:?}");
        assert!(waits.iter().skip(18).all(|wait| *wait == FLOOR), "{waits:?}");
        pace.reset();
        assert!(pace.in_vain().is_zero());
    }

    #[test]
    fn spread_stays_within_its_part() {
        for step in 0..=100 {
            let spread = spread(Duration::from_secs(10), 0.1, f64::from(step) / 100.0);
            assert!((9.0..=11.0).contains(&spread.as_secs_f64()), "{spread:?}");
        }
    }
}
