//! The drivers: what the engine does in each phase of a job. The judgement is in [`crate::decide`] and in `fate`; here are
//! the effects and their order.

use std::sync::Arc;
use std::time::Duration;

use emp_core::job::{Phase, ServiceJob};
use emp_core::spec::{HttpProtocol, Limits, Poll, RequestSpec, Submit};
use emp_core::{JobError, Timestamp};

use crate::asset::Assets;
use crate::context::{self, Context, Item};
use crate::engine::Engine;
use crate::exchange::Exchange;
use crate::gateway::{GatewayError, MAX_RESPONSE, Opened, Socket, Target};
use crate::key;
use crate::limits::Service;
use crate::operation;
use crate::pace;
use crate::request::{self, Origins, OutboundRequest};
use crate::run::{End, Next, Run};
use crate::select::View;

mod ask;
mod asset;
mod batch;
mod call;
mod cancel;
mod cleanup;
mod collect;
mod custom;
mod fate;
mod follow;
mod health;
mod open;
mod parts;
mod poll;
pub(crate) mod prepare;
mod settle;
mod side;
mod store;
mod streaming;
mod submit;
mod waiting;
mod watch;

pub(crate) use streaming::Teller;

impl Run {
    /// The key of the attempt under way, or of the one to come.
    fn key(&self) -> String {
        let attempt = context::current_attempt(&self.job);
        match (&self.job.phase, &self.job.intent) {
            (Some(Phase::Submitting | Phase::Submitted), Some(intent)) => intent.key.clone(),
            _ => key::derive(&self.job.id, attempt),
        }
    }

    /// Gives a declared request's bytes for this job as it stands, or with another service job than the stored one.
    fn request(
        &self,
        spec: &RequestSpec,
        service_job: Option<&ServiceJob>,
    ) -> Result<OutboundRequest, JobError> {
        let Some(http) = self.connector.spec.http() else {
            return Err(JobError::new(emp_core::ErrorCode::EInternal, "a custom connector has no requests"));
        };
        self.with_context(service_job, |context| request::request(http, spec, context))
    }

    /// How this job is submitted: by the main submit, or by the operation that its payload chooses.
    pub(crate) fn submit_of<'h>(&self, http: &'h HttpProtocol) -> &'h Submit {
        self.with_context(None, |context| operation::submit(http, context))
    }

    /// How this job is asked after; `None` when the submit's answer is its end.
    fn poll_of<'h>(&self, http: &'h HttpProtocol) -> Option<&'h Poll> {
        self.with_context(None, |context| operation::poll(http, context))
    }

    fn with_context<R>(&self, service_job: Option<&ServiceJob>, act: impl FnOnce(&Context<'_>) -> R) -> R {
        let key = self.key();
        let mut context = Context::of(&self.job, &self.connector, &key);
        context.webhook = self.webhook.as_deref();
        if service_job.is_some() {
            context.service_job = service_job;
        }
        // Without an intent, what this run has captured so far.
        context.prepared = context.prepared.or(Some(&self.steps.values));
        act(&context)
    }

    /// The context of one item of an `each(..)`.
    fn with_item<R>(&self, item: &serde_json::Value, act: impl FnOnce(&Context<'_>) -> R) -> R {
        self.with_context(None, |context| act(&Context { item: Some(item), ..*context }))
    }

    /// As [`with_context`](Self::with_context), with assets that were fetched and with the element of an `each` step.
    fn with_parts<R>(&self, assets: &Assets, item: Option<&Item>, act: impl FnOnce(&Context<'_>) -> R) -> R {
        let (item, item_place) = item.map_or((None, ""), |item| (Some(&item.value), item.place.as_str()));
        self.with_context(None, |context| act(&Context { item, item_place, assets, ..*context }))
    }

    /// Looks at an answer with all that is known of the job.
    fn view<R>(&self, exchange: &Exchange, now: Timestamp, act: impl FnOnce(&View<'_>) -> R) -> R {
        self.with_context(None, |context| act(&View { exchange, context, memory: &self.memory, now }))
    }
}

impl Engine {
    /// Sends one request of a job's and reads the answer. The connector's secrets are taken out of it here, before anything is cut
    /// out of it, stored or told.
    ///
    /// A token that is refused with 401 is made again, and the request is sent once more with the new one; a submit too, since whoever
    /// does not know us has accepted nothing.
    async fn exchange(
        &self,
        request: &OutboundRequest,
        run_limits: &Limits,
        service: &Service,
        origins: impl Into<Origins>,
    ) -> Result<Exchange, GatewayError> {
        let base = service.base.as_ref().map_err(|error| GatewayError::refused(error.message.clone()))?;
        let authorization = service.authorize(&self.gateway).await?;
        let mut target = Target {
            base,
            origins: origins.into(),
            credential: authorization.credential(),
            max_response: run_limits.max_response.unwrap_or(MAX_RESPONSE),
        };
        let mut answer = self.gateway.exchange(request, &target).await?;
        if answer.status == 401
            && let Some(renewed) = service.renew(&authorization, request.submit, &self.gateway).await
        {
            let renewed = renewed?;
            target.credential = renewed.credential();
            answer = self.gateway.exchange(request, &target).await?;
        }
        let mut exchange = Exchange::of(answer.status, answer.headers, answer.body);
        service.scrubber.exchange(&mut exchange);
        Ok(exchange)
    }

    /// Sends one request of a job's and reads the head of its answer, with the same care for the credential as [`exchange`](Self::exchange).
    async fn open(
        &self,
        request: &OutboundRequest,
        run_limits: &Limits,
        service: &Service,
        origins: impl Into<Origins>,
        head_within: Duration,
    ) -> Result<Opened, GatewayError> {
        let base = service.base.as_ref().map_err(|error| GatewayError::refused(error.message.clone()))?;
        let authorization = service.authorize(&self.gateway).await?;
        let mut target = Target {
            base,
            origins: origins.into(),
            credential: authorization.credential(),
            max_response: run_limits.max_response.unwrap_or(MAX_RESPONSE),
        };
        let opened = self.gateway.open(request, &target, head_within).await?;
        if opened.status() == 401
            && let Some(renewed) = service.renew(&authorization, request.submit, &self.gateway).await
        {
            let renewed = renewed?;
            target.credential = renewed.credential();
            return self.gateway.open(request, &target, head_within).await;
        }
        Ok(opened)
    }

    /// Opens a socket with the credential of the service.
    async fn open_socket(
        &self,
        request: &OutboundRequest,
        service: &Service,
        origins: impl Into<Origins>,
        idle: Duration,
    ) -> Result<Socket, GatewayError> {
        let base = service.base.as_ref().map_err(|error| GatewayError::refused(error.message.clone()))?;
        let authorization = service.authorize(&self.gateway).await?;
        let credential = authorization.credential();
        let target = Target { base, origins: origins.into(), credential, max_response: MAX_RESPONSE };
        self.gateway.socket(request, &target, self.options.gateway.patience.at_most(idle)).await
    }

    /// Another attempt after a while if the error allows it and there is one left, else the end.
    fn retry_or_fail(&self, run: &Run, error: JobError) -> Next {
        let job = &run.job;
        // Work that nothing is submitted for, of a custom connector, is counted by how often it was taken up.
        let taken_up = match (job.phase, &run.connector.custom) {
            (Some(Phase::Prepared) | None, Some(_)) => job.deliveries.saturating_sub(job.crashes),
            _ => 0,
        };
        let attempt = context::current_attempt(job).max(taken_up);
        let attempts = context::count(&run.connector.spec.limits.attempts, &run.connector).unwrap_or(1);
        if error.retriable && attempt < attempts {
            let after = pace::backoff(attempt, pace::LONGEST_BACKOFF, self.random());
            return Next::End(End::Retry { error, after });
        }
        Next::End(End::Failed(error))
    }

    /// Works on a job where its phase says.
    pub(crate) async fn run_declared(
        &self,
        run: &mut Run,
        service: &Arc<Service>,
        http: &'static HttpProtocol,
    ) -> Next {
        if let Some(answer) = run.held.take() {
            let next = self.collect(run, service, http, &answer).await;
            return streaming::with_facts(run, next).paid();
        }
        let phase = run.job.phase.unwrap_or(Phase::Prepared);
        if let Err(error) = &service.base {
            let error = error.clone();
            return Next::End(match phase {
                // The environment is at fault now; what the worker before has sent was sent all the same.
                Phase::Submitting => End::Uncertain(submit::as_uncertain(error)),
                Phase::Prepared | Phase::Submitted => End::Failed(error),
            });
        }
        // On the heap: what a step can come to is large, and one is held for each job at work.
        match phase {
            Phase::Prepared => Box::pin(self.submit(run, service, http)).await,
            Phase::Submitting => Box::pin(self.settle(run, service, http)).await,
            Phase::Submitted => match &http.websocket {
                Some(socket) if self.options.sockets => {
                    Box::pin(self.watch(run, service, http, socket)).await
                }
                _ => Box::pin(self.poll(run, service, http)).await,
            },
        }
    }
}
