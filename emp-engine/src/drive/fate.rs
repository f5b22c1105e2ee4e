//! What became of a submit, sorted by when it went wrong (P4). Pure.

use std::time::Duration;

use emp_core::error::{Billed, FailureKind};
use emp_core::spec::{HttpProtocol, Settle, Submit};
use emp_core::{ErrorCode, JobError};

use crate::decide::{self, Refusal};
use crate::envelope::{self, Letter};
use crate::gateway::{GatewayError, When};
use crate::select::View;

/// What became of a submit.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Fate {
    /// The service took it.
    Accepted,
    /// No byte left.
    NotSent(JobError),
    /// The service, or we, refused it for certain: nothing was accepted.
    Refused {
        refusal: Refusal,
        /// It does not count as an attempt.
        free: bool,
    },
    /// Bytes left, and nobody can tell.
    Unknown {
        error: JobError,
        /// For how long the service wants to be left alone.
        wait: Option<Duration>,
    },
}

/// The fate of a submit that was answered.
pub(super) fn of_answer(http: &HttpProtocol, submit: &Submit, view: &View<'_>) -> Fate {
    let code = view.exchange.code;
    let accepted = if submit.accept.is_empty() {
        view.exchange.ok()
    } else {
        submit.accept.iter().any(|pattern| pattern.matches(code))
    };
    let unknown = |message: String| Fate::Unknown {
        error: decide::described(
            http,
            view,
            JobError::new(ErrorCode::ESubmitUncertain, message).billed(Billed::Maybe),
        ),
        wait: decide::refusal(http, view).wait,
    };
    if accepted {
        return match envelope::read(http, submit.envelope.as_ref(), view) {
            Letter::Good => Fate::Accepted,
            // What broke there may have broken after it was accepted, in an envelope as under a code of its own.
            Letter::Refused(refusal)
                if matches!(refusal.kind, FailureKind::Transient | FailureKind::Timeout) =>
            {
                unknown("the envelope of the answer to the submit says that something broke".to_owned())
            }
            // The service says in so many words that it took nothing.
            Letter::Refused(refusal) => {
                let free = refusal.kind == FailureKind::RateLimited;
                Fate::Refused { refusal, free }
            }
            Letter::Missing => unknown("the answer to the submit is not in the declared envelope".to_owned()),
        };
    }
    let refusal = || decide::refusal(http, view);
    let keyed = matches!(submit.settle, Settle::Idempotent { .. });
    match code {
        301 | 302 | 307 | 308 => {
            let mut refusal = refusal();
            refusal.error = JobError::new(
                ErrorCode::EServiceRejected,
                format!(
                    "the service answered {code}: a submit is not sent on to another place; correct the URL"
                ),
            );
            Fate::Refused { refusal, free: false }
        }
        // The service gave up reading, or is still at work on the same key: it may yet accept what it has.
        408 => unknown("the service answered 408 to the submit".to_owned()),
        409 if keyed && !refusal().declared => {
            unknown("the service is still at work on the same key".to_owned())
        }
        400..=499 => {
            let refusal = refusal();
            // Too many requests are no attempt, unless the service says that there is no sense in another.
            let free = refusal.kind == FailureKind::RateLimited && refusal.error.retriable;
            Fate::Refused { refusal, free }
        }
        500..=599 if submit.rejects.iter().any(|pattern| pattern.matches(code)) => {
            Fate::Refused { refusal: refusal(), free: true }
        }
        _ => unknown(format!(
            "the service answered {code} to the submit, which does not say whether it was accepted"
        )),
    }
}

/// The fate of a submit that got no usable answer.
pub(super) fn of_error(error: GatewayError) -> Fate {
    match error.when {
        When::BeforeBytes => Fate::NotSent(error.into_job_error(Billed::No)),
        When::Refused => {
            let error = error.into_job_error(Billed::No);
            let kind = match error.code {
                ErrorCode::EAuth => FailureKind::Auth,
                _ => FailureKind::Bug,
            };
            Fate::Refused {
                refusal: Refusal { code: 0, kind, declared: false, wait: None, error },
                free: false,
            }
        }
        When::Unknown => {
            let message = format!("the submit's answer is lost ({}): {}", error.code, error.message);
            let error = JobError::new(ErrorCode::ESubmitUncertain, message).billed(Billed::Maybe);
            Fate::Unknown { error, wait: None }
        }
    }
}
