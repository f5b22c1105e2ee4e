//! How long to wait. Pure: the randomness is an argument, a number from 0 to 1.

use std::time::Duration;

use emp_core::spec::Pace;

use crate::memory::Stage;

/// No wait is shorter, whatever is declared: polls do not become a loop.
const SHORTEST: Duration = Duration::from_millis(10);
/// Base and cap of the backoff after a fault.
const BACKOFF_BASE: Duration = Duration::from_secs(1);
/// A poll that fails is tried again within this, however often it fails (F36).
pub const LONGEST_POLL_BACKOFF: Duration = Duration::from_mins(1);
/// A submit that fails is tried again within this.
pub const LONGEST_BACKOFF: Duration = Duration::from_mins(5);

/// The wait before the next poll: the one before times the factor, within bounds, spread; the service's own advice wins over the
/// largest wait, and nothing wins over the smallest.
pub fn next(
    pace: &Pace,
    before: Option<Duration>,
    stage: Stage,
    advice: Option<Duration>,
    random: f64,
) -> Duration {
    let min = pace.min.max(SHORTEST);
    if let Some(advice) = advice {
        return advice.max(min);
    }
    let grown = before.map_or(pace.first.max(min), |before| scale(before, pace.factor.max(1.0)));
    let mut wait = grown.clamp(min, pace.max.max(min));
    if let (Stage::Queued, Some(queued)) = (stage, pace.while_queued) {
        wait = wait.max(queued);
    }
    spread(wait, pace.jitter, random).max(min)
}

/// A wait with the declared jitter: times 1 minus to 1 plus the fraction.
pub fn spread(wait: Duration, jitter: f64, random: f64) -> Duration {
    let jitter = if jitter.is_finite() { jitter.clamp(0.0, 1.0) } else { 0.0 };
    scale(wait, 1.0 + jitter * (2.0 * random.clamp(0.0, 1.0) - 1.0))
}

/// Backoff after the nth fault in a row (from 1), with full jitter over its upper half, so that it never is nothing.
pub fn backoff(faults: u32, longest: Duration, random: f64) -> Duration {
    let doubled = BACKOFF_BASE.saturating_mul(1 << faults.saturating_sub(1).min(16)).min(longest);
    scale(doubled, 0.5 + 0.5 * random.clamp(0.0, 1.0))
}

fn scale(duration: Duration, factor: f64) -> Duration {
    Duration::try_from_secs_f64(duration.as_secs_f64() * factor).unwrap_or(Duration::MAX)
}
