//! A cancel at the service: tried, and then verified by asking until the service says that the job has ended (P15).

use std::time::Duration;

use emp_core::Timestamp;
use emp_core::job::{Phase, ServiceJob, UpstreamCancel};
use emp_core::spec::{HttpProtocol, Settle};
use emp_syntax::rule::CodePattern;
use tokio::time::timeout;

use super::poll::is_final;
use crate::decide::{self, Verdict};
use crate::engine::Engine;
use crate::limits::Service;
use crate::run::Run;
use crate::select::View;

/// Between two looks at a job that was cancelled.
const LOOK: Duration = Duration::from_millis(500);

impl Engine {
    pub(crate) async fn cancel_upstream(
        &self,
        run: &Run,
        service: &Service,
        http: &'static HttpProtocol,
    ) -> UpstreamCancel {
        let assigned = matches!(run.submit_of(http).settle, Settle::AssignId { .. });
        let service_job = match (run.job.phase, &run.job.service_job) {
            (None | Some(Phase::Prepared), _) => return UpstreamCancel::NotNeeded,
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
        let Ok(request) = run.request(&cancel.request, Some(&service_job)) else {
            return UpstreamCancel::Unknown;
        };
        let deadline = run.port.now().after(self.options.cancel_deadline);
        let answer = self.exchange(&request, &run.connector.spec.limits, service, http.follow);
        let Ok(Ok(exchange)) = timeout(self.options.cancel_deadline, answer).await else {
            return UpstreamCancel::Unknown;
        };
        let among = |codes: &[CodePattern]| codes.iter().any(|pattern| pattern.matches(exchange.code));
        if among(cancel.gone) {
            return UpstreamCancel::Confirmed;
        }
        if among(cancel.too_late) {
            return UpstreamCancel::Refused;
        }
        let ok = if cancel.ok.is_empty() { exchange.ok() } else { among(cancel.ok) };
        match exchange.code {
            _ if ok => self.verify(run, service, http, &service_job, deadline).await,
            400..=499 => UpstreamCancel::Refused,
            _ => UpstreamCancel::Unknown,
        }
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
        let Some(poll) = run.poll_of(http) else { return UpstreamCancel::Unknown };
        let Ok(request) = run.request(&poll.request, Some(service_job)) else {
            return UpstreamCancel::Unknown;
        };
        loop {
            let answer = self.exchange(&request, &run.connector.spec.limits, service, http.follow);
            let left = deadline.since(run.port.now());
            let Ok(answer) = timeout(left, answer).await else { return UpstreamCancel::Unknown };
            if let Ok(exchange) = answer {
                let verdict = run.with_context(Some(service_job), |context| {
                    let now = run.port.now();
                    decide::decide(http, &View { exchange: &exchange, context, memory: &run.memory, now })
                });
                match verdict {
                    Verdict::Succeeded => return UpstreamCancel::Refused,
                    verdict if is_final(&verdict) => return UpstreamCancel::Confirmed,
                    Verdict::Refused(refusal) if matches!(refusal.code, 404 | 410) => {
                        return UpstreamCancel::Confirmed;
                    }
                    _ => {}
                }
            }
            if run.port.now().after(LOOK) >= deadline {
                return UpstreamCancel::Unknown;
            }
            run.port.sleep(LOOK).await;
        }
    }
}
