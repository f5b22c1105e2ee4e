//! The lines that jobs stand in: lanes, ranks, and where a job stands.
//!
//! A lane is a service, a set of label requirements and, for jobs that are at the service already, the connector that took them there.
//! A job stands in one lane; a worker knows which lanes it matches; so a backlog that it cannot serve never hides a job that it can.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use emp_core::Timestamp;
use emp_core::job::{Job, JobId, JobState};
use serde::{Deserialize, Serialize};

use crate::store::{ClaimRequest, StoreOptions};
use crate::transition;

/// The highest priority.
const TOP: u8 = 9;

/// A service with what a worker must have.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct Lane {
    /// The service.
    pub(crate) service: String,
    /// What a worker must have.
    pub(crate) labels: BTreeMap<String, String>,
    /// The connector that has begun its jobs; nobody else can go on with them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) connector: Option<String>,
}

impl Lane {
    /// The lane of a job as it is now. It is another one once the job is begun.
    pub(crate) fn of(job: &Job) -> Self {
        Self {
            service: job.service.clone(),
            labels: job.labels.clone(),
            connector: job.begun_by().map(str::to_owned),
        }
    }

    /// The worker that asks may take jobs of this lane.
    pub(crate) fn matches(&self, request: &ClaimRequest) -> bool {
        request.services.get(&self.service).is_some_and(|room| *room > 0)
            && self.labels.iter().all(|(name, value)| request.labels.get(name) == Some(value))
            && self.connector.as_ref().is_none_or(|connector| request.connectors.contains(connector))
    }
}

/// A place within a lane; the smallest is claimed first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rank {
    /// The moment from which it waits, moved forward by its priority.
    pub(crate) key: i64,
    /// Breaks ties: first come, first served.
    pub(crate) arrival: u64,
}

impl Rank {
    /// The rank of a job. A step of priority is worth a ninth of `max_wait`, so that a job of the highest priority overtakes only what
    /// came at most `max_wait` before it: nothing waits longer than that behind later ones (P13).
    pub(crate) fn of(job: &Job, options: &StoreOptions) -> Self {
        let band = i64::try_from(options.max_wait.as_millis()).unwrap_or(i64::MAX) / i64::from(TOP);
        let head_start = band.saturating_mul(i64::from(job.priority.min(TOP)));
        Self { key: job.queued_at.0.saturating_sub(head_start), arrival: job.arrival }
    }
}

/// Where a job stands: what a store keeps an index of.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Place {
    /// In a lane, to be claimed.
    Ready(Lane, Rank),
    /// Comes back at a time.
    Due(Timestamp),
    /// With a worker, until a time unless renewed.
    Leased(Timestamp),
    /// It has ended, and is forgotten at a time.
    Ended(Timestamp),
    /// Nowhere: it waits for a person.
    Aside,
}

impl Place {
    /// Where a job stands.
    pub(crate) fn of(job: &Job, options: &StoreOptions) -> Self {
        match (job.state, &job.lease) {
            (JobState::Queued, _) => Self::Ready(Lane::of(job), Rank::of(job, options)),
            (JobState::Waiting, _) => Self::Due(job.ready_at),
            (JobState::Running, Some(lease)) => Self::Leased(lease.until),
            _ => transition::expires(job, &options.retention).map_or(Self::Aside, Self::Ended),
        }
    }
}

/// The best jobs of some lanes for a worker, best first. `next` gives the first job of the lane with an index after a rank; it is asked once for
/// each lane and once for each job taken.
pub(crate) fn best<E>(
    lanes: &[Lane],
    request: &ClaimRequest,
    mut next: impl FnMut(usize, Option<Rank>) -> Result<Option<(Rank, JobId)>, E>,
) -> Result<Vec<JobId>, E> {
    let mut room = request.services.clone();
    let mut heads = BinaryHeap::new();
    for (index, _) in lanes.iter().enumerate().filter(|(_, lane)| lane.matches(request)) {
        heads.extend(next(index, None)?.map(|(rank, id)| Reverse((rank, index, id))));
    }
    let mut taken = Vec::new();
    while taken.len() < request.max
        && let Some(Reverse((rank, index, id))) = heads.pop()
    {
        let Some(lane) = lanes.get(index) else { continue };
        let Some(room) = room.get_mut(&lane.service).filter(|room| **room > 0) else { continue };
        *room -= 1;
        taken.push(id);
        heads.extend(next(index, Some(rank))?.map(|(rank, id)| Reverse((rank, index, id))));
    }
    Ok(taken)
}
