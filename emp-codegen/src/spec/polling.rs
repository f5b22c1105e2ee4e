//! What surrounds a poll. Mirrors `emp_core::spec::polling`.

use std::time::Duration;

use emp_syntax::hole::Reference;
use emp_syntax::rule::Predicate;
use emp_syntax::selector::Selector;

use super::{Request, Spanned};

/// When an answer with a 2xx code means what its code says.
#[derive(Clone, Debug)]
pub struct Envelope {
    /// It does when this holds.
    pub ok: Predicate,
    /// The refusal's text.
    pub message: Vec<Selector>,
}

/// A further question.
#[derive(Clone, Debug)]
pub struct Probe {
    /// Its name, at its place.
    pub name: Spanned<String>,
    /// The request.
    pub request: Request,
}

/// The job is an element of a list.
#[derive(Clone, Debug)]
pub struct Listed {
    /// The elements.
    pub items: Selector,
    /// In an element: the service job id.
    pub id: Selector,
}

/// One request for all jobs that wait.
#[derive(Clone, Debug)]
pub struct BatchPoll {
    /// The request.
    pub request: Request,
    /// The elements.
    pub listed: Listed,
    /// The URL of the next page.
    pub next: Vec<Selector>,
    /// Pages at most.
    pub pages: u32,
    /// Ids in one request at most.
    pub most: usize,
    /// One by one up to so many jobs.
    pub worth_it_above: usize,
    /// From one batch to the next.
    pub every: Duration,
    /// An element is a whole answer.
    pub complete: bool,
}

/// How far a job is while its submit is open.
#[derive(Clone, Debug)]
pub struct SideProgress {
    /// The request.
    pub request: Request,
    /// A fraction.
    pub progress: Vec<Selector>,
    /// A text for people.
    pub progress_text: Vec<Selector>,
    /// Seconds left.
    pub eta: Vec<Selector>,
    /// A picture.
    pub preview: Vec<Selector>,
    /// From one question to the next.
    pub every: Duration,
}

/// Durations are learnt, apart for each value of a reference.
#[derive(Clone, Debug)]
pub struct Learn {
    /// What jobs of one kind have in common.
    pub by: Option<Reference>,
}
