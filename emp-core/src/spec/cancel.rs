//! How a job is cancelled at the service.

use emp_syntax::rule::CodePattern;

use super::RequestSpec;

/// How a job is cancelled at the service: by a request, by one request or another as the job's state is, or (with neither) by closing
/// the connection on which the service works at it.
#[derive(Clone, Debug)]
pub struct Cancel {
    /// The request for a job in any state that [`stages`](Self::stages) does not name.
    pub request: Option<RequestSpec>,
    /// Requests for jobs in one state.
    pub stages: &'static [CancelAt],
    /// What the request ends.
    pub scope: CancelScope,
    /// Ask first, and send nothing to a job that has ended: the same request would destroy its result.
    pub ask_first: bool,
    /// Codes that confirm it; any 2xx when empty.
    pub ok: &'static [CodePattern],
    /// Codes that say that the job has ended already.
    pub too_late: &'static [CodePattern],
    /// Codes that say that the job does not exist (any more).
    pub gone: &'static [CodePattern],
}

/// `when(queued) = post(..)`
#[derive(Clone, Debug)]
pub struct CancelAt {
    /// For a job that the service last told to be in this state.
    pub stage: CancelStage,
    /// What is sent then.
    pub request: RequestSpec,
}

/// A state in which a job can be cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CancelStage {
    /// Accepted, not started.
    Queued,
    /// Being worked on.
    Running,
}

/// What a cancel ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CancelScope {
    /// The job that it names.
    Job,
    /// Whatever the service is working on. Sent only while that is seen to be our job; such a connector has one job in flight.
    Service,
}

impl Cancel {
    /// Nothing is sent: the connection closes.
    pub const DEFAULT: Self = Self {
        request: None,
        stages: &[],
        scope: CancelScope::Job,
        ask_first: false,
        ok: &[],
        too_late: &[],
        gone: &[],
    };

    /// Whether closing the connection is the cancel.
    pub fn drops_connection(&self) -> bool {
        self.request.is_none() && self.stages.is_empty()
    }

    /// The request for a job in a state.
    pub fn at(&self, stage: CancelStage) -> Option<&RequestSpec> {
        let of_stage = self.stages.iter().find(|at| at.stage == stage).map(|at| &at.request);
        of_stage.or(self.request.as_ref())
    }

    /// Every request, with the state that it is for.
    pub fn requests(&self) -> impl Iterator<Item = (Option<CancelStage>, &RequestSpec)> {
        let staged = self.stages.iter().map(|at| (Some(at.stage), &at.request));
        staged.chain(self.request.iter().map(|request| (None, request)))
    }
}
