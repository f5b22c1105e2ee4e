//! One question for all jobs of a service that wait. Each job is judged by its own element; what a batch does not tell, or does
//! not tell whole, is asked after alone.

use std::collections::HashMap;
use std::time::Duration;

use emp_core::job::ServiceJob;
use emp_core::spec::{BatchPoll, HttpProtocol, RequestSpec, UrlSpec};
use emp_syntax::hole::{Reference, Root, Step};
use serde_json::{Map, Value};
use tokio::time::sleep;

use crate::context::Context;
use crate::decide::{self, Verdict};
use crate::engine::Engine;
use crate::exchange::Exchange;
use crate::limits::Service;
use crate::list;
use crate::memory::Memory;
use crate::pace;
use crate::request::{self, OutboundRequest};
use crate::run::Run;
use crate::select::View;

/// For how long jobs are asked after alone when a batch failed.
const CLOSED: Duration = Duration::from_secs(30);

/// The name under which the URL of the next page is looked up.
const NEXT: &str = "next";

/// What a batch says of one job.
#[derive(Debug)]
pub(super) enum Told {
    /// Its element.
    Element(Box<Exchange>),
    /// Nothing: it is asked after alone.
    Nothing,
    /// The last batch is too young to ask for another.
    Wait(Duration),
}

impl Engine {
    /// What the batch that is due says of this job. Whoever comes first asks for it, and the others wait for the answer.
    pub(super) async fn told_by_batch(
        &self,
        run: &Run,
        seen: &mut u64,
        service: &Service,
        http: &'static HttpProtocol,
        batch: &'static BatchPoll,
    ) -> Told {
        let Some(id) = run.job.service_job.as_ref().map(|job| job.id.as_str()) else { return Told::Nothing };
        let mut last = service.board.last.lock().await;
        let now = service.elapsed();
        if now < last.closed_until {
            return Told::Nothing;
        }
        let age = now.saturating_sub(last.at);
        let young = last.number > 0 && age < batch.every;
        if young && last.number == *seen {
            return Told::Wait(batch.every.saturating_sub(age));
        }
        if !young {
            let Some(told) = self.fetch_batch(run, service, http, batch).await else {
                let connector = run.connector.spec.name;
                tracing::warn!(connector, "a batch failed; jobs are polled alone for a while");
                // From the answer on, not from the question: one that hangs would be asked again by every job in turn.
                last.closed_until = service.elapsed() + CLOSED;
                return Told::Nothing;
            };
            (last.number, last.at, last.told) = (last.number + 1, service.elapsed(), told);
        }
        *seen = last.number;
        last.told.get(id).map_or(Told::Nothing, |element| {
            let answer = Exchange::new(200, http::HeaderMap::new(), b"");
            Told::Element(Box::new(answer.element(element.clone())))
        })
    }

    /// The elements of all jobs that wait, by id. `None` when any answer was not what is declared.
    async fn fetch_batch(
        &self,
        run: &Run,
        service: &Service,
        http: &'static HttpProtocol,
        batch: &'static BatchPoll,
    ) -> Option<HashMap<String, Value>> {
        let ids = service.board.ids();
        // A list names its jobs itself; any other question names them in its body.
        let most = if batch.request.method == "GET" { ids.len() } else { batch.most };
        let mut told = HashMap::new();
        for ids in ids.chunks(most.max(1)) {
            self.fetch_pages(run, service, http, batch, ids, &mut told).await?;
        }
        Some(told)
    }

    async fn fetch_pages(
        &self,
        run: &Run,
        service: &Service,
        http: &'static HttpProtocol,
        batch: &'static BatchPoll,
        ids: &[String],
        told: &mut HashMap<String, Value>,
    ) -> Option<()> {
        let limits = &run.connector.spec.limits;
        let context = Context { ids, ..Context::bare(&run.connector) };
        let mut request = request::request(http, &batch.request, &context).ok()?;
        for _ in 0..batch.pages {
            if let Some(wait) = service.poll_wait() {
                sleep(wait).await;
            }
            let exchange = self.exchange(&request, limits, service, http.follow).await.ok()?;
            let memory = Memory::default();
            let view = View { exchange: &exchange, context: &context, memory: &memory, now: run.port.now() };
            if !exchange.ok() {
                if decide::refusal(http, &view).kind == emp_core::error::FailureKind::RateLimited {
                    service.throttled(decide::refusal(http, &view).wait, self.random());
                }
                return None;
            }
            for element in list::elements(&batch.listed.items, &view)? {
                if let Some(id) = list::id(&batch.listed, &element, &view).filter(|id| ids.contains(id)) {
                    told.entry(id).or_insert(element);
                }
            }
            if ids.iter().all(|id| told.contains_key(id)) {
                return Some(());
            }
            let Some(next) = view.first_text(batch.next) else { return Some(()) };
            request = next_page(http, batch, &context, next)?;
        }
        Some(())
    }
}

/// The request of a further page: a URL of the service's, checked as all of them are.
fn next_page(
    http: &HttpProtocol,
    batch: &BatchPoll,
    context: &Context<'_>,
    url: String,
) -> Option<OutboundRequest> {
    let captured = Map::from_iter([(NEXT.to_owned(), url.into())]);
    let page = ServiceJob {
        id: String::new(),
        captured,
        connector: context.connector.spec.name.to_owned(),
        fingerprint: context.connector.spec.fingerprint,
        submitted_at: emp_core::Timestamp::default(),
    };
    let reference = Reference { root: Root::Job, path: vec![Step::Name(NEXT.into())].into() };
    let spec = RequestSpec { url: UrlSpec::Captured(reference), query: &[], ..batch.request.clone() };
    request::request(http, &spec, &Context { service_job: Some(&page), ..*context }).ok()
}

/// Takes a place among the jobs that a batch asks after.
pub(super) fn sit(run: &mut Run, service: &Service, http: &HttpProtocol) {
    if let (None, Some(_), Some(job)) = (&run.seat, &http.batch_poll, &run.job.service_job) {
        run.seat = Some(service.board.sit(&job.id));
    }
}

/// What an element decides: `None` when its job is to be asked after alone.
pub(super) fn decided(
    run: &Run,
    http: &HttpProtocol,
    batch: &BatchPoll,
    element: &Exchange,
) -> Option<Verdict> {
    let verdict = run.view(element, run.port.now(), |view| decide::decide(http, view));
    match verdict {
        Verdict::Pending(_) => Some(verdict),
        Verdict::Undecided | Verdict::Unknown { .. } | Verdict::Refused(_) => None,
        // The end is worth a question of its own: a list may show less of a job than the job's own answer.
        ended => batch.complete.then_some(ended),
    }
}

/// A wait that ends together with those of the other jobs.
pub(super) fn aligned(wait: Duration, service: &Service, batch: &BatchPoll) -> Duration {
    pace::aligned(wait, batch.every, service.elapsed())
}
