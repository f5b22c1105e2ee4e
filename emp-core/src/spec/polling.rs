//! What surrounds a poll: envelopes, further questions, lists, and asking for many jobs at once.

use std::time::Duration;

use emp_syntax::hole::Reference;
use emp_syntax::rule::Predicate;
use emp_syntax::selector::Selector;

use super::RequestSpec;

/// `envelope(ok = predicate, message = selectors)`: an answer with a 2xx code may be a refusal all the same.
///
/// It is read before anything else of such an answer. One that is there and not ok is a refusal: nothing was accepted. One
/// that is not there at all, so that no selector of `ok` finds a value, says nothing.
#[derive(Clone, Debug)]
pub struct Envelope {
    /// The answer means what its code says only when this holds.
    pub ok: Predicate,
    /// The refusal's text for people, before those of `#[errors]`.
    pub message: &'static [Selector],
}

/// `also(queue = get("/queue"))`: a further question, asked when the poll's own answer does not decide.
#[derive(Clone, Debug)]
pub struct Probe {
    /// The name by which selectors read its answer: `queue."$.queue_running"`.
    pub name: &'static str,
    /// The request.
    pub request: RequestSpec,
}

/// `items = .., id = ..`: the answer is a list, and the job is an element of it.
///
/// That element is the document that all selectors see. A list without it is the same as a 404 for the job.
#[derive(Clone, Debug)]
pub struct Listed {
    /// The elements.
    pub items: Selector,
    /// In an element: the service job id.
    pub id: Selector,
}

/// `#[batch_poll(..)]`: one request asks after all jobs of a credential that wait.
#[derive(Clone, Debug)]
pub struct BatchPoll {
    /// The request: a list, or a question with the ids (`queue.ids`) in its body.
    pub request: RequestSpec,
    /// The elements, and the service job id in each.
    pub listed: Listed,
    /// Where the URL of the next page is.
    pub next: &'static [Selector],
    /// So many pages at most.
    pub pages: u32,
    /// So many ids in one request at most.
    pub most: usize,
    /// Jobs are asked after one by one while no more than so many wait.
    pub worth_it_above: usize,
    /// From one batch to the next.
    pub every: Duration,
    /// An element is as good as the answer of a poll: a job that has ended is not asked after once more for its result.
    pub complete: bool,
}

/// `#[side_progress(..)]`: where to ask how far a job is while its submit's answer is held back.
#[derive(Clone, Debug)]
pub struct SideProgress {
    /// The request.
    pub request: RequestSpec,
    /// A fraction, 0 to 1.
    pub progress: &'static [Selector],
    /// A text for people.
    pub progress_text: &'static [Selector],
    /// Seconds left.
    pub eta: &'static [Selector],
    /// A picture of what there is so far.
    pub preview: &'static [Selector],
    /// From one question to the next.
    pub every: Duration,
}

/// `learn = payload.model`: how long jobs take is learnt, apart for each value of a reference.
#[derive(Clone, Debug)]
pub struct Learn {
    /// What jobs of one kind have in common; `None` when they are all of one kind.
    pub by: Option<Reference>,
}
