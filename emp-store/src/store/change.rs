//! What the holder of a claim may change, and what it is told.

use std::time::Duration;

use emp_core::JobError;
use emp_core::job::{Delta, Intent, JobId, Nonce, Progress, ServiceJob, UpstreamCancel};
use serde_json::{Map, Value};

/// Who writes: the claim on one job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimKey {
    /// The job.
    pub job: JobId,
    /// The claim's number.
    pub nonce: Nonce,
}

/// A change of a claimed job.
#[derive(Clone, Debug)]
pub struct Write {
    /// By whose claim.
    pub claim: ClaimKey,
    /// What.
    pub change: Change,
}

/// What the holder of a claim may change.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// The worker lives: the lease runs anew. Succeeds for a lapsed lease that nobody has taken.
    Renew,
    /// A submit is about to be sent: phase `submitting`, attempt + 1 (unless the intent has the key of the current one).
    Intent(Intent),
    /// The submit was certainly not accepted: phase `prepared`, the attempt is given back.
    NotSent {
        /// Why.
        reason: String,
    },
    /// The service accepted: phase `submitted`. From a claim that is not the owner's any more it is kept among the orphans (P5b).
    Submitted(ServiceJob),
    /// How far it is; never falls within an attempt (P30).
    Progress(Progress),
    /// Text that its stream has brought.
    Delta(Delta),
    /// The end, or the end of this attempt.
    Finish(Finish),
    /// Gives the job back.
    Release(Release),
}

/// How a claim ends by itself.
#[derive(Clone, Debug, PartialEq)]
pub enum Finish {
    /// With a result. A job with a cancel recorded ends `cancelled` and keeps it as `discarded_result`.
    Succeeded {
        /// The result.
        result: Value,
        /// Declared facts about it.
        meta: Map<String, Value>,
    },
    /// For good.
    Failed(JobError),
    /// After a cancel was recorded.
    Cancelled(UpstreamCancel),
    /// A submit's answer is lost and no rule settles it.
    Uncertain(JobError),
    /// This attempt failed; another one comes after a while, as phase `prepared` with no service job.
    Retry {
        /// Why.
        error: JobError,
        /// Not before.
        after: Duration,
    },
}

/// How a job is given back.
#[derive(Clone, Debug, PartialEq)]
pub struct Release {
    /// Not before; zero to be claimed at once. It keeps its place, its phase and its service job, and it does not count as a delivery.
    pub after: Duration,
    /// Why, for the event.
    pub reason: String,
}

/// What a store answers to a write. A closed list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Done.
    Ok,
    /// It had been done already; nothing changed.
    OkAlready,
    /// Done, or for a renewal alive; and a cancel is recorded, so stop and cancel at the service.
    CancelRequested,
    /// Done, and the service has called for the job: look at it now. Told once, in answer to a renewal.
    Nudged,
    /// The claim is not the owner's (any more). Nothing changed.
    Fenced,
    /// There is no such job, or none that can be read.
    Gone,
    /// The change does not fit the job's phase. Nothing changed.
    Conflict,
}

impl Answer {
    /// The claim still holds.
    pub fn holds(self) -> bool {
        matches!(self, Self::Ok | Self::OkAlready | Self::CancelRequested | Self::Nudged)
    }
}
