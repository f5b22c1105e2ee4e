//! How often: jitter, backoff and the floor under every loop (P22).

use std::time::{Duration, Instant};

/// No loop goes round faster than this when there is nothing to gain from it.
pub(crate) const FLOOR: Duration = Duration::from_millis(50);

/// The duration plus or minus a random part of it, so that many workers do not act in step.
pub(crate) fn spread(duration: Duration, part: f64) -> Duration {
    let random = f64::from((uuid::Uuid::new_v4().as_u128() & 0xffff_ffff) as u32) / f64::from(u32::MAX);
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
    pub(crate) fn next(&mut self) -> Duration {
        let wait = spread(self.next, 0.25).max(FLOOR);
        self.next = (self.next * 2).min(self.cap);
        wait
    }

    /// It worked.
    pub(crate) fn reset(&mut self) {
        self.next = FLOOR;
    }
}

/// Hints of the store are followed at once as long as they are few: 20 in a burst, 20 a second after that.
///
/// A lone job must not wait for the floor, and a store that hints without end must not keep a core busy.
#[derive(Debug)]
pub(crate) struct HintBudget {
    left: f64,
    counted: Instant,
}

impl HintBudget {
    const BURST: f64 = 20.0;
    const PER_SECOND: f64 = 20.0;

    pub(crate) fn new(now: Instant) -> Self {
        Self { left: Self::BURST, counted: now }
    }

    /// How long to wait before this hint is followed.
    pub(crate) fn spend(&mut self, now: Instant) -> Duration {
        let earned = now.saturating_duration_since(self.counted).as_secs_f64() * Self::PER_SECOND;
        self.left = (self.left + earned).min(Self::BURST) - 1.0;
        self.counted = now;
        Duration::from_secs_f64((-self.left).max(0.0) / Self::PER_SECOND)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p22_backoff_has_a_floor_and_a_cap() {
        let mut backoff = Backoff::up_to(Duration::from_secs(1));
        let waits: Vec<_> = (0..20).map(|_| backoff.next()).collect();
        assert!(waits.iter().all(|wait| *wait >= FLOOR && *wait <= Duration::from_millis(1250)), "{waits:?}");
        assert!(waits[8] >= Duration::from_millis(750), "{waits:?}");
        backoff.reset();
        assert!(backoff.next() < Duration::from_millis(75));
    }

    #[test]
    fn p22_endless_hints_are_followed_at_most_twenty_times_a_second() {
        let start = Instant::now();
        let mut budget = HintBudget::new(start);
        let mut now = start;
        let mut followed = 0;
        while now < start + Duration::from_secs(10) {
            now += budget.spend(now) + Duration::from_micros(100);
            followed += 1;
        }
        assert!((180..=260).contains(&followed), "{followed}");
    }

    #[test]
    fn a_few_hints_are_followed_at_once() {
        let now = Instant::now();
        let mut budget = HintBudget::new(now);
        assert!((0..20).all(|_| budget.spend(now).is_zero()));
        assert!(!budget.spend(now).is_zero());
    }

    #[test]
    fn spread_stays_within_its_part() {
        for _ in 0..100 {
            let spread = spread(Duration::from_secs(10), 0.1);
            assert!((9.0..=11.0).contains(&spread.as_secs_f64()), "{spread:?}");
        }
    }
}
