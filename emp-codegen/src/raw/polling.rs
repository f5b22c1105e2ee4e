//! What surrounds a poll, as it was written.
#![allow(missing_docs, reason = "a field is the key of its attribute, and `parse::keys` documents every key")]

use std::time::Duration;

use emp_syntax::rule::Predicate;
use emp_syntax::selector::Selector;

use super::{Given, RawRequest};
use crate::spec::{Place, Spanned};

/// `envelope(..)`
#[derive(Clone, Debug, Default)]
pub struct RawEnvelope {
    pub ok: Given<Predicate>,
    pub message: Vec<Selector>,
}

/// `queue = get("/queue")`
#[derive(Clone, Debug)]
pub struct RawProbe {
    pub name: Spanned<String>,
    pub request: RawRequest,
}

/// A selector that reads a probe's answer.
#[derive(Clone, Debug)]
pub struct ProbeUse {
    pub name: Spanned<String>,
    pub place: Place,
}

/// `items = .., id = ..`
#[derive(Clone, Debug, Default)]
pub struct RawListed {
    pub items: Given<Selector>,
    pub id: Given<Selector>,
}

/// `#[batch_poll(..)]`
#[derive(Clone, Debug, Default)]
pub struct RawBatchPoll {
    pub request: RawRequest,
    pub listed: RawListed,
    pub next: Vec<Selector>,
    pub pages: Given<u32>,
    pub most: Given<usize>,
    pub worth_it_above: Given<usize>,
    pub every: Given<Duration>,
    pub complete: bool,
}

/// `#[side_progress(..)]`
#[derive(Clone, Debug, Default)]
pub struct RawSideProgress {
    pub request: RawRequest,
    pub progress: Vec<Selector>,
    pub progress_text: Vec<Selector>,
    pub eta: Vec<Selector>,
    pub preview: Vec<Selector>,
    pub every: Given<Duration>,
}
