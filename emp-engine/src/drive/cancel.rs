//! A cancel at the service: tried, and then verified by asking until the service says that the job has ended (P15).
//!
//! It is sent for a wish of the user's and at the job's deadline, once, within a short time of its own. A worker whose claim is lost or in
//! doubt sends none: the job is another's by then.

use std::time::Duration;

use emp_core::Timestamp;
use emp_core::job::{Phase, ServiceJob, UpstreamCancel};
use emp_core::spec::{Cancel, CancelScope, CancelStage, HttpProtocol, RequestSpec, Settle};
use emp_syntax::rule::CodePattern;
use tokio::time::timeout;

use super::poll::is_final;
use crate::decide::Verdict;
use crate::engine::Engine;
use crate::limits::Service;
use crate::memory::Stage;
use crate::port::Stop;
use crate::run::Run;

/// Between two looks at a job that was cancelled.
const LOOK: Duration = Duration::from_millis(500);

/// How a job is found to be before it is cancelled.
enum Found {
    At(CancelStage),
    Ended(UpstreamCancel),
    Unclear,
}

impl Engine {
    pub(crate) async fn cancel_upstream(
        &self,
        run: &Run,
        service: &Service,
        http: &'static HttpProtocol,
    ) -> UpstreamCancel {
        if let Some(told) = run.cancelled {
            return told;
        }
        let assigned = matches!(run.submit_of(http).settle, Settle::AssignId { .. });
        let service_job = match (run.job.phase, &run.job.service_job) {
            (None | Some(Phase::Prepared), _) => return UpstreamCancel::NotNeeded,
            _ if run.port.stop() == Some(Stop::Fenced) => return UpstreamCancel::Unknown,
            (_, Some(service_job)) => service_job.clone(),
            // The id is ours, so that it can be cancelled without knowing whether it was accepted.
            (_, None) if assigned => ServiceJob {
                id: run.key(),
                captured: serde_json::Map::new(),
                connector: run.connector.spec.name.to_owned(),
                fingerprint: run.connector.spec.fingerprint,
                submitted_at: run.port.now(),
            },
            (_, None) => return UpstreamCancel::Unknown,
        };
        let Some(cancel) = &http.cancel else { return UpstreamCancel::Unsupported };
        let deadline = run.port.now().after(self.options.cancel_deadline);
        let request = match self.request_for(run, service, http, cancel, &service_job, deadline).await {
            Ok(Some(request)) => request,
            Ok(None) => return UpstreamCancel::Unsupported,
            Err(told) => return told,
        };
        match self.send_cancel(run, service, http, cancel, request, Some(&service_job), deadline).await {
            Some(told) => told,
            None => self.verify(run, service, http, &service_job, deadline).await,
        }
    }

    /// The request that fits the job's state. Where that matters the service is asked first: what was told last may have passed.
    async fn request_for(
        &self,
        run: &Run,
        service: &Service,
        http: &'static HttpProtocol,
        cancel: &'static Cancel,
        service_job: &ServiceJob,
        deadline: Timestamp,
    ) -> Result<Option<&'static RequestSpec>, UpstreamCancel> {
        let whole = cancel.scope != CancelScope::Job;
        if cancel.stages.is_empty() && !cancel.ask_first && !whole {
            return Ok(cancel.request.as_ref());
        }
        let stage = match self.look(run, service, http, service_job, deadline).await {
            Found::Ended(told) => return Err(told),
            Found::At(stage) => stage,
            // Not knowing, nothing is sent that could hit a result or another's job.
            Found::Unclear if cancel.ask_first || whole => return Err(UpstreamCancel::Unknown),
            Found::Unclear => stage_of(run.memory.stage),
        };
        // What stops whatever runs would stop another's job while ours waits.
        if whole && stage != CancelStage::Running {
            return Err(UpstreamCancel::Unknown);
        }
        Ok(cancel.at(stage))
    }

    async fn look(
        &self,
        run: &Run,
        service: &Service,
        http: &'static HttpProtocol,
        service_job: &ServiceJob,
        deadline: Timestamp,
    ) -> Found {
        match self.ask_once(run, service, http, service_job, deadline).await {
            Some(Verdict::Pending(stage)) => Found::At(stage_of(stage)),
            Some(verdict) => ended(&verdict).map_or(Found::Unclear, Found::Ended),
            None => Found::Unclear,
        }
    }

    /// Sends a cancel. What is certain at once is told; `None` when the job must be looked at.
    #[allow(
        clippy::too_many_arguments,
        reason = "the parts of one exchange, and nothing that belongs together"
    )]
    async fn send_cancel(
        &self,
        run: &Run,
        service: &Service,
        http: &'static HttpProtocol,
        cancel: &Cancel,
        request: &RequestSpec,
        service_job: Option<&ServiceJob>,
        deadline: Timestamp,
    ) -> Option<UpstreamCancel> {
        let Ok(request) = run.request(request, service_job) else { return Some(UpstreamCancel::Unknown) };
        let answer = self.exchange(&request, &run.connector.spec.limits, service, http.follow);
        let Ok(Ok(exchange)) = timeout(deadline.since(run.port.now()), answer).await else {
            return Some(UpstreamCancel::Unknown);
        };
        let among = |codes: &[CodePattern]| codes.iter().any(|pattern| pattern.matches(exchange.code));
        if among(cancel.gone) {
            return Some(UpstreamCancel::Confirmed);
        }
        if among(cancel.too_late) {
            return Some(UpstreamCancel::Refused);
        }
        let ok = if cancel.ok.is_empty() { exchange.ok() } else { among(cancel.ok) };
        match exchange.code {
            _ if ok => None,
            400..=499 => Some(UpstreamCancel::Refused),
            _ => Some(UpstreamCancel::Unknown),
        }
    }

    /// Cancels a job whose submit is still open, for that is where the service works at it: by the declared request, or by
    /// nothing but closing the connection, which the caller does.
    pub(super) async fn cancel_open(
        &self,
        run: &Run,
        service: &Service,
        http: &'static HttpProtocol,
    ) -> UpstreamCancel {
        let Some(cancel) = &http.cancel else { return UpstreamCancel::Unsupported };
        // Where that is declared, a connection that closes is the cancel, as it is for a stream.
        let Some(request) = cancel.at(CancelStage::Running) else { return UpstreamCancel::Confirmed };
        let deadline = run.port.now().after(self.options.cancel_deadline);
        let sent = self.send_cancel(run, service, http, cancel, request, None, deadline).await;
        // There is no job to look at. The service took the wish, and its connection closes; a wish about whatever runs may have met
        // somebody else's.
        let ours = cancel.scope == CancelScope::Job;
        sent.unwrap_or(if ours { UpstreamCancel::Confirmed } else { UpstreamCancel::Unknown })
    }

    /// An answer of 200 to a cancel is a wish received. That the job has ended is seen at the job.
    async fn verify(
        &self,
        run: &Run,
        service: &Service,
        http: &'static HttpProtocol,
        service_job: &ServiceJob,
        deadline: Timestamp,
    ) -> UpstreamCancel {
        if run.poll_of(http).is_none() {
            return UpstreamCancel::Unknown;
        }
        loop {
            let verdict = self.ask_once(run, service, http, service_job, deadline).await;
            if let Some(told) = verdict.as_ref().and_then(ended) {
                return told;
            }
            if run.port.now().after(LOOK) >= deadline {
                return UpstreamCancel::Unknown;
            }
            run.port.sleep(LOOK).await;
        }
    }

    async fn ask_once(
        &self,
        run: &Run,
        service: &Service,
        http: &'static HttpProtocol,
        service_job: &ServiceJob,
        deadline: Timestamp,
    ) -> Option<Verdict> {
        let poll = run.poll_of(http)?;
        let mut memory = run.memory.clone();
        let asked = self.ask_after(run, &mut memory, service, http, poll, Some(service_job));
        let asked = timeout(deadline.since(run.port.now()), asked).await.ok()?.ok()?;
        // A job that is nowhere has ended, whatever a rule says of an empty answer.
        let nowhere =
            !asked.present && matches!(asked.verdict, Verdict::Pending(_) | Verdict::Unknown { .. });
        Some(if nowhere { Verdict::Lost } else { asked.verdict })
    }
}

fn stage_of(stage: Stage) -> CancelStage {
    match stage {
        Stage::Queued => CancelStage::Queued,
        Stage::Running => CancelStage::Running,
    }
}

/// What a verdict says of a job that is to be cancelled; `None` while it goes on.
fn ended(verdict: &Verdict) -> Option<UpstreamCancel> {
    match verdict {
        Verdict::Succeeded => Some(UpstreamCancel::Refused),
        verdict if is_final(verdict) => Some(UpstreamCancel::Confirmed),
        Verdict::Refused(refusal) if matches!(refusal.code, 404 | 410) => Some(UpstreamCancel::Confirmed),
        _ => None,
    }
}
