//! How long to wait. Pure: the randomness is an argument, a number from 0 to 1.

use std::time::Duration;

use emp_core::spec::Pace;

use crate::learn::Expectation;
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

/// The clocks of a submitted job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clocks {
    /// From the submit to the end.
    pub total: Duration,
    /// In the service's queue.
    pub queued: Option<Duration>,
    /// At work.
    pub running: Option<Duration>,
}

/// One of the clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// The whole.
    Total,
    /// The service's queue.
    Queued,
    /// The work.
    Running,
}

/// What is left until the first clock runs out, or which has. `in_stage` is the state that the service told and for how long it
/// has been that; before it told one only the whole counts, so that a new owner of the job asks before it judges.
pub fn left(
    clocks: Clocks,
    since_submit: Duration,
    in_stage: Option<(Stage, Duration)>,
) -> Result<Duration, Clock> {
    let remains = |limit: Duration, used: Duration, clock| {
        limit.checked_sub(used).filter(|left| !left.is_zero()).ok_or(clock)
    };
    let total = remains(clocks.total, since_submit, Clock::Total)?;
    let phase = match in_stage {
        Some((Stage::Queued, used)) => clocks.queued.map(|limit| remains(limit, used, Clock::Queued)),
        Some((Stage::Running, used)) => clocks.running.map(|limit| remains(limit, used, Clock::Running)),
        None => None,
    };
    Ok(phase.transpose()?.map_or(total, |left| left.min(total)))
}

/// The wait of a job that is expected to end: to the beginning of the time in which it will, then an eighth of that time, within
/// the declared bounds. `None` once it is late: then nothing is known, and waits grow as ever.
pub fn towards(
    pace: &Pace,
    expected: Expectation,
    age: Duration,
    stage: Stage,
    random: f64,
) -> Option<Duration> {
    let wait = match expected.early.checked_sub(age) {
        Some(rest) if !rest.is_zero() => rest,
        _ if age < expected.late => expected.late.saturating_sub(expected.early) / 8,
        _ => return None,
    };
    let min = pace.min.max(SHORTEST);
    let wait = wait.clamp(min, pace.max.max(min));
    let queued = pace.while_queued.filter(|_| stage == Stage::Queued);
    Some(spread(wait.max(queued.unwrap_or_default()), pace.jitter, random).max(min))
}

/// A wait after an answer that the service held back: the time that it did counts.
pub fn after_hold(wait: Duration, held: Duration) -> Duration {
    if held.is_zero() { wait } else { wait.saturating_sub(held).max(SHORTEST) }
}

/// A wait that ends when others do: at a multiple of the largest doubling of `every` that is no longer than the wait, and about
/// when the wait would have. Jobs of one batch wake together then, however long each of them waits.
pub fn aligned(wait: Duration, every: Duration, now: Duration) -> Duration {
    let every = every.max(SHORTEST);
    let mut tick = every;
    while tick.saturating_mul(2) <= wait {
        tick = tick.saturating_mul(2);
    }
    let earliest = now + (wait * 3 / 4).max(SHORTEST);
    let ticks = earliest.as_nanos().div_ceil(tick.as_nanos());
    let due = u32::try_from(ticks).map_or(earliest, |ticks| tick.saturating_mul(ticks));
    due.saturating_sub(now).max(SHORTEST)
}
