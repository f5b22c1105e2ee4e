//! One question after a job: the poll's own request, and the further ones that it takes to tell.

use emp_core::JobError;
use emp_core::job::ServiceJob;
use emp_core::spec::{HttpProtocol, Poll};
use emp_syntax::rule::FailureKind;
use tokio::time::sleep;

use crate::decide::{self, Refusal, Verdict};
use crate::engine::Engine;
use crate::envelope::{self, Letter};
use crate::exchange::Exchange;
use crate::gateway::GatewayError;
use crate::limits::Service;
use crate::list;
use crate::memory::{Memory, Streak};
use crate::outcome;
use crate::progress;
use crate::request;
use crate::run::Run;
use crate::select::View;

/// What a service said of a job.
#[derive(Debug)]
pub(super) struct Asked {
    /// The answer, with those to the further questions.
    pub(super) exchange: Exchange,
    /// What it says.
    pub(super) verdict: Verdict,
    /// The service knows the job.
    pub(super) present: bool,
}

/// Why nothing is known.
#[derive(Debug)]
pub(super) enum Unasked {
    /// The request cannot be made.
    Request(JobError),
    /// There was no usable answer.
    Fault(GatewayError),
    /// A further question was refused. That says nothing of the job.
    Refused(Refusal),
    /// The answer to a further question cannot be read.
    Unreadable(String),
    /// The answer is about another job, with this id.
    Another(String),
}

impl Engine {
    /// Asks after a job: after its stored service job, or another one. What was seen of its presence goes into the memory.
    pub(super) async fn ask_after(
        &self,
        run: &Run,
        memory: &mut Memory,
        service: &Service,
        http: &'static HttpProtocol,
        poll: &'static Poll,
        other: Option<&ServiceJob>,
    ) -> Result<Asked, Unasked> {
        let limits = &run.connector.spec.limits;
        let left = super::waiting::left(run).unwrap_or_default();
        let request = run
            .with_context(other, |context| request::poll(http, poll, context, left))
            .map_err(Unasked::Request)?;
        let answer = self.exchange(&request, limits, service, http.follow).await.map_err(Unasked::Fault)?;
        let mut exchange = of_job(run, memory, http, poll, other, answer);
        let ours = other.or(run.job.service_job.as_ref()).map(|job| job.id.as_str());
        if let Some(id) = echo(run, memory, poll, other, &exchange).filter(|id| Some(id.as_str()) != ours) {
            return Err(Unasked::Another(id));
        }
        let now = run.port.now();
        let absent = exchange.code == 404 || (exchange.ok() && exchange.is_empty());
        memory.note_presence(!absent, now);
        let mut verdict = judge(run, memory, http, other, &exchange);
        let mut found = false;
        for probe in poll.also {
            if !open(run, memory, poll, other, &exchange, &verdict) {
                break;
            }
            let answer = match self.probe_for_job(run, service, http, &probe.request, other).await {
                Ok(answer) => answer,
                Err(unasked) => {
                    // Nobody saw that the job is nowhere: its absence begins anew when somebody does.
                    memory.missing = Streak::default();
                    return Err(unasked);
                }
            };
            exchange.also.push((probe.name, answer));
            verdict = judge(run, memory, http, other, &exchange);
            found |= seen_beside(run, memory, http, other, &exchange);
        }
        if found {
            memory.note_presence(true, run.port.now());
        }
        Ok(Asked { exchange, verdict, present: found || !absent })
    }

    /// The body of the answer to a further question.
    async fn probe_for_job(
        &self,
        run: &Run,
        service: &Service,
        http: &'static HttpProtocol,
        spec: &emp_core::spec::RequestSpec,
        other: Option<&ServiceJob>,
    ) -> Result<serde_json::Value, Unasked> {
        let request = run.request(spec, other).map_err(Unasked::Request)?;
        // It is one more request of the connector's rate.
        if let Some(wait) = service.poll_wait() {
            sleep(wait).await;
        }
        let limits = &run.connector.spec.limits;
        let answer = self.exchange(&request, limits, service, http.follow).await.map_err(Unasked::Fault)?;
        if !answer.ok() {
            let memory = Memory::default();
            let refusal = view(run, &memory, other, &answer, |view| decide::refusal(http, view));
            return Err(Unasked::Refused(refusal));
        }
        answer.json.map_err(Unasked::Unreadable)
    }
}

impl Unasked {
    /// Whether a refusal is about the credential, the money or the number of requests: that concerns more than this question.
    pub(super) fn concerns_all(refusal: &Refusal) -> bool {
        matches!(refusal.kind, FailureKind::Auth | FailureKind::Billing | FailureKind::RateLimited)
    }
}

fn view<R>(
    run: &Run,
    memory: &Memory,
    other: Option<&ServiceJob>,
    exchange: &Exchange,
    act: impl FnOnce(&View<'_>) -> R,
) -> R {
    let now = run.port.now();
    run.with_context(other, |context| act(&View { exchange, context, memory, now }))
}

pub(super) fn judge(
    run: &Run,
    memory: &Memory,
    http: &HttpProtocol,
    other: Option<&ServiceJob>,
    exchange: &Exchange,
) -> Verdict {
    view(run, memory, other, exchange, |view| decide::decide(http, view))
}

/// The part of an answer that is about the job: its element, where the answer is a list.
pub(super) fn of_job(
    run: &Run,
    memory: &Memory,
    http: &HttpProtocol,
    poll: &Poll,
    other: Option<&ServiceJob>,
    answer: Exchange,
) -> Exchange {
    let Some(listed) = poll.listed.as_ref().filter(|_| answer.ok()) else { return answer };
    let id = other.or(run.job.service_job.as_ref()).map_or("", |job| job.id.as_str());
    let element = view(run, memory, other, &answer, |view| {
        // A refusal is one for all elements, and `decide` tells it.
        match envelope::read(http, poll.envelope.as_ref(), view) {
            Letter::Good => list::answer(listed, id, view),
            Letter::Refused(_) | Letter::Missing => None,
        }
    });
    element.unwrap_or(answer)
}

/// The id that an answer repeats, where the declaration says at which place it does.
pub(super) fn echo(
    run: &Run,
    memory: &Memory,
    poll: &Poll,
    other: Option<&ServiceJob>,
    exchange: &Exchange,
) -> Option<String> {
    let found = exchange.ok().then(|| view(run, memory, other, exchange, |view| view.first(poll.echo)))??;
    outcome::id(&found)
}

/// Whether a further question can change or add to what is known.
fn open(
    run: &Run,
    memory: &Memory,
    poll: &Poll,
    other: Option<&ServiceJob>,
    exchange: &Exchange,
    verdict: &Verdict,
) -> bool {
    match verdict {
        Verdict::Undecided => true,
        Verdict::Pending(_) => {
            view(run, memory, other, exchange, |view| progress::Places::of(poll).any(|at| view.unasked(at)))
        }
        _ => false,
    }
}

/// Whether it was a further question that found the job.
fn seen_beside(
    run: &Run,
    memory: &Memory,
    http: &HttpProtocol,
    other: Option<&ServiceJob>,
    exchange: &Exchange,
) -> bool {
    view(run, memory, other, exchange, |view| decide::found_beside(http, view))
}
