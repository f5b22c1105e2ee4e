//! From a verdict to what comes next: the same for a poll's answer and for a submit's.

use std::sync::Arc;

use emp_core::error::FailureKind;
use emp_core::job::Progress;
use emp_core::spec::HttpProtocol;
use emp_core::{ErrorCode, JobError};

use super::poll::lost;
use crate::advice;
use crate::decide::Verdict;
use crate::engine::Engine;
use crate::exchange::Exchange;
use crate::limits::{Service, Trip};
use crate::memory::Streak;
use crate::outcome;
use crate::run::{End, Next, Run};

impl Engine {
    /// What a verdict means for the job.
    pub(super) async fn follow(
        &self,
        run: &mut Run,
        service: &Arc<Service>,
        http: &'static HttpProtocol,
        verdict: Verdict,
        exchange: &Exchange,
    ) -> Next {
        let now = run.port.now();
        match verdict {
            Verdict::Pending(stage) => {
                run.memory.stage = stage;
                service.took();
                run.memory.unknown = Streak::default();
                run.memory.poll_errors = 0;
                Self::progress(run, http, exchange);
                let pace = &run.connector.spec.pace;
                let advice = run.view(exchange, now, |view| {
                    advice::first(pace.advice, view).or_else(|| advice::retry_after(view))
                });
                self.wait(run, advice)
            }
            Verdict::Succeeded => self.collect(run, service, http, exchange).await,
            Verdict::Canceled => {
                let message = "the service says that the job was cancelled there";
                Next::End(End::Failed(JobError::new(ErrorCode::ECancelled, message)))
            }
            Verdict::Lost => Next::End(End::Failed(lost())),
            Verdict::Failed { kind, error } => {
                match kind {
                    FailureKind::Auth => service.breaker.trip(Trip::Auth),
                    FailureKind::Billing => service.breaker.trip(Trip::Billing),
                    _ => {}
                }
                self.retry_or_fail(run, error)
            }
            Verdict::Refused(refusal) => self.poll_refused(run, service, refusal),
            Verdict::Unknown { word } => {
                run.memory.poll_errors = 0;
                let what = match (word, &exchange.json) {
                    (Some(word), _) => format!("the status is `{word}`"),
                    (None, Ok(_)) => "no status where the connector looks for it".to_owned(),
                    (None, Err(problem)) => problem.clone(),
                };
                self.without_status(run, &what)
            }
        }
    }

    /// Progress never falls, and is told only when there is some.
    fn progress(run: &mut Run, http: &HttpProtocol, exchange: &Exchange) {
        let Some(poll) = run.poll_of(http) else { return };
        let now = run.port.now();
        if let Some(progress) = run.view(exchange, now, |view| outcome::progress(poll, view)) {
            run.tell(progress);
        }
    }
}

impl Run {
    /// Tells progress, which never falls.
    pub(super) fn tell(&mut self, mut progress: Progress) {
        self.memory.fraction = match (progress.fraction, self.memory.fraction) {
            (Some(new), Some(known)) => Some(new.max(known)),
            (new, known) => new.or(known),
        };
        progress.fraction = self.memory.fraction;
        self.port.progress(progress);
    }
}
