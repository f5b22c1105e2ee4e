//! How long jobs take, learnt from those that ended well. Kept in the process, and bounded whatever payloads come.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Kinds of jobs that are remembered; the one that was used longest ago goes first.
const MAX_KINDS: usize = 64;
/// Longest name of a kind, characters; it comes from a payload.
const MAX_NAME: usize = 128;
/// Durations of a kind that are remembered; the oldest go first.
const MAX_SAMPLES: usize = 32;
/// No expectation is further away.
const LONGEST: Duration = Duration::from_hours(30 * 24);
/// Fewer say nothing.
const FEWEST: usize = 4;

/// When a job is expected to end, from its submit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expectation {
    /// Few end sooner.
    pub early: Duration,
    /// Few end later.
    pub late: Duration,
}

impl Expectation {
    /// About so long from a moment on: between 80 and 120 percent of it. `None` when that is nothing.
    pub fn around(from: Duration, seconds: Duration) -> Option<Self> {
        let part = |factor| from.saturating_add(seconds.mul_f64(factor));
        (!seconds.is_zero() && seconds < LONGEST).then(|| Self { early: part(0.8), late: part(1.2) })
    }
}

/// The durations of the kinds of jobs of one service.
#[derive(Debug, Default)]
pub struct Durations(Mutex<Kinds>);

#[derive(Debug, Default)]
struct Kinds {
    known: HashMap<String, Kind>,
    turn: u64,
}

#[derive(Debug, Default)]
struct Kind {
    samples: VecDeque<Duration>,
    used: u64,
}

impl Durations {
    /// A job of a kind took so long.
    pub fn note(&self, kind: &str, took: Duration) {
        self.with(kind, true, |kind| {
            if kind.samples.len() == MAX_SAMPLES {
                kind.samples.pop_front();
            }
            kind.samples.push_back(took);
        });
    }

    /// When a job of a kind is expected to end: from the lower quartile to the 90th percentile of those before it.
    pub fn expect(&self, kind: &str) -> Option<Expectation> {
        self.with(kind, false, |kind| {
            let mut sorted: Vec<Duration> = kind.samples.iter().copied().collect();
            sorted.sort_unstable();
            let at = |part: usize| sorted.get((sorted.len().saturating_sub(1)) * part / 100).copied();
            (sorted.len() >= FEWEST).then_some(())?;
            Some(Expectation { early: at(25)?, late: at(90)? })
        })
        .flatten()
    }

    fn with<R>(&self, name: &str, make: bool, act: impl FnOnce(&mut Kind) -> R) -> Option<R> {
        let name: String = name.chars().take(MAX_NAME).collect();
        let mut kinds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kinds.turn += 1;
        let turn = kinds.turn;
        if make && !kinds.known.contains_key(&name) && kinds.known.len() >= MAX_KINDS {
            let oldest = kinds.known.iter().min_by_key(|(_, kind)| kind.used).map(|(name, _)| name.clone());
            oldest.and_then(|name| kinds.known.remove(&name));
        }
        let kind = if make { kinds.known.entry(name).or_default() } else { kinds.known.get_mut(&name)? };
        kind.used = turn;
        Some(act(kind))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secs(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    #[test]
    fn x6_an_expectation_needs_some_samples_and_follows_the_newest() {
        let durations = Durations::default();
        for took in [10, 12, 14] {
            durations.note("m", secs(took));
        }
        assert_eq!(durations.expect("m"), None);
        durations.note("m", secs(100));
        assert_eq!(durations.expect("m"), Some(Expectation { early: secs(10), late: secs(14) }));
        (0..MAX_SAMPLES).for_each(|_| durations.note("m", secs(60)));
        assert_eq!(durations.expect("m"), Some(Expectation { early: secs(60), late: secs(60) }));
        assert_eq!(durations.expect("another"), None);
    }

    #[test]
    fn x6_the_memory_is_bounded_and_keeps_what_is_used() {
        let durations = Durations::default();
        (0..4).for_each(|_| durations.note("kept", secs(1)));
        for n in 0..1000 {
            durations.note(&format!("{n}-{}", "x".repeat(1000)), secs(1));
            assert!(durations.expect("kept").is_some(), "{n}");
        }
        let kinds = durations.0.lock().unwrap();
        assert!(kinds.known.len() <= MAX_KINDS && kinds.known.keys().all(|name| name.len() <= MAX_NAME));
    }
}
