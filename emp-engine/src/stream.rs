//! What an event of a stream means: pure, like every judgement. The driver reads the events and does what follows.

use emp_core::spec::{HttpProtocol, Stream};
use emp_core::{ErrorCode, JobError};
use emp_syntax::rule::{FailureKind, Predicate};
use emp_syntax::selector::Selector;

use crate::context::Context;
use crate::decide::{self, Verdict};
use crate::exchange::Exchange;
use crate::operation;
use crate::predicate;
use crate::reduce;
use crate::select::View;

/// Most text that the deltas of one job may come to, bytes: the result has all of it.
pub const MAX_TEXT: usize = 8 << 20;

/// What an event means.
#[derive(Clone, Debug, PartialEq)]
pub enum Heard {
    /// More is to come.
    More {
        /// The text that it adds.
        delta: Option<String>,
    },
    /// It was the last one: the job has succeeded.
    Done {
        /// The text that it adds.
        delta: Option<String>,
    },
    /// The job has ended otherwise.
    Ended(Verdict),
}

/// The stream of a job, when its submit is one that is answered by a stream.
pub fn wanted<'h>(http: &'h HttpProtocol, context: &Context<'_>) -> Option<&'h Stream> {
    let stream = http.stream.as_ref().filter(|stream| stream.format.of_submit())?;
    asked(stream.when.as_ref(), context).then_some(stream)
}

/// Whether the payload asks for it.
pub fn asked(when: Option<&Predicate>, context: &Context<'_>) -> bool {
    when.is_none_or(|when| operation::holds(when, context))
}

/// The text of the new pieces in the answer of a chunk route; a piece that is no text is told as JSON.
pub fn pieces(items: &Selector, delta: &[Selector], view: &View<'_>) -> String {
    let each = view.all(items).into_iter().filter_map(|item| {
        if delta.is_empty() {
            return reduce::text(&item).or_else(|| (!item.is_null()).then(|| item.to_string()));
        }
        let exchange = Exchange { json: Ok(item), ..view.exchange.clone() };
        View { exchange: &exchange, ..*view }.first_text(delta)
    });
    each.collect()
}

/// Judges an event. That a job has *succeeded* only the declared end says: the states of an answer that comes whole would take the
/// first event of every stream for it.
pub fn hear(http: &HttpProtocol, stream: &Stream, view: &View<'_>) -> Heard {
    match decide::decide(http, view) {
        verdict @ (Verdict::Failed { .. } | Verdict::Canceled | Verdict::Lost) => {
            return Heard::Ended(verdict);
        }
        Verdict::Succeeded
        | Verdict::Pending(_)
        | Verdict::Refused(_)
        | Verdict::Undecided
        | Verdict::Unknown { .. } => {}
    }
    if let Some(error) = view.first(stream.error) {
        return Heard::Ended(in_band(http, view, reduce::text(&error)));
    }
    let delta = view.first_text(stream.delta).filter(|text| !text.is_empty());
    if stream.done.as_ref().is_some_and(|done| predicate::holds(done, view)) {
        Heard::Done { delta }
    } else {
        Heard::More { delta }
    }
}

/// An error inside a stream whose code said success. A rule of the states may give it a class; without one it is the service's.
fn in_band(http: &HttpProtocol, view: &View<'_>, text: Option<String>) -> Verdict {
    let kind = FailureKind::Service;
    let mut error = JobError::new(ErrorCode::from(kind), "the service broke its stream off with an error");
    error.retriable = kind.retriable();
    error.detail = text;
    Verdict::Failed { kind, error: decide::described(http, view, error) }
}
