//! A proven call of the service that says what a poll's answer would: the job goes on by it, and is not asked after.

use std::sync::Arc;

use emp_core::spec::{CallBody, HttpProtocol, Poll, Webhook};
use http::HeaderMap;

use super::ask::{echo, judge, of_job};
use crate::decide::Verdict;
use crate::engine::Engine;
use crate::exchange::Exchange;
use crate::limits::Service;
use crate::run::{Next, Run};

impl Engine {
    /// What comes next by the last call; `None` when the job is to be asked after: there was none, it is not certain whose it is, or
    /// it does not tell.
    pub(super) async fn by_call(
        &self,
        run: &mut Run,
        service: &Arc<Service>,
        http: &'static HttpProtocol,
        poll: &'static Poll,
    ) -> Option<Next> {
        // Chunks are fetched beside a poll, so that a job which has them is polled to its end.
        let webhook = http
            .webhook
            .as_ref()
            .filter(|webhook| !matches!(webhook.body, CallBody::Hint) && http.stream.is_none())?;
        let call = match run.job.call.take() {
            Some(call) => call,
            None => run.port.call().await?,
        };
        let mut said = said(webhook, call.body?)?;
        service.scrubber.exchange(&mut said);
        let exchange = of_job(run, &run.memory, http, poll, None, said);
        let ours = run.job.service_job.as_ref().map(|job| job.id.as_str());
        if ours.is_none() || echo(run, &run.memory, poll, None, &exchange).as_deref() != ours {
            tracing::warn!(job = %run.job.id, "the service has called about another job of its own; the job is asked after");
            return None;
        }
        let verdict = judge(run, &run.memory, http, None, &exchange);
        match verdict {
            Verdict::Undecided | Verdict::Unknown { .. } | Verdict::Refused(_) => None,
            verdict => {
                tracing::debug!(job = %run.job.id, "the service's call tells");
                run.memory.held = std::time::Duration::ZERO;
                if !matches!(verdict, Verdict::Lost) {
                    run.memory.note_presence(true, run.port.now());
                }
                Some(self.follow(run, service, http, verdict, &exchange).await)
            }
        }
    }
}

/// What a call says, as an answer with the code 200.
fn said(webhook: &Webhook, body: String) -> Option<Exchange> {
    let whole = Exchange::of(200, HeaderMap::new(), body.into());
    match &webhook.body {
        CallBody::SameAsPoll => whole.json.is_ok().then_some(whole),
        CallBody::At(path) => {
            let part = path.first(whole.json.as_ref().ok()?)?;
            Some(Exchange::of(200, HeaderMap::new(), part.to_string().into()))
        }
        CallBody::Hint => None,
    }
}
