//! What is done to a connector and its fake in a scenario, as data.

use std::time::Duration;

use emp_core::ErrorCode;
use emp_core::job::UpstreamCancel;
use serde_json::Value;

use crate::fault::{Fault, Step};
use crate::job::Ending;
use crate::kill::Moment;
use crate::rig::Calling;

/// A scenario that is played.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    /// What goes wrong at the service.
    pub(crate) faults: Vec<Fault>,
    /// How its job ends.
    pub(crate) ending: Ending,
    /// How its job is when somebody looks: queued for long, or running at once.
    pub(crate) queued: bool,
    /// What becomes of the worker and of the wish for the job.
    pub(crate) life: Life,
    /// What should come of it.
    pub(crate) expect: Expect,
    /// Whether more than one submit may be accepted: one for each attempt.
    pub(crate) attempts: bool,
    /// The job's payload, where it is not the usual one.
    pub(crate) payload: Option<Value>,
    /// The answer to this step leads to another origin, which nobody may follow.
    pub(crate) trap: Option<Step>,
    /// The service is told where to call, and does.
    pub(crate) calling: Option<Calling>,
    /// Its job is done as soon as it is accepted.
    pub(crate) instant: bool,
}

/// What becomes of the worker, and of the wish for the job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Life {
    /// It lives, and the job is wanted.
    Whole,
    /// The service refuses connections at first.
    Closed,
    /// The name of the service is not known at first.
    Nameless,
    /// No secure connection to the service comes about at first.
    Untrusted,
    /// The worker dies at a moment; another goes on.
    DiesAt(Moment),
    /// The worker dies while a request of this step is at the service.
    DiesDuring(Step),
    /// The first answer to a request of this step does not come, and the job's deadline passes.
    Late(Step),
    /// The job is cancelled while it is at the service, after so much time.
    Cancelled(Duration),
}

/// What should come of a scenario.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Expect {
    /// A result, from one attempt.
    Succeeds,
    /// A result, from one attempt, and not before so much time.
    SucceedsAfter(Duration),
    /// A result, from one attempt, and its text piece by piece before.
    Tells,
    /// A result, from one attempt, and a request of this step on the way.
    Takes(Step),
    /// A result, from one attempt, of which it is said that it is only a part, at the end or before.
    Partly,
    /// What the connector's settle rule promises after an answer that was lost.
    Settles,
    /// An end that is no success; one submit accepted at most.
    NoSuccess,
    /// The service refused: an end for which nothing was paid, or, where the declaration calls the refusal one that passes, a result.
    Refused,
    /// A failure with one of these codes; with any when empty.
    Fails(Vec<ErrorCode>),
    /// A second attempt, with a key of its own, that succeeds.
    Retries,
    /// Cancelled, with one of these words about the service.
    Cancelled(&'static [UpstreamCancel]),
    /// Any end.
    Ends,
}

impl Script {
    pub(crate) fn new(expect: Expect) -> Self {
        Self {
            faults: Vec::new(),
            ending: Ending::Succeeds,
            queued: false,
            life: Life::Whole,
            expect,
            attempts: false,
            payload: None,
            trap: None,
            calling: None,
            instant: false,
        }
    }

    pub(crate) fn fault(mut self, fault: Fault) -> Self {
        self.faults.push(fault);
        self
    }

    pub(crate) fn life(mut self, life: Life) -> Self {
        self.life = life;
        self
    }

    pub(crate) fn ending(mut self, ending: Ending) -> Self {
        self.ending = ending;
        self
    }

    pub(crate) fn queued(mut self) -> Self {
        self.queued = true;
        self
    }

    /// One accepted submit for each attempt is right.
    pub(crate) fn attempts(mut self) -> Self {
        self.attempts = true;
        self
    }

    /// A job with this payload.
    pub(crate) fn payload(mut self, payload: Value) -> Self {
        self.payload = Some(payload);
        self
    }

    pub(crate) fn trap(mut self, step: Step) -> Self {
        self.trap = Some(step);
        self
    }

    /// The service is told where to call, and calls like this.
    pub(crate) fn calling(mut self, calling: Calling) -> Self {
        self.calling = Some(calling);
        self.instant = calling == Calling::First;
        self
    }

    /// An answer has no end.
    pub(crate) fn endless(&self) -> bool {
        self.faults.iter().any(|fault| matches!(fault.trouble, crate::fault::Trouble::HugeBody))
    }

    /// Somebody waits in real time for an answer that does not come.
    pub(crate) fn silent(&self) -> bool {
        use crate::fault::Trouble;
        self.faults.iter().any(|fault| {
            matches!(fault.trouble, Trouble::Timeout | Trouble::TimeoutAfter | Trouble::SlowBody)
        })
    }
}
