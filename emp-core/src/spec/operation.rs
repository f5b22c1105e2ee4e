//! One connector, several operations: the payload chooses what is submitted, and how it is asked after.

use emp_syntax::rule::Predicate;

use super::{HttpProtocol, Poll, Submit};

/// `#[submit(when = ..)]` with its `#[poll(when = ..)]`: what is done for jobs of one kind.
#[derive(Clone, Debug)]
pub struct Operation {
    /// Of which jobs. It looks at `payload`, `env` and `queue` only, so that it says the same before and after the submit.
    pub when: Predicate,
    /// How such a job is submitted; with its own captures and its own settle rule.
    pub submit: Submit,
    /// How it is asked after, when that differs from the other operations.
    pub poll: Option<Poll>,
}

impl HttpProtocol {
    /// The operation of a job, by its place in [`operations`](Self::operations): the first whose condition holds; `None` for the
    /// main one.
    ///
    /// ```
    /// # use emp_core::spec::HttpProtocol;
    /// # fn example(http: &'static HttpProtocol) {
    /// // Without operations there is nothing to choose.
    /// assert!(http.operations.is_empty() && http.operation_for(|_| true).is_none());
    /// # }
    /// # example(&HttpProtocol::DEFAULT);
    /// ```
    pub fn operation_for(&self, holds: impl FnMut(&Predicate) -> bool) -> Option<usize> {
        let mut holds = holds;
        self.operations.iter().position(|operation| holds(&operation.when))
    }

    /// How a job is submitted. `holds` says whether a condition holds for it.
    pub fn submit_for(&self, holds: impl FnMut(&Predicate) -> bool) -> &Submit {
        self.submit_at(self.operation_for(holds))
    }

    /// How a job is asked after; `None` when the submit's answer is its end. `holds` says whether a condition holds for it.
    pub fn poll_for(&self, holds: impl FnMut(&Predicate) -> bool) -> Option<&Poll> {
        self.poll_at(self.operation_for(holds))
    }

    /// The submit of an operation; of the main one for `None`.
    pub fn submit_at(&self, operation: Option<usize>) -> &Submit {
        operation.and_then(|at| self.operations.get(at)).map_or(&self.submit, |operation| &operation.submit)
    }

    /// The poll of an operation; of the main one for `None`, and for an operation that has none of its own.
    pub fn poll_at(&self, operation: Option<usize>) -> Option<&Poll> {
        operation
            .and_then(|at| self.operations.get(at))
            .and_then(|operation| operation.poll.as_ref())
            .or(self.poll.as_ref())
    }

    /// Every way to submit a job, the main one last.
    pub fn submits(&self) -> impl Iterator<Item = &Submit> {
        self.operations.iter().map(|operation| &operation.submit).chain([&self.submit])
    }

    /// Every way to ask after a job, the main one last.
    pub fn polls(&self) -> impl Iterator<Item = &Poll> {
        self.operations.iter().filter_map(|operation| operation.poll.as_ref()).chain(&self.poll)
    }
}
