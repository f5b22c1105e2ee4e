//! The names of keys. All keys of a queue have one hash tag, so that a cluster keeps a queue together and spreads queues.
//!
//! | key | what |
//! |---|---|
//! | `emp:{queue}:job:<id>` | a job: `rec` (the record as JSON), `payload`, `rev`, and for other tools `state`, `phase`, `service`, `worker`, `service_job_id` |
//! | `emp:{queue}:events:<id>`, `texts:<id>` | what happened to it |
//! | `emp:{queue}:lane:<lane>` | jobs to claim, best first |
//! | `emp:{queue}:lanes`, `lanes:version` | which lanes there are |
//! | `emp:{queue}:leases`, `due` | jobs with a worker, waiting jobs: by the moment at which something is due |
//! | `emp:{queue}:ended` | jobs that have ended, by the moment at which they are forgotten |
//! | `emp:{queue}:in:<state>`, `counts` | jobs of a state by arrival; how many of each service and state |
//! | `emp:{queue}:keys`, `keys:age` | idempotency keys |
//! | `emp:{queue}:workers`, `workers:seen`, `workers:lost` | who is alive, and who lost a lease of late |
//! | `emp:{queue}:clock`, `arrival` | the store's epoch, format and moment; the number of the last arrival |
//! | `emp:{queue}:news` | the channel of hints |

use std::fmt::Write as _;

use emp_core::job::{JobId, JobState};
use sha2::{Digest, Sha256};

use crate::line::{Lane, Place};

/// Jobs with a worker, by the moment at which their lease lapses.
pub(super) const LEASES: &str = "leases";
/// Waiting jobs, by the moment at which they are due.
pub(super) const DUE: &str = "due";

/// Workers, by the moment at which they were heard of.
pub(super) const SEEN: &str = "workers:seen";
/// Workers that lost a lease of late, by that moment.
pub(super) const LOST: &str = "workers:lost";

/// Jobs that have ended, by the moment at which they may be forgotten.
pub(super) const ENDED: &str = "ended";

/// The names of one queue's keys.
#[derive(Clone, Debug)]
pub(super) struct Names {
    prefix: String,
}

impl Names {
    /// For a queue.
    pub(super) fn of(queue: &str) -> Self {
        Self { prefix: format!("emp:{{{queue}}}:") }
    }

    /// What every key begins with.
    pub(super) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// A key.
    pub(super) fn key(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// The key of a job.
    pub(super) fn job(&self, id: &JobId) -> String {
        format!("{}job:{id}", self.prefix)
    }

    /// The key of a job's events.
    pub(super) fn events(&self, id: &JobId) -> String {
        format!("{}events:{id}", self.prefix)
    }

    /// The key of a job's events with text.
    pub(super) fn texts(&self, id: &JobId) -> String {
        format!("{}texts:{id}", self.prefix)
    }
}

/// The index of jobs in a state, by arrival.
pub(super) fn in_state(state: JobState) -> String {
    format!("in:{}", state.as_str())
}

/// The counter of jobs of a service in a state.
pub(super) fn counter(service: &str, state: JobState) -> String {
    format!("{} {service}", state.as_str())
}

/// A lane's short name, the same for everybody who knows its long one.
pub(super) fn lane(name: &str) -> String {
    Sha256::digest(name.as_bytes()).iter().take(16).fold(String::with_capacity(32), |mut hex, byte| {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// A lane's long name.
pub(super) fn lane_name(lane: &Lane) -> String {
    serde_json::to_string(lane).unwrap_or_default()
}

/// Where a job stands in an index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Spot {
    /// The index.
    pub(super) index: String,
    /// What orders it.
    pub(super) score: i64,
    /// What stands there.
    pub(super) member: String,
}

impl Spot {
    /// Where a job is found again, if anything is to become of it.
    pub(super) fn of(id: &JobId, place: &Place) -> Option<Self> {
        let spot = |index: &str, score, member| Self { index: index.to_owned(), score, member };
        match place {
            // Equal scores are ordered by member, so the arrival comes first, in as many digits for all.
            Place::Ready(at, rank) => {
                let index = format!("lane:{}", lane(&lane_name(at)));
                Some(spot(&index, rank.key, format!("{:016}:{id}", rank.arrival)))
            }
            Place::Due(at) => Some(spot(DUE, at.0, id.to_string())),
            Place::Leased(until) => Some(spot(LEASES, until.0, id.to_string())),
            Place::Ended(until) => Some(spot(ENDED, until.0, id.to_string())),
            Place::Aside => None,
        }
    }
}
