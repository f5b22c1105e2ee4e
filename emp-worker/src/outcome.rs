//! From the end of a run to the change of its job. Pure.

use std::time::Duration;

use emp_core::error::Billed;
use emp_core::job::Phase;
use emp_core::{ErrorCode, JobError};
use emp_engine::run::End;
use emp_store::store::{Change, Finish, Release};

/// What the store is told when a run ends.
pub(crate) fn of_end(end: End) -> Change {
    match end {
        End::Succeeded { result, meta } => Change::Finish(Finish::Succeeded { result, meta }),
        End::Failed(error) => Change::Finish(Finish::Failed(error)),
        End::Retry { error, after } => Change::Finish(Finish::Retry { error, after }),
        End::Uncertain(error) => Change::Finish(Finish::Uncertain(error)),
        End::Cancelled(upstream) => Change::Finish(Finish::Cancelled(upstream)),
        End::GiveBack { reason, after } => Change::Release(Release { after, reason }),
    }
}

/// What the store is told when the worker stops: the job goes to the next one, unless its paid result would be lost with this one.
pub(crate) fn of_hand_over(kept_out: Option<JobError>) -> Change {
    if let Some(error) = kept_out {
        return Change::Finish(Finish::Failed(error));
    }
    Change::Release(Release {
        after: Duration::ZERO,
        reason: "the worker stops and hands the job over".to_owned(),
    })
}

/// What the store is told when the connector's code panicked in a phase (F6). A submit that may have left is not settled by a
/// panic, so that job becomes uncertain instead of failing as if nothing had been paid.
pub(crate) fn of_panic(phase: Phase, place: &str) -> Change {
    let error =
        JobError::new(ErrorCode::EConnectorPanic, format!("the connector's code panicked at {place}"));
    Change::Finish(match phase {
        Phase::Prepared => Finish::Failed(error),
        Phase::Submitting => Finish::Uncertain(error.billed(Billed::Maybe)),
        Phase::Submitted => Finish::Failed(error.billed(Billed::Yes)),
    })
}

/// One word for the log.
pub(crate) fn word(change: &Change) -> &'static str {
    match change {
        Change::Finish(Finish::Succeeded { .. }) => "succeeded",
        Change::Finish(Finish::Failed(_)) => "failed",
        Change::Finish(Finish::Cancelled(_)) => "cancelled",
        Change::Finish(Finish::Uncertain(_)) => "uncertain",
        Change::Finish(Finish::Retry { .. }) => "waiting",
        Change::Release(_) => "released",
        Change::Renew
        | Change::Intent(_)
        | Change::NotSent { .. }
        | Change::Submitted(_)
        | Change::Progress(_)
        | Change::Delta(_) => "running",
    }
}

/// Why the job did not succeed, for the log.
pub(crate) fn error(change: &Change) -> Option<&JobError> {
    match change {
        Change::Finish(Finish::Failed(error) | Finish::Uncertain(error) | Finish::Retry { error, .. }) => {
            Some(error)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f06_a_panic_while_a_submit_may_have_left_is_uncertain_not_failed() {
        assert!(
            matches!(of_panic(Phase::Prepared, "x"), Change::Finish(Finish::Failed(error)) if error.billed == Billed::No)
        );
        assert!(
            matches!(of_panic(Phase::Submitting, "x"), Change::Finish(Finish::Uncertain(error)) if error.billed == Billed::Maybe)
        );
        assert!(
            matches!(of_panic(Phase::Submitted, "x"), Change::Finish(Finish::Failed(error)) if error.billed == Billed::Yes)
        );
    }

    #[test]
    fn p01_a_paid_result_that_is_only_here_is_not_handed_over_to_be_paid_again() {
        let error = JobError::new(ErrorCode::EOutput, "the disk is full").billed(Billed::Yes);
        assert!(
            matches!(of_hand_over(Some(error)), Change::Finish(Finish::Failed(error)) if error.billed == Billed::Yes)
        );
    }

    #[test]
    fn p11_a_hand_over_is_a_release_at_once() {
        assert!(matches!(of_hand_over(None), Change::Release(release) if release.after.is_zero()));
    }
}
