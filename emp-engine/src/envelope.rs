//! Envelopes: an answer with a 2xx code that says inside that it is a refusal.
//!
//! A refusal in an envelope is as certain as one by its code: the service says in so many words that it took nothing. That holds
//! only of an envelope that is there. A page of HTML, a body that broke off or `{}` is no envelope, and says nothing of what
//! became of a submit.

use emp_core::JobError;
use emp_core::spec::{Envelope, HttpProtocol};
use emp_syntax::rule::FailureKind;

use crate::decide::{self, Refusal};
use crate::predicate;
use crate::select::View;

/// What an envelope says of an answer with a 2xx code.
#[derive(Clone, Debug, PartialEq)]
pub enum Letter {
    /// It means what its code says. Also where no envelope is declared, and for answers with other codes.
    Good,
    /// It refuses.
    Refused(Refusal),
    /// There is no envelope where one is declared.
    Missing,
}

/// Reads the envelope of an answer. An element of a list has none: its list had it.
pub fn read(http: &HttpProtocol, envelope: Option<&Envelope>, view: &View<'_>) -> Letter {
    let Some(envelope) = envelope.filter(|_| view.exchange.ok() && !view.exchange.listed) else {
        return Letter::Good;
    };
    if predicate::holds(&envelope.ok, view) {
        return Letter::Good;
    }
    if !envelope.ok.any(&mut |selector| view.get(selector).is_some()) {
        return Letter::Missing;
    }
    let class = decide::class(http, view);
    let kind = class.map_or(FailureKind::Service, |class| class.kind);
    let mut error = JobError::new(kind.into(), "the service refused in its envelope");
    error.retriable = kind.retriable();
    let error = decide::described_by(http, envelope.message, view, error);
    Letter::Refused(decide::refused(class, kind, error, view))
}
