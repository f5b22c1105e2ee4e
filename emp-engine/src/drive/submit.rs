//! Phase `prepared`: admission, intent, send, judge. The intent is durable before the first byte leaves.

use std::sync::Arc;

use emp_core::error::{Billed, FailureKind};
use emp_core::job::{Intent, Phase, ServiceJob};
use emp_core::spec::{HttpProtocol, Settle, Submit};
use emp_core::{ErrorCode, JobError};

use super::batch;
use super::fate::{self, Fate};
use crate::decide::{self, Refusal, Verdict};
use crate::engine::Engine;
use crate::exchange::Exchange;
use crate::gateway::GatewayError;
use crate::key;
use crate::kill::{self, Point};
use crate::limits::{Held, Service, Trip};
use crate::outcome;
use crate::pace;
use crate::port::Stop;
use crate::request::{self, OutboundRequest};
use crate::run::{End, Next, Run};
use crate::stream;

/// Whether a submit is the first of its attempt, or the same once more under its settle rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sending {
    First,
    Again,
}

impl Engine {
    /// Submits a job of which nothing was sent.
    pub(crate) async fn submit(
        &self,
        run: &mut Run,
        service: &Arc<Service>,
        http: &'static HttpProtocol,
    ) -> Next {
        let submit = run.submit_of(http);
        let request = match self.made(run, service, http, submit).await {
            Ok(request) => request,
            Err(next) => {
                // Whoever waits holds no place, and a probe that sent no submit has told nothing.
                if run.place.take().is_some() {
                    service.breaker.withdraw();
                }
                return next;
            }
        };
        if run.place.is_none() {
            match service.admit() {
                Ok(place) => run.place = Some(place),
                Err(Held { after, reason }) => return Next::End(End::GiveBack { reason, after }),
            }
        }
        let spec = run.connector.spec;
        let intent = Intent {
            connector: spec.name.to_owned(),
            fingerprint: spec.fingerprint,
            key: run.key(),
            digest: key::digest(&request),
            prepared: run.steps.values.clone(),
            at: run.port.now(),
        };
        if let Err(stop) = run.port.intent(intent.clone()).await {
            service.breaker.withdraw();
            return Next::Stopped(stop);
        }
        run.job.attempt = run.job.attempt.saturating_add(1);
        run.job.phase = Some(Phase::Submitting);
        run.job.intent = Some(intent);
        if let Some(stop) = run.port.stop() {
            service.breaker.withdraw();
            if stop != Stop::Fenced
                && let Err(stop) = withdraw(run, "a stop came before the submit").await
            {
                return Next::Stopped(stop);
            }
            return Next::Stopped(stop);
        }
        self.send_submit(run, service, http, &request, Sending::First).await
    }

    /// The submit's request, after everything that it is made of: prepare steps and assets.
    async fn made(
        &self,
        run: &mut Run,
        service: &Arc<Service>,
        http: &HttpProtocol,
        submit: &Submit,
    ) -> Result<OutboundRequest, Next> {
        self.prepare(run, service, http).await?;
        kill::come_to(Point::Prepared);
        let assets = match self.assets(run, &submit.request, None).await {
            Ok(assets) => assets,
            Err(blocked) => return Err(self.blocked(run, blocked)),
        };
        run.with_parts(&assets, None, |context| request::submit(http, submit, context))
            .map_err(|error| Next::End(End::Failed(error)))
    }

    /// Sends a submit whose intent is durable. Not to be dropped before its end: bytes that left cannot be taken back.
    pub(super) async fn send_submit(
        &self,
        run: &mut Run,
        service: &Arc<Service>,
        http: &'static HttpProtocol,
        request: &OutboundRequest,
        sending: Sending,
    ) -> Next {
        run.memory.sent_at = Some(run.port.now());
        if let Some(stream) = run.with_context(None, |context| stream::wanted(http, context)) {
            return self.send_streamed(run, service, http, stream, request, sending).await;
        }
        match self.await_answer(run, service, http, request).await {
            Ok(answer) => self.judge_submit(run, service, http, answer, sending).await,
            Err(stop) => Next::Stopped(stop),
        }
    }

    /// What becomes of a submit by its answer, or for want of one.
    pub(super) async fn judge_submit(
        &self,
        run: &mut Run,
        service: &Arc<Service>,
        http: &'static HttpProtocol,
        answer: Result<Exchange, GatewayError>,
        sending: Sending,
    ) -> Next {
        kill::come_to(Point::Answered);
        let (fate, exchange) = match answer {
            Ok(exchange) => {
                let submit = run.submit_of(http);
                let fate = run.view(&exchange, run.port.now(), |view| fate::of_answer(http, submit, view));
                match (&fate, exchange.code) {
                    (Fate::Unknown { .. }, 500..) => drop(service.breaker.fault(Trip::Faults)),
                    _ => service.breaker.success(),
                }
                (fate, Some(exchange))
            }
            Err(error) => (fate::of_error(error), None),
        };
        match (fate, exchange) {
            (Fate::Accepted, Some(exchange)) => {
                service.took();
                self.accepted(run, service, http, &exchange).await
            }
            (Fate::Accepted, None) => self.lost(run, http, uncertain("no answer"), None),
            (Fate::NotSent(error), _) => self.not_sent(run, service, http, error, sending).await,
            (Fate::Refused { refusal, free }, _) => {
                self.refused(run, service, http, refusal, free, sending).await
            }
            (Fate::Unknown { error, wait }, _) => self.lost(run, http, error, wait),
        }
    }

    async fn not_sent(
        &self,
        run: &mut Run,
        service: &Service,
        http: &HttpProtocol,
        error: JobError,
        sending: Sending,
    ) -> Next {
        let faults = service.breaker.fault(Trip::Faults);
        if sending == Sending::Again {
            // This one did not leave, but the one before may have been accepted.
            return self.lost(run, http, uncertain(&error.message), None);
        }
        let reason = service.scrubber.text(&error.to_string());
        if let Err(stop) = withdraw(run, &reason).await {
            return Next::Stopped(stop);
        }
        let after = pace::backoff(faults, pace::LONGEST_BACKOFF, self.random());
        Next::End(End::GiveBack { reason, after })
    }

    async fn refused(
        &self,
        run: &mut Run,
        service: &Service,
        http: &HttpProtocol,
        mut refusal: Refusal,
        free: bool,
        sending: Sending,
    ) -> Next {
        match refusal.kind {
            FailureKind::Auth => service.breaker.trip(Trip::Auth),
            FailureKind::Billing => service.breaker.trip(Trip::Billing),
            FailureKind::RateLimited => refusal.wait = Some(service.throttled(refusal.wait, self.random())),
            _ => {}
        }
        // The first send is under way there still (F29); its key brings the answer as soon as there is one.
        let in_flight = refusal.code == 409 && matches!(http.submit.settle, Settle::Idempotent { .. });
        if sending == Sending::Again && in_flight {
            return self.lost(run, http, uncertain(&refusal.error.message), refusal.wait);
        }
        let invalid = matches!(refusal.kind, FailureKind::InvalidInput | FailureKind::Moderated);
        let settle = &run.submit_of(http).settle;
        let assigned = matches!(settle, Settle::AssignId { .. });
        let settled = matches!(settle, Settle::AtLeastOnce) || (invalid && !assigned);
        if sending == Sending::Again && !settled {
            // A refusal of the second send says nothing of the first; that our id is taken says that it was accepted.
            if refusal.kind.retriable() || invalid {
                return self.lost(run, http, uncertain(&refusal.error.message), refusal.wait);
            }
            return Next::End(End::Uncertain(as_uncertain(refusal.error)));
        }
        if sending == Sending::Again {
            refusal.error = refusal.error.billed(Billed::Maybe);
        }
        if free {
            let reason = service.scrubber.text(&refusal.error.to_string());
            if let Err(stop) = withdraw(run, &reason).await {
                return Next::Stopped(stop);
            }
            let backoff = pace::backoff(1, pace::LONGEST_BACKOFF, self.random());
            return Next::End(End::GiveBack { reason, after: refusal.wait.unwrap_or(backoff) });
        }
        match (self.retry_or_fail(run, refusal.error), refusal.wait) {
            (Next::End(End::Retry { error, after }), Some(wait)) => {
                Next::End(End::Retry { error, after: after.max(wait) })
            }
            (next, _) => next,
        }
    }

    async fn accepted(
        &self,
        run: &mut Run,
        service: &Arc<Service>,
        http: &'static HttpProtocol,
        exchange: &Exchange,
    ) -> Next {
        let now = run.port.now();
        if run.poll_of(http).is_none() {
            return self.answered(run, service, http, exchange).await;
        }
        let feeds_poll = run.submit_of(http).feeds_poll;
        let verdict = feeds_poll.then(|| run.view(exchange, now, |view| decide::decide(http, view)));
        let Some(service_job) = service_job(run, http, exchange) else {
            // A final word needs no id.
            if let Some(verdict @ (Verdict::Succeeded | Verdict::Failed { .. } | Verdict::Canceled)) = verdict
            {
                return self.follow(run, service, http, verdict, exchange).await.paid();
            }
            let error = JobError::new(
                ErrorCode::ESubmitNoId,
                "the service accepted the submit, but its answer has no id",
            )
            .billed(Billed::Maybe)
            .detail(decide::excerpt(&exchange.text));
            return self.lost(run, http, error, None);
        };
        if let Err(stop) = self.adopt(run, service_job).await {
            return Next::Stopped(stop);
        }
        match verdict {
            None | Some(Verdict::Unknown { .. } | Verdict::Refused(_) | Verdict::Undecided) => {
                self.first_wait(run)
            }
            Some(verdict) => self.follow(run, service, http, verdict, exchange).await,
        }
    }

    /// `mode = sync`: the submit's answer is the end.
    async fn answered(
        &self,
        run: &mut Run,
        service: &Arc<Service>,
        http: &'static HttpProtocol,
        exchange: &Exchange,
    ) -> Next {
        let now = run.port.now();
        let verdict = if http.states.rules.is_empty() && http.states.at.is_empty() {
            Verdict::Succeeded
        } else {
            run.view(exchange, now, |view| decide::decide(http, view))
        };
        match verdict {
            Verdict::Pending(_)
            | Verdict::Unknown { .. }
            | Verdict::Refused(_)
            | Verdict::Undecided
            | Verdict::Lost => {
                let message = "the service answered without a final status, and there is nothing to poll";
                let error = JobError::new(ErrorCode::EUnknownStatus, message);
                let error = run.view(exchange, now, |view| decide::described(http, view, error));
                Next::End(End::Failed(error)).paid()
            }
            verdict => self.follow(run, service, http, verdict, exchange).await.paid(),
        }
    }

    /// Stores the service job; from here on the job is only polled.
    pub(super) async fn adopt(&self, run: &mut Run, service_job: ServiceJob) -> Result<(), Stop> {
        run.port.submitted(service_job.clone()).await?;
        run.job.service_job = Some(service_job);
        run.job.phase = Some(Phase::Submitted);
        run.memory = crate::memory::Memory::default();
        if let (Some(service), Some(http)) = (run.service.clone(), run.connector.spec.http()) {
            batch::sit(run, &service, http);
        }
        Ok(())
    }
}

/// The service job that a submit's answer names.
fn service_job(run: &Run, http: &HttpProtocol, exchange: &Exchange) -> Option<ServiceJob> {
    let now = run.port.now();
    let submit = run.submit_of(http);
    let declared = submit.capture;
    let mut captured = run.view(exchange, now, |view| outcome::captured(declared, view));
    let id = if declared.iter().any(|capture| capture.name == "id") {
        captured.remove("id").as_ref().and_then(outcome::id)
    } else {
        // Named by its URL alone.
        declared.first().and_then(|first| captured.get(first.name)).and_then(outcome::id)
    };
    let assigned = || matches!(submit.settle, Settle::AssignId { .. }).then(|| run.key());
    Some(ServiceJob {
        id: id.or_else(assigned)?,
        captured,
        connector: run.connector.spec.name.to_owned(),
        fingerprint: run.connector.spec.fingerprint,
        submitted_at: now,
    })
}

/// Takes the intent back: nothing was accepted.
async fn withdraw(run: &mut Run, reason: &str) -> Result<(), Stop> {
    run.port.not_sent(reason).await?;
    run.job.phase = Some(Phase::Prepared);
    run.job.intent = None;
    run.job.attempt = run.job.attempt.saturating_sub(1);
    Ok(())
}

pub(super) fn uncertain(why: &str) -> JobError {
    JobError::new(ErrorCode::ESubmitUncertain, format!("a submit may have been accepted: {why}"))
        .billed(Billed::Maybe)
}

pub(super) fn as_uncertain(error: JobError) -> JobError {
    let code = if error.code == ErrorCode::ESubmitNoId { error.code } else { ErrorCode::ESubmitUncertain };
    JobError { code, retriable: false, billed: Billed::Maybe, ..error }
}
