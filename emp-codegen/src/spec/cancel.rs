//! `#[cancel]`

use emp_syntax::rule::CodePattern;

use super::Request;

/// How a job is cancelled. With no request at all, by closing the connection.
#[derive(Clone, Debug)]
pub struct Cancel {
    /// The request for any state.
    pub request: Option<Request>,
    /// Requests for one state each.
    pub stages: Vec<(CancelStage, Request)>,
    /// What it ends.
    pub scope: CancelScope,
    /// Not sent to a job that has ended.
    pub ask_first: bool,
    /// Confirmed.
    pub ok: Vec<CodePattern>,
    /// Ended already.
    pub too_late: Vec<CodePattern>,
    /// Not known.
    pub gone: Vec<CodePattern>,
}

/// A state in which a job can be cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CancelStage {
    /// Not started.
    Queued,
    /// Being worked on.
    Running,
}

/// What a cancel ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CancelScope {
    /// The job that it names.
    Job,
    /// Whatever runs.
    Service,
}
