//! Requests before the submit: uploads, tokens.

use emp_syntax::hole::Reference;
use emp_syntax::rule::{CodePattern, Predicate};

use super::{Capture, RequestSpec};

/// `#[prepare(..)]`: a request that is made before the submit's intent is stored. It costs nothing and may be repeated.
#[derive(Clone, Debug)]
pub struct Prepare {
    /// Of which jobs, and with `each` of which elements; of all when absent.
    pub when: Option<Predicate>,
    /// Once for each element of this list, which is `item` then.
    pub each: Option<Reference>,
    /// The request.
    pub request: RequestSpec,
    /// The codes that mean accepted; any 2xx when empty.
    pub accept: &'static [CodePattern],
    /// What the answer gives, later `prepared.<name>`; with `each` a list in the order of the elements, null for one that was left out.
    pub capture: &'static [Capture],
}
