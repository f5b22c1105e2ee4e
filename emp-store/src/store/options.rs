//! How a store counts and waits, what it takes in and how long it keeps it.

use std::collections::BTreeMap;
use std::time::Duration;

use emp_core::job::JobState;

use crate::store::StoreError;

/// How a store counts and waits (`reliability.md` section 8). Tests make everything shorter.
#[derive(Clone, Debug)]
pub struct StoreOptions {
    /// How long a claim holds without renewal.
    pub lease: Duration,
    /// Nothing waits longer than this behind jobs of higher priority that came later.
    pub max_wait: Duration,
    /// Crashes after which a job is quarantined.
    pub max_crashes: u32,
    /// Those that are longer ago do not count.
    pub crash_window: Duration,
    /// A worker not heard of for so long is left out of the list.
    pub worker_ttl: Duration,
    /// Events kept of one job.
    pub max_events: usize,
    /// A client is told that its job is taken in, or cancelled, when so many other servers have it too; of the Redis store.
    pub replicas: u32,
    /// How many jobs may wait.
    pub bounds: Bounds,
    /// How long jobs are kept that have ended.
    pub retention: Retention,
    /// A server in which jobs can be lost is used all the same (P19).
    pub allow_unsafe: bool,
    /// A server that comes back without its data is used all the same, instead of refusing until it has them again (F9).
    pub accept_empty: bool,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(30),
            max_wait: Duration::from_mins(10),
            max_crashes: 3,
            crash_window: Duration::from_hours(72),
            worker_ttl: Duration::from_secs(90),
            max_events: 200,
            replicas: 0,
            bounds: Bounds::default(),
            retention: Retention::default(),
            allow_unsafe: false,
            accept_empty: false,
        }
    }
}

/// How many jobs of a service may wait for a worker or for their next attempt: what comes on top of them is refused, so that whoever
/// sends it learns in time that nobody will do it soon (P27). Jobs that were taken in are never refused anything.
#[derive(Clone, Debug)]
pub struct Bounds {
    /// Of each service.
    pub each: u64,
    /// Of some services another number.
    pub of: BTreeMap<String, u64>,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { each: 100_000, of: BTreeMap::new() }
    }
}

impl Bounds {
    /// How many jobs of a service may wait.
    pub fn of(&self, service: &str) -> u64 {
        self.of.get(service).copied().unwrap_or(self.each)
    }

    /// One more is taken in while fewer than that wait.
    pub(crate) fn admit(&self, service: &str, waiting: u64) -> Result<(), StoreError> {
        let most = self.of(service);
        if waiting < most {
            return Ok(());
        }
        Err(StoreError::Crowded(format!(
            "{waiting} jobs of service {service} wait already, and {most} may: start more workers for it, or raise `--max-queued`"
        )))
    }

    /// The states that count.
    pub(crate) const WAITING: [JobState; 2] = [JobState::Queued, JobState::Waiting];
}

/// How long jobs are kept that have ended.
#[derive(Clone, Debug)]
pub struct Retention {
    /// Those that succeeded.
    pub succeeded: Duration,
    /// Those that failed or were cancelled.
    pub failed: Duration,
    /// Those that were taken out because they end their workers.
    pub quarantined: Duration,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            succeeded: Duration::from_hours(24),
            failed: Duration::from_hours(7 * 24),
            quarantined: Duration::from_hours(30 * 24),
        }
    }
}
