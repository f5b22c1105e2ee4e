//! How a worker behaves; the defaults are those of `reliability.md` section 8.

use std::collections::BTreeMap;
use std::time::Duration;

/// After the drain: the workers are taken out of the store's list and the last tasks end.
const STOP_MARGIN: Duration = Duration::from_secs(5);

/// How a worker behaves. Tests make everything shorter.
#[derive(Clone, Debug)]
pub struct WorkerOptions {
    /// What the workers have; a job goes to a worker that has its every label.
    pub labels: BTreeMap<String, String>,
    /// The version that they announce.
    pub version: String,
    /// The machine's name that they announce.
    pub host: String,
    /// How long a claim holds without renewal; the same as the store's.
    pub lease: Duration,
    /// How often all claims are renewed, ± 10 %.
    pub renew_every: Duration,
    /// The part of the lease before whose end effects stop, when no renewal succeeded.
    pub fence_margin: f64,
    /// The longest time without looking for jobs, when no hint of the store comes through.
    pub poll_every: Duration,
    /// The shortest time between two writes of one job's progress.
    pub progress_every: Duration,
    /// The shortest time between two writes of one job's streamed text.
    pub deltas_every: Duration,
    /// How often jobs of dead workers are taken back, ± 50 %.
    pub reap_every: Duration,
    /// How often the workers say that they live.
    pub announce_every: Duration,
    /// For how long a stop waits for submits under way: the longest submit timeout and a margin.
    pub drain_timeout: Duration,
    /// For how long no job of a connector is claimed that panicked three times in a row.
    pub panic_pause: Duration,
    /// Leases are renewed on a thread of their own, so that work that blocks the executor does not cost them. A simulation has but one.
    pub leases_on_a_thread: bool,
    /// A number from 0 to 1, by chance: so many workers do not act in step.
    pub random: fn() -> f64,
}

impl Default for WorkerOptions {
    fn default() -> Self {
        Self {
            labels: BTreeMap::new(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            host: host_name(),
            lease: Duration::from_secs(30),
            renew_every: Duration::from_secs(10),
            fence_margin: 0.2,
            poll_every: Duration::from_secs(1),
            progress_every: Duration::from_millis(250),
            deltas_every: Duration::from_millis(50),
            reap_every: Duration::from_secs(5),
            announce_every: Duration::from_secs(5),
            drain_timeout: Duration::from_secs(65),
            panic_pause: Duration::from_mins(1),
            leases_on_a_thread: true,
            random,
        }
    }
}

impl WorkerOptions {
    /// The longest time from a stop's signal to the end of the process: who ends it by force must wait so long.
    pub fn stops_within(&self) -> Duration {
        self.drain_timeout + STOP_MARGIN
    }

    /// Since the last renewal that succeeded: after so long every effect stops.
    pub fn fence_after(&self) -> Duration {
        self.lease.mul_f64((1.0 - self.fence_margin).clamp(0.1, 1.0))
    }
}

/// A random number from 0 to 1.
fn random() -> f64 {
    f64::from((uuid::Uuid::new_v4().as_u128() & 0xffff_ffff) as u32) / f64::from(u32::MAX)
}

fn host_name() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname")
        .ok()
        .or_else(|| std::env::var("HOSTNAME").ok())
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "unknown".to_owned())
}
