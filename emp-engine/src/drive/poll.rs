//! Phase `submitted`: only polling is left. Whatever a poll meets, it never submits (P1) and never polls for ever (P24).

use std::sync::Arc;
use std::time::Duration;

use emp_core::error::{Billed, FailureKind};
use emp_core::job::UpstreamCancel;
use emp_core::spec::{BatchPoll, HttpProtocol, Poll};
use emp_core::{ErrorCode, JobError};

use tokio::time::sleep;

use super::ask::{Asked, Unasked};
use super::batch::{self, Told};
use super::waiting::left;
use crate::decide::{Refusal, Verdict};
use crate::engine::Engine;
use crate::gateway::{GatewayError, When};
use crate::kill::{self, Point};
use crate::limits::{Service, Trip};
use crate::pace::{self, Clock};
use crate::run::{End, Next, Run};

/// A service job is lost after so many answers in a row that do not know it …
const MISSES: u32 = 3;
/// … over at least this long: a service may be slow to show what it accepted (F37).
const MISSING_FOR: Duration = Duration::from_secs(30);
/// Answers without a status end a job after `max_unknown` in a row and at least this long: a deployment of the service passes (P24).
const UNKNOWN_FOR: Duration = Duration::from_mins(2);

/// For the last look at a job whose phase took too long.
const LAST_LOOK: Duration = Duration::from_secs(10);

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
        // The state that a phase's clock is about may have passed by now: one last look before it is called late.
        let (left, overdue) = match left(run) {
            Ok(left) => (left, None),
            Err(Clock::Total) => return self.too_late(run, service, http, Clock::Total).await,
            Err(clock) => (LAST_LOOK, Some(clock)),
        };
        let Some(next) = self.poll_within(run, service, http, poll, left).await else {
            return self.too_late(run, service, http, overdue.unwrap_or(Clock::Total)).await;
        };
        match (next, overdue, self::left(run)) {
            (Next::Wait(_), Some(_), Err(clock)) => self.too_late(run, service, http, clock).await,
            (next, _, _) => next,
        }
    }

    /// Asks after the job once, together with others where that is worth it; `None` when the time is up.
    async fn poll_within(
        &self,
        run: &mut Run,
        service: &Arc<Service>,
        http: &'static HttpProtocol,
        poll: &'static Poll,
        left: Duration,
    ) -> Option<Next> {
        if let Some(next) = self.by_call(run, service, http, poll).await {
            return Some(next);
        }
        if let Some(wait) = service.poll_wait() {
            return Some(Next::Wait(wait.min(left)));
        }
        let began = run.port.now();
        if let Some(batch) = &http.batch_poll
            && let Some(next) = self.poll_in_batch(run, service, http, batch, left).await
        {
            return Some(next);
        }
        // The batch that told nothing of this job has taken its time.
        let left = left.checked_sub(run.port.now().since(began)).filter(|left| !left.is_zero())?;
        let (sent, mut memory) = (run.port.now(), run.memory.clone());
        kill::come_to(Point::Polling);
        let asked = tokio::select! {
            asked = self.ask_after(run, &mut memory, service, http, poll, None) => asked,
            stop = run.port.stopped() => return Some(Next::Stopped(stop)),
            // A service that is slow to answer does not move the deadline.
            () = sleep(left) => return None,
        };
        kill::come_to(Point::Polled);
        run.memory = memory;
        let held = if poll.hold.is_some() { run.port.now().since(sent) } else { Duration::ZERO };
        run.memory.held = held;
        Some(match asked {
            Ok(Asked { exchange, verdict, .. }) => {
                if http.stream.is_some() && matches!(verdict, Verdict::Pending(_) | Verdict::Succeeded) {
                    self.fetch_chunks(run, service, http, verdict == Verdict::Succeeded).await;
                }
                self.follow(run, service, http, verdict, &exchange).await
            }
            Err(Unasked::Request(error)) => Next::End(End::Failed(error)),
            Err(Unasked::Fault(error)) => self.poll_fault(run, service, error),
            Err(Unasked::Refused(refusal)) if Unasked::concerns_all(&refusal) => {
                self.poll_refused(run, service, refusal)
            }
            Err(Unasked::Refused(refusal)) => self.poll_later(run, refusal.wait),
            Err(Unasked::Unreadable(problem)) => self.without_status(run, &problem),
            Err(Unasked::Another(id)) => self.about_another(run, &id),
        })
    }

    /// What a batch decides of the job; `None` when it is to be asked after alone.
    async fn poll_in_batch(
        &self,
        run: &mut Run,
        service: &Arc<Service>,
        http: &'static HttpProtocol,
        declared: &'static BatchPoll,
        left: Duration,
    ) -> Option<Next> {
        // A new owner of the job has no seat yet.
        batch::sit(run, service, http);
        if service.board.len() <= declared.worth_it_above {
            return None;
        }
        let mut seen = run.memory.batch;
        let told = tokio::select! {
            told = self.told_by_batch(run, &mut seen, service, http, declared) => told,
            stop = run.port.stopped() => return Some(Next::Stopped(stop)),
            // Its own poll, which comes next, has no time either.
            () = sleep(left) => return None,
        };
        run.memory.batch = seen;
        let element = match told {
            Told::Element(element) => element,
            Told::Wait(wait) => return Some(Next::Wait(wait.min(left))),
            Told::Nothing => return None,
        };
        let verdict = batch::decided(run, http, declared, &element)?;
        run.memory.note_presence(true, run.port.now());
        run.memory.held = Duration::ZERO;
        match self.follow(run, service, http, verdict, &element).await {
            Next::Wait(wait) => Some(Next::Wait(batch::aligned(wait, service, declared).min(left))),
            next => Some(next),
        }
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

    /// An answer without a known status (P24).
    pub(super) fn without_status(&self, run: &mut Run, what: &str) -> Next {
        let message =
            "the service kept answering without a declared status; its job may still be running there";
        self.says_nothing(run, JobError::new(ErrorCode::EUnknownStatus, message).detail(what))
    }

    /// An answer that repeats the id of another job says nothing of ours (F40).
    fn about_another(&self, run: &mut Run, id: &str) -> Next {
        let message = "the service kept answering about another job; ours may still be running there";
        let what = format!("the answers repeat the id `{id}`");
        self.says_nothing(run, JobError::new(ErrorCode::EIdMismatch, message).detail(what))
    }

    /// An answer that says nothing of the job. So many in a row and for so long are the end of it.
    fn says_nothing(&self, run: &mut Run, error: JobError) -> Next {
        let now = run.port.now();
        run.memory.unknown.note(now);
        let unknown = run.memory.unknown;
        if unknown.count >= run.connector.spec.pace.max_unknown.max(1) && unknown.lasted(now) >= UNKNOWN_FOR {
            return Next::End(End::Failed(error));
        }
        tracing::warn!(job = %run.job.id, connector = run.connector.spec.name, code = error.code.as_str(), "an answer that says nothing of the job");
        self.wait(run, None)
    }

    fn poll_later(&self, run: &mut Run, wait: Option<Duration>) -> Next {
        run.memory.poll_errors = run.memory.poll_errors.saturating_add(1);
        let backoff = pace::backoff(run.memory.poll_errors, pace::LONGEST_POLL_BACKOFF, self.random());
        Next::Wait(wait.unwrap_or(backoff).min(left(run).unwrap_or_default()))
    }

    async fn too_late(
        &self,
        run: &mut Run,
        service: &Arc<Service>,
        http: &'static HttpProtocol,
        clock: Clock,
    ) -> Next {
        // Whoever holds the claim next finds the deadline passed, and cancels then.
        if let Some(stop) = run.port.stop() {
            return Next::Stopped(stop);
        }
        // Done in time and not fetched in time is another thing than not done: there is nothing to cancel.
        if let Some(error) = run.memory.collecting.error.clone() {
            return Next::End(End::Failed(error));
        }
        let upstream = match self.cancel_upstream(run, service, http).await {
            UpstreamCancel::Confirmed => "it was cancelled at the service",
            UpstreamCancel::Unsupported => "the connector declares no way to cancel it at the service",
            _ => "a cancel at the service was tried and is not confirmed",
        };
        let what = match clock {
            Clock::Total => "the job did not end before its deadline",
            Clock::Queued => "the job waited too long in the service's queue (`deadline(queued = ..)`)",
            Clock::Running => "the job ran too long at the service (`deadline(running = ..)`)",
        };
        Next::End(End::Failed(JobError::new(ErrorCode::EDeadline, format!("{what}; {upstream}"))))
    }
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
