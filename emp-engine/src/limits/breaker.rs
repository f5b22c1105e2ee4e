//! A circuit breaker: closed, open for a while, then half-open with one probe.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use emp_core::Clock;

/// Faults in a row that open it.
const FAULTS: u32 = 5;
/// How long it stays open the first time, by why it opened.
const AFTER_REFUSAL: Duration = Duration::from_mins(1);
const AFTER_FAULTS: Duration = Duration::from_secs(5);
/// How long it stays open at most.
const LONGEST: Duration = Duration::from_mins(10);
/// A probe that never tells how it went is forgotten after this.
const PROBE: Duration = Duration::from_mins(2);

/// Why it opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trip {
    /// The credential was refused: every job would be.
    Auth,
    /// There is no credit.
    Billing,
    /// No connection, several times in a row.
    Faults,
    /// The connector's own code panicked, several times in a row.
    Panics,
}

impl Trip {
    fn reason(self) -> &'static str {
        match self {
            Self::Auth => "the service refuses the credential",
            Self::Billing => "the service wants payment",
            Self::Faults => "the service cannot be reached",
            Self::Panics => "the connector's code panicked several times in a row",
        }
    }
}

/// A breaker, shared by all jobs of a service and credential.
#[derive(Debug)]
pub struct Breaker {
    state: Mutex<State>,
    clock: Arc<dyn Clock>,
}

#[derive(Debug, Default)]
struct State {
    faults: u32,
    /// Openings since the last success: each doubles the next one's time.
    openings: u32,
    /// Until when, by the clock's elapsed time, and why.
    open: Option<(Duration, Trip)>,
    probe: Option<Duration>,
}

impl Breaker {
    /// A closed breaker.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { state: Mutex::default(), clock }
    }

    /// For how long nothing may be submitted, and why; `None` when it is closed or wants a probe.
    pub fn closed_for(&self) -> Option<(Duration, String)> {
        self.with(|state, now| {
            let (until, trip) = state.open?;
            let left = until.saturating_sub(now);
            (!left.is_zero()).then(|| (left, trip.reason().to_owned()))
        })
    }

    /// Whether a submit may be sent now. Half-open, only one may: the probe.
    pub fn enter(&self) -> bool {
        self.with(|state, now| match state.open {
            None => true,
            Some((until, _)) if now < until => false,
            Some(_) if state.probe.is_some_and(|since| now.saturating_sub(since) < PROBE) => false,
            Some(_) => {
                state.probe = Some(now);
                true
            }
        })
    }

    /// The service answered as it should.
    pub fn success(&self) {
        self.with(|state, _| *state = State::default());
    }

    /// No connection. Returns how many times in a row.
    pub fn fault(&self, trip: Trip) -> u32 {
        self.with(|state, now| {
            state.faults = state.faults.saturating_add(1);
            if state.faults >= FAULTS || state.open.is_some() {
                state.trip(trip, AFTER_FAULTS, now);
            }
            state.faults
        })
    }

    /// Opens at once: the credential is refused or there is no credit.
    pub fn trip(&self, trip: Trip) {
        self.with(|state, now| state.trip(trip, AFTER_REFUSAL, now));
    }

    /// A probe that was admitted has sent nothing.
    pub fn withdraw(&self) {
        self.with(|state, _| state.probe = None);
    }

    fn with<R>(&self, act: impl FnOnce(&mut State, Duration) -> R) -> R {
        act(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner), self.clock.elapsed())
    }
}

impl State {
    fn trip(&mut self, trip: Trip, first: Duration, now: Duration) {
        self.probe = None;
        // Answers to requests that were under way when it opened do not open it again.
        if self.open.is_some_and(|(until, _)| now < until) {
            return;
        }
        let time = first.saturating_mul(1 << self.openings.min(8)).min(LONGEST);
        self.openings = self.openings.saturating_add(1);
        self.open = Some((now + time, trip));
    }
}

#[cfg(test)]
mod tests {
    use emp_core::Timestamp;
    use emp_core::time::ManualClock;

    use super::*;

    fn breaker() -> (Breaker, Arc<ManualClock>) {
        let clock = Arc::new(ManualClock::at(Timestamp(0)));
        (Breaker::new(Arc::<ManualClock>::clone(&clock)), clock)
    }

    #[test]
    fn p23_half_open_lets_one_probe_through_and_success_closes_it() {
        let (breaker, clock) = breaker();
        breaker.trip(Trip::Auth);
        assert!(!breaker.enter());
        assert_eq!(breaker.closed_for().unwrap().0, AFTER_REFUSAL);
        clock.advance(AFTER_REFUSAL);
        assert!(breaker.enter(), "the probe");
        assert!(!breaker.enter(), "one only");
        breaker.success();
        assert!(breaker.enter() && breaker.enter());
    }

    #[test]
    fn p23_faults_in_a_row_open_it_for_longer_each_time() {
        let (breaker, clock) = breaker();
        for _ in 1..FAULTS {
            breaker.fault(Trip::Faults);
            assert!(breaker.enter());
        }
        breaker.fault(Trip::Faults);
        assert_eq!(breaker.closed_for().unwrap().0, AFTER_FAULTS);
        clock.advance(AFTER_FAULTS);
        assert!(breaker.enter());
        breaker.fault(Trip::Faults);
        assert_eq!(breaker.closed_for().unwrap().0, AFTER_FAULTS * 2, "the probe failed");
    }

    #[test]
    fn p23_a_success_between_faults_starts_the_count_anew() {
        let (breaker, _) = breaker();
        for _ in 0..20 {
            breaker.fault(Trip::Faults);
            breaker.success();
        }
        assert!(breaker.enter());
    }
}
