//! What is tidied up at the service when a job has its result.

use emp_syntax::rule::Predicate;

use super::RequestSpec;

/// A request that is sent once when the job's result is stored. Its failure changes nothing about the job.
#[derive(Clone, Debug)]
pub struct Cleanup {
    /// The request.
    pub request: RequestSpec,
    /// After which jobs; it looks at `payload`, `env` and `queue` only. `None` for all.
    pub when: Option<Predicate>,
}
