//! Phase `submitting`: a submit may have left and its answer is lost. The connector's settle rule says what then (P2).

use std::sync::Arc;
use std::time::Duration;

use emp_core::job::ServiceJob;
use emp_core::spec::{HttpProtocol, Lookup, Settle};
use emp_core::{JobError, Timestamp};
use serde_json::Value;

use super::ask::{Asked, Unasked};
use super::asset::Blocked;
use super::submit::{Sending, as_uncertain, uncertain};
use crate::context;
use crate::decide::Verdict;
use crate::engine::Engine;
use crate::key;
use crate::kill::{self, Point};
use crate::limits::Service;
use crate::list;
use crate::pace;
use crate::reduce;
use crate::request;
use crate::run::{End, Next, Run};
use crate::select::View;

/// Sends of one attempt that nobody answers: more of them will not be answered either.
const MOST_RESENDS: u32 = 5;

impl Engine {
    /// A submit's answer is lost: what the settle rule allows next.
    pub(super) fn lost(
        &self,
        run: &mut Run,
        http: &HttpProtocol,
        error: JobError,
        wait: Option<Duration>,
    ) -> Next {
        match &run.submit_of(http).settle {
            Settle::AtLeastOnce => self.retry_or_fail(run, JobError { retriable: true, ..error }),
            Settle::Idempotent { .. } | Settle::AssignId { .. } | Settle::Lookup(_) => {
                self.unsettled(run, wait)
            }
            _ => Next::End(End::Uncertain(as_uncertain(error))),
        }
    }

    /// Settles a submit whose answer is lost: a new owner of the job begins here.
    pub(crate) async fn settle(
        &self,
        run: &mut Run,
        service: &Arc<Service>,
        http: &'static HttpProtocol,
    ) -> Next {
        kill::come_to(Point::Settling);
        let now = run.port.now();
        let age = now.since(first_sent(run, now));
        if age > context::duration(&run.connector.spec.pace.deadline, &run.connector) {
            return Next::End(End::Uncertain(uncertain(
                "the job's deadline passed before it could be settled",
            )));
        }
        match &run.submit_of(http).settle {
            Settle::AtLeastOnce => self.resend(run, service, http).await,
            Settle::Idempotent { ttl, .. } if age < ttl.mul_f64(0.8) => self.resend(run, service, http).await,
            Settle::Idempotent { .. } => {
                Next::End(End::Uncertain(uncertain("the service has forgotten the submit's key by now")))
            }
            Settle::AssignId { absent_for, resend } => {
                self.look_for_ours(run, service, http, *absent_for, *resend).await
            }
            Settle::Lookup(lookup) => self.search(run, service, http, lookup).await,
            _ => Next::End(End::Uncertain(uncertain(
                "its answer is lost, and this connector never sends one twice",
            ))),
        }
    }

    /// The same bytes once more. Anything else than the same bytes would be another order.
    async fn resend(&self, run: &mut Run, service: &Arc<Service>, http: &'static HttpProtocol) -> Next {
        if run.memory.resends >= MOST_RESENDS {
            return Next::End(End::Uncertain(uncertain("it was sent again several times without an answer")));
        }
        let submit = run.submit_of(http);
        let assets = match self.assets(run, &submit.request, None).await {
            Ok(assets) => assets,
            Err(Blocked::Stop(stop)) => return Next::Stopped(stop),
            Err(Blocked::Later { wait, .. }) => return self.unsettled(run, wait),
            Err(Blocked::Never(error)) => return Next::End(End::Uncertain(as_uncertain(error))),
        };
        let made = run.with_parts(&assets, None, |context| request::submit(http, submit, context));
        let request = match made {
            Ok(request) => request,
            Err(error) => return Next::End(End::Uncertain(as_uncertain(error))),
        };
        let same = run.job.intent.as_ref().is_some_and(|intent| intent.digest == key::digest(&request));
        if !same && !matches!(submit.settle, Settle::AtLeastOnce) {
            let why = "the connector or what its assets' URLs give has changed since, so that the same request cannot be made again";
            return Next::End(End::Uncertain(uncertain(why)));
        }
        if let Some((after, _)) = service.paused() {
            return Next::Wait(after);
        }
        if let Some(stop) = run.port.stop() {
            return Next::Stopped(stop);
        }
        run.memory.resends += 1;
        self.send_submit(run, service, http, &request, Sending::Again).await
    }

    /// The id is ours: ask the service whether it knows it.
    async fn look_for_ours(
        &self,
        run: &mut Run,
        service: &Arc<Service>,
        http: &'static HttpProtocol,
        absent_for: Duration,
        resend: bool,
    ) -> Next {
        let Some(poll) = run.poll_of(http) else {
            return Next::End(End::Uncertain(uncertain("there is nothing to look it up by")));
        };
        let ours = service_job(run, run.key());
        let mut memory = run.memory.clone();
        let asked = tokio::select! {
            asked = self.ask_after(run, &mut memory, service, http, poll, Some(&ours)) => asked,
            stop = run.port.stopped() => return Next::Stopped(stop),
        };
        run.memory = memory;
        let Asked { exchange, verdict, present } = match asked {
            Ok(asked) => asked,
            Err(Unasked::Request(error)) => return Next::End(End::Uncertain(as_uncertain(error))),
            Err(Unasked::Refused(refusal)) => return self.unsettled(run, refusal.wait),
            Err(Unasked::Fault(_) | Unasked::Unreadable(_) | Unasked::Another(_)) => {
                return self.unsettled(run, None);
            }
        };
        let now = run.port.now();
        let absent = !present || exchange.code == 410;
        match verdict {
            verdict if absent || verdict == Verdict::Lost => {
                run.memory.note_presence(false, now);
                if run.memory.absent_for(now) < absent_for {
                    return self.unsettled(run, None);
                }
                if !resend {
                    let why = "the service does not know the id that we gave it; look there before you retry";
                    return Next::End(End::Uncertain(uncertain(why)));
                }
                run.memory.note_presence(true, now);
                self.resend(run, service, http).await
            }
            Verdict::Refused(refusal) => self.unsettled(run, refusal.wait),
            verdict => match self.adopt(run, ours).await {
                Ok(()) => self.follow(run, service, http, verdict, &exchange).await,
                Err(stop) => Next::Stopped(stop),
            },
        }
    }

    /// The service can be searched for our tag.
    async fn search(
        &self,
        run: &mut Run,
        service: &Arc<Service>,
        http: &'static HttpProtocol,
        lookup: &Lookup,
    ) -> Next {
        let request = match run.request(&lookup.request, None) {
            Ok(request) => request,
            Err(error) => return Next::End(End::Uncertain(as_uncertain(error))),
        };
        let exchange = tokio::select! {
            exchange = self.exchange(&request, &run.connector.spec.limits, service, http.follow) => exchange,
            stop = run.port.stopped() => return Next::Stopped(stop),
        };
        let Some(exchange) = exchange.ok().filter(|exchange| exchange.ok() && exchange.json.is_ok()) else {
            return self.unsettled(run, None);
        };
        let now = run.port.now();
        let Some(candidates) = run.view(&exchange, now, |view| list::elements(&lookup.items, view)) else {
            return self.unsettled(run, None);
        };
        match run.view(&exchange, now, |view| find(lookup, candidates, view)) {
            Some(id) => {
                let found = service_job(run, id);
                match self.adopt(run, found).await {
                    Ok(()) => self.first_wait(run),
                    Err(stop) => Next::Stopped(stop),
                }
            }
            None if now.since(*run.memory.sent_at.get_or_insert(now)) < lookup.wait => {
                self.unsettled(run, None)
            }
            None => self.resend(run, service, http).await,
        }
    }

    /// Nothing is settled yet: once more after a while.
    fn unsettled(&self, run: &mut Run, wait: Option<Duration>) -> Next {
        run.memory.unsettled = run.memory.unsettled.saturating_add(1);
        let backoff = pace::backoff(run.memory.unsettled, pace::LONGEST_POLL_BACKOFF, self.random());
        Next::Wait(wait.unwrap_or(backoff))
    }
}

/// A service job that was accepted when its submit was first sent.
fn service_job(run: &Run, id: String) -> ServiceJob {
    ServiceJob {
        id,
        captured: serde_json::Map::new(),
        connector: run.connector.spec.name.to_owned(),
        fingerprint: run.connector.spec.fingerprint,
        submitted_at: first_sent(run, run.port.now()),
    }
}

/// The id of the candidate that carries our job's id as its tag.
fn find(lookup: &Lookup, candidates: Vec<Value>, view: &View<'_>) -> Option<String> {
    candidates.into_iter().find_map(|candidate| {
        let exchange = view.exchange.element(candidate);
        let inner = View { exchange: &exchange, ..*view };
        let tag = reduce::text(&inner.get(&lookup.tag)?)?;
        (tag == view.context.job_id).then(|| crate::outcome::id(&inner.get(&lookup.id)?)).flatten()
    })
}

fn first_sent(run: &Run, now: Timestamp) -> Timestamp {
    run.job.intent.as_ref().map_or(now, |intent| intent.at)
}
