//! Phase `submitted`: only polling is left. Whatever a poll meets, it never submits (P1) and never polls for ever (P24).

use std::sync::Arc;
use std::time::Duration;

use emp_core::error::{Billed, FailureKind};
use emp_core::job::UpstreamCancel;
use emp_core::spec::HttpProtocol;
use emp_core::{ErrorCode, JobError};

use tokio::time::sleep;

use crate::context;
use crate::decide::{self, Refusal, Verdict};
use crate::engine::Engine;
use crate::gateway::{GatewayError, When};
use crate::limits::{Service, Trip};
use crate::pace;
use crate::run::{End, Next, Run};

/// A service job is lost after so many answers in a row that do not know it …
const MISSES: u32 = 3;
/// … over at least this long: a service may be slow to show what it accepted (F37).
const MISSING_FOR: Duration = Duration::from_secs(30);
/// Answers without a status end a job after `max_unknown` in a row and at least this long: a deployment of the service passes (P24).
const UNKNOWN_FOR: Duration = Duration::from_mins(2);

impl Engine {
    /// Asks after the job once.
    pub(crate) async fn poll(
        &self,
        run: &mut Run,
        service: &Arc<Service>,
        http: &'static HttpProtocol,
    ) -> Next {
        let Some(poll) = run.poll_of(http) else {
            let message = "the connector that submitted this job could poll it, and this one cannot";
            return Next::End(End::Failed(JobError::new(ErrorCode::EInternal, message)));
        };
        let Some(left) = left(run) else {
            // Done in time and not fetched in time is another thing than not done: there is nothing to cancel.
            return match run.memory.collecting.error.clone() {
                Some(error) => Next::End(End::Failed(error)),
                None => self.too_late(run, service, http).await,
            };
        };
        if let Some(wait) = service.poll_wait() {
            return Next::Wait(wait.min(left));
        }
        let request = match run.request(&poll.request, None) {
            Ok(request) => request,
            Err(error) => return Next::End(End::Failed(error)),
        };
        let answer = tokio::select! {
            answer = self.exchange(&request, &run.connector.spec.limits, service, http.follow) => answer,
            stop = run.port.stopped() => return Next::Stopped(stop),
            // A service that is slow to answer does not move the deadline.
            () = sleep(left) => return self.too_late(run, service, http).await,
        };
        let exchange = match answer {
            Ok(exchange) => exchange,
            Err(error) => return self.poll_fault(run, service, error),
        };
        let now = run.port.now();
        let absent = exchange.code == 404 || (exchange.ok() && exchange.is_empty());
        run.memory.note_presence(!absent, now);
        let verdict = run.view(&exchange, now, |view| decide::decide(http, view));
        if http.stream.is_some() && matches!(verdict, Verdict::Pending(_) | Verdict::Succeeded) {
            self.fetch_chunks(run, service, http).await;
        }
        self.follow(run, service, http, verdict, &exchange).await
    }

    /// No answer: the job goes on, and so do the polls, ever slower.
    fn poll_fault(&self, run: &mut Run, service: &Service, error: GatewayError) -> Next {
        let final_word = error.when == When::Refused || error.code == ErrorCode::EResponseTooLarge;
        if error.code == ErrorCode::EAuth {
            service.breaker.trip(Trip::Auth);
        }
        if final_word {
            return Next::End(End::Failed(JobError {
                retriable: false,
                ..error.into_job_error(Billed::Yes)
            }));
        }
        if error.code == ErrorCode::EBadResponse {
            return self.without_status(run, &error.message);
        }
        if error.when == When::BeforeBytes {
            service.breaker.fault(Trip::Faults);
        }
        self.poll_later(run, None)
    }

    /// A refused poll says little of the job, unless it is about the credential, the money or the job's age.
    pub(super) fn poll_refused(&self, run: &mut Run, service: &Service, refusal: Refusal) -> Next {
        match refusal.kind {
            FailureKind::Auth | FailureKind::Billing => {
                let trip = if refusal.kind == FailureKind::Auth { Trip::Auth } else { Trip::Billing };
                service.breaker.trip(trip);
                Next::End(End::Failed(refusal.error))
            }
            FailureKind::Expired => Next::End(End::Failed(refusal.error)),
            FailureKind::RateLimited => {
                let wait = service.throttled(refusal.wait, self.random());
                self.poll_later(run, Some(wait))
            }
            _ if refusal.code == 404 && !refusal.declared => {
                let missing = run.memory.missing;
                if missing.count >= MISSES && missing.lasted(run.port.now()) >= MISSING_FOR {
                    return Next::End(End::Failed(lost()));
                }
                self.wait(run, None)
            }
            _ => self.poll_later(run, refusal.wait),
        }
    }

    /// An answer without a known status, so many in a row and for so long (P24).
    pub(super) fn without_status(&self, run: &mut Run, what: &str) -> Next {
        let now = run.port.now();
        run.memory.unknown.note(now);
        let unknown = run.memory.unknown;
        if unknown.count >= run.connector.spec.pace.max_unknown.max(1) && unknown.lasted(now) >= UNKNOWN_FOR {
            let message =
                "the service kept answering without a declared status; its job may still be running there";
            let error = JobError::new(ErrorCode::EUnknownStatus, message).detail(what);
            return Next::End(End::Failed(error));
        }
        tracing::warn!(job = %run.job.id, connector = run.connector.spec.name, "an answer without a declared status");
        self.wait(run, None)
    }

    /// The next poll by the declared pace.
    pub(super) fn wait(&self, run: &mut Run, advice: Option<Duration>) -> Next {
        let pace = &run.connector.spec.pace;
        let wait = pace::next(pace, run.memory.wait, run.memory.stage, advice, self.random());
        run.memory.wait = Some(if advice.is_some() { run.memory.wait.unwrap_or(pace.first) } else { wait });
        Next::Wait(wait.min(left(run).unwrap_or_default()))
    }

    fn poll_later(&self, run: &mut Run, wait: Option<Duration>) -> Next {
        run.memory.poll_errors = run.memory.poll_errors.saturating_add(1);
        let backoff = pace::backoff(run.memory.poll_errors, pace::LONGEST_POLL_BACKOFF, self.random());
        Next::Wait(wait.unwrap_or(backoff).min(left(run).unwrap_or_default()))
    }

    async fn too_late(&self, run: &mut Run, service: &Arc<Service>, http: &'static HttpProtocol) -> Next {
        // Whoever holds the claim next finds the deadline passed, and cancels then.
        if let Some(stop) = run.port.stop() {
            return Next::Stopped(stop);
        }
        let upstream = match self.cancel_upstream(run, service, http).await {
            UpstreamCancel::Confirmed => "it was cancelled at the service",
            UpstreamCancel::Unsupported => "the connector declares no way to cancel it at the service",
            _ => "a cancel at the service was tried and is not confirmed",
        };
        let message = format!("the job did not end before its deadline; {upstream}");
        Next::End(End::Failed(JobError::new(ErrorCode::EDeadline, message)))
    }
}

/// What is left until the deadline; `None` when it has passed.
pub(super) fn left(run: &Run) -> Option<Duration> {
    let deadline = context::duration(&run.connector.spec.pace.deadline, &run.connector);
    let submitted = run.job.service_job.as_ref().map(|job| job.submitted_at)?;
    deadline.checked_sub(run.port.now().since(submitted)).filter(|left| !left.is_zero())
}

/// The service does not know the job any more.
pub(super) fn lost() -> JobError {
    let message = "the service does not know the job any more; it is not submitted again by itself";
    JobError::new(ErrorCode::EServiceJobLost, message)
}

/// The verdicts that end a service job.
pub(super) fn is_final(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Succeeded | Verdict::Canceled | Verdict::Lost | Verdict::Failed { .. })
}
