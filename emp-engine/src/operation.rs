//! Conditions on a job, before there is any answer; and which operation of its connector a job is of.

use emp_core::Timestamp;
use emp_core::spec::{HttpProtocol, Poll, Submit};
use emp_syntax::rule::Predicate;
use http::HeaderMap;

use crate::context::Context;
use crate::exchange::Exchange;
use crate::memory::Memory;
use crate::predicate;
use crate::select::View;

/// Whether a condition holds for a job. It sees the job's values and no answer: what it would select from one is absent.
pub fn holds(when: &Predicate, context: &Context<'_>) -> bool {
    let exchange = Exchange::new(0, HeaderMap::new(), b"");
    predicate::holds(
        when,
        &View { exchange: &exchange, context, memory: &Memory::default(), now: Timestamp(0) },
    )
}

/// How a job is submitted.
pub fn submit<'h>(http: &'h HttpProtocol, context: &Context<'_>) -> &'h Submit {
    http.submit_for(|when| holds(when, context))
}

/// How a job is asked after; `None` when the submit's answer is its end.
pub fn poll<'h>(http: &'h HttpProtocol, context: &Context<'_>) -> Option<&'h Poll> {
    http.poll_for(|when| holds(when, context))
}
