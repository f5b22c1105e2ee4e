//! From a verdict to what comes next: the same for a poll's answer and for a submit's.

use std::sync::Arc;
use std::time::Duration;

use emp_core::error::FailureKind;
use emp_core::job::Progress;
use emp_core::spec::HttpProtocol;
use emp_core::{ErrorCode, JobError};

use super::poll::lost;
use super::waiting;
use crate::advice;
use crate::decide::Verdict;
use crate::engine::Engine;
use crate::exchange::Exchange;
use crate::learn::Expectation;
use crate::limits::{Service, Trip};
use crate::memory::Streak;
use crate::outcome;
use crate::progress::Places;
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
                run.memory.note_stage(stage, waiting::submitted(run), now);
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
            Verdict::Succeeded => {
                let next = self.collect(run, service, http, exchange).await;
                if matches!(next, Next::End(End::Succeeded { .. })) {
                    waiting::learn(run);
                }
                next
            }
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
            // The poll asks every question that it takes, so this is the answer of something else.
            Verdict::Undecided => self.wait(run, None),
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

    /// Progress never falls, and is told only when there is some. Seconds left say when to ask again.
    fn progress(run: &mut Run, http: &HttpProtocol, exchange: &Exchange) {
        let Some(poll) = run.poll_of(http) else { return };
        let now = run.port.now();
        let told = run.view(exchange, now, |view| {
            let (told, so_far) = (Places::of(poll).read(view), outcome::so_far(&http.outcome, view));
            if so_far.is_none() {
                return told;
            }
            Some(Progress { so_far: so_far.map(Box::new), ..told.unwrap_or_default() })
        });
        let left = told.as_ref().and_then(|progress| progress.eta_secs);
        let age = now.since(waiting::submitted(run));
        run.memory.expected = left
            .and_then(|left| Duration::try_from_secs_f64(left).ok())
            .and_then(|left| Expectation::around(age, left));
        if let Some(progress) = told {
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
