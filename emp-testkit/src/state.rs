//! The fake service as a state machine: a request in, a reply out, no network.

mod effects;
mod telling;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use emp_core::Clock;
use emp_core::spec::{Cancel, ConnectorSpec, Follow, HttpProtocol, RequestSpec};
use emp_core::time::ManualClock;
use serde_json::{Value, json};

use crate::answer;
use crate::books::{Books, digest};
use crate::draft::Draft;
use crate::fault::{Fault, Step, Trouble};
use crate::job::{Durations, Ending};
use crate::ledger::Recorded;
use crate::polling;
use crate::reply::{Reply, ReplyKind, prevent, spoil};
use crate::route::{self, Holes, Route, Seen};
use crate::socket;
use crate::streaming;
use crate::tokens::{self, Tokens};

/// Requests kept; the oldest go first.
const MAX_RECORDED: usize = 100_000;
/// Stands for the request that follows a URL of an answer.
static PART: RequestSpec = RequestSpec::DEFAULT;
/// A request for a token is declared in `#[auth]`, and not as a request.
static TOKEN: RequestSpec = RequestSpec::DEFAULT;
/// Where a service behind a gateway believes that it is.
const INNER_ORIGIN: &str = "https://inner.invalid:8443";

/// A fault with the number of requests that it has seen.
#[derive(Debug)]
struct Armed {
    fault: Fault,
    seen: u32,
}

/// Everything a fake service knows.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) spec: &'static ConnectorSpec,
    pub(crate) http: &'static HttpProtocol,
    /// Where it is as whoever asked last names it, without a path: its links lead through a proxy that was asked.
    pub(crate) origin: String,
    base_path: String,
    pub(crate) clock: Arc<dyn Clock>,
    /// Is moved where an answer is held back.
    skip: Option<Arc<ManualClock>>,
    pub(crate) durations: Durations,
    ending: Ending,
    faults: Vec<Armed>,
    tokens: Tokens,
    /// What the last poll would have said in the answers to further questions.
    pub(crate) said_beside: BTreeMap<String, Value>,
    pub(crate) books: Books,
    pub(crate) requests: VecDeque<Recorded>,
    /// How many words of each job's text have been fetched.
    told: HashMap<String, usize>,
}

impl Service {
    pub(crate) fn new(
        spec: &'static ConnectorSpec,
        http: &'static HttpProtocol,
        origin: String,
        clock: Arc<dyn Clock>,
        durations: Durations,
        ending: Ending,
        skip: Option<Arc<ManualClock>>,
    ) -> Self {
        Self {
            spec,
            http,
            origin,
            base_path: route::base_path(spec, http),
            clock,
            skip,
            durations,
            ending,
            faults: Vec::new(),
            tokens: Tokens::default(),
            said_beside: BTreeMap::new(),
            books: Books::default(),
            requests: VecDeque::new(),
            told: HashMap::new(),
        }
    }

    /// The URL that stands in for the declared base.
    pub(crate) fn base_url(&self) -> String {
        format!("{}{}", self.origin, self.base_path)
    }

    /// The origin that its answers name: its own, or one that only it knows, for a connector that rebases.
    fn named_origin(&self) -> &str {
        if self.http.follow == Follow::Rebase { INNER_ORIGIN } else { &self.origin }
    }

    /// Sets a fault; it counts requests from now on.
    pub(crate) fn arm(&mut self, fault: Fault) {
        self.faults.push(Armed { fault, seen: 0 });
    }

    /// Takes all faults back.
    pub(crate) fn disarm(&mut self) {
        self.faults.clear();
    }

    /// How many jobs were cancelled by the client.
    pub(crate) fn cancelled(&self) -> usize {
        self.books.jobs.iter().filter(|job| job.cancelled).count()
    }

    /// The connection on which a job is worked at has closed: it ends, if that is how it is cancelled.
    pub(crate) fn closed(&mut self, id: &str) {
        if self.http.cancel.as_ref().is_some_and(Cancel::drops_connection)
            && let Some(job) = self.books.jobs.iter_mut().find(|job| job.id == id)
        {
            job.cancelled = true;
        }
    }

    /// How many jobs have not ended.
    pub(crate) fn unfinished(&self) -> usize {
        let now = self.clock.now();
        self.books.jobs.iter().filter(|job| !job.at(now, self.durations).ended()).count()
    }

    /// Answers a request, and writes down both.
    pub(crate) fn respond(&mut self, seen: &Seen, target: String) -> Reply {
        if let Some(host) = seen.headers.get("host") {
            self.origin = format!("http://{host}");
        }
        let asks_for_token = tokens::asked(&self.http.auth, &self.base_path, seen).is_some();
        let routed = if asks_for_token {
            Some((Route { step: Step::Token, operation: None, request: &TOKEN }, Holes::default()))
        } else if let Some(holes) = route::part(seen) {
            Some((Route { step: Step::Result, operation: None, request: &PART }, holes))
        } else if let Some(holes) = route::file(seen) {
            Some((Route { step: Step::File, operation: None, request: &TOKEN }, holes))
        } else {
            route::route(self.http, &self.base_path, seen)
        };
        let now = self.clock.now();
        let made = self.tokens.authorized(self.spec, &self.http.auth, seen, now);
        let authorized =
            asks_for_token || made.unwrap_or_else(|| route::authorized(self.spec, &self.http.auth, seen));
        let step = routed.as_ref().map(|(route, _)| route.step);
        let reply = match routed {
            None => ReplyKind::Answer(Draft { body: json!({ "error": "no such route" }), ..Draft::new(404) })
                .into(),
            Some(_) if !authorized => {
                ReplyKind::Answer(answer::refusal(self.http, 401, "the credential is missing")).into()
            }
            Some((route, holes)) => self.perform(route, seen, &holes),
        };
        tracing::debug!(service = self.spec.name, ?step, code = reply.kind.code(), "fake service");
        if self.requests.len() == MAX_RECORDED {
            self.requests.pop_front();
        }
        self.requests.push_back(Recorded {
            step,
            method: seen.method.clone(),
            target,
            authorized,
            digest: digest(&seen.body),
            answer: reply.kind.code(),
            at: now,
        });
        reply
    }

    /// The first fault that this request of the step runs into.
    fn trouble(&mut self, step: Step) -> Option<Trouble> {
        let mut hit = None;
        for armed in self.faults.iter_mut().filter(|armed| armed.fault.step == step) {
            armed.seen += 1;
            if hit.is_none() && armed.fault.when.hits(armed.seen) {
                hit = Some(armed.fault.trouble.clone());
            }
        }
        hit
    }

    fn perform(&mut self, route: Route<'_>, seen: &Seen, holes: &Holes) -> Reply {
        let Route { step, operation, request } = route;
        let trouble = self.trouble(step);
        let trouble = trouble.as_ref();
        if let Some(prevented) = trouble.and_then(|trouble| prevent(self.http, trouble, seen)) {
            return prevented.into();
        }
        let envelope = match step {
            Step::Submit => self.http.submit_at(operation).envelope.as_ref(),
            Step::Poll => self.http.poll_at(operation).and_then(|poll| poll.envelope.as_ref()),
            _ => None,
        };
        if let (Some(Trouble::NotOk), Some(envelope)) = (trouble, envelope) {
            return ReplyKind::Answer(polling::not_ok(envelope)).into();
        }
        let answered_after = if step == Step::Poll { self.hold(operation, holes) } else { Duration::ZERO };
        let mut draft = match step {
            Step::Prepare => self.prepare(operation, seen),
            Step::Submit => {
                let (draft, accepted) = self.submit(operation, seen, holes, trouble);
                let streaming = accepted.and_then(|job| {
                    streaming::of_submit(self.spec, self.http, &job, self.durations, seen, trouble)
                });
                if let Some(streaming) = streaming {
                    return ReplyKind::Stream(streaming).into();
                }
                draft
            }
            Step::Poll => self.poll(operation, holes, trouble, answered_after),
            Step::Cancel => self.cancel(request, holes, trouble),
            Step::Health => answer::health(self.http),
            Step::Lookup => self.search(operation),
            Step::Token => self.token(seen),
            Step::Cleanup => self.clean_up(holes),
            Step::Chunks => self.chunks(holes),
            Step::Result => self.result(request, holes, trouble),
            Step::File => self.file(seen, holes, trouble),
            Step::Socket => {
                let breaks = matches!(trouble, Some(Trouble::CutBody));
                let job = self.books.named(holes).map(|job| job.id.clone());
                return ReplyKind::Socket(socket::Telling { job, breaks_after: breaks.then_some(1) }).into();
            }
            Step::Probe => self.probe(request),
            Step::Batch => match &self.http.batch_poll {
                Some(batch) => self.batch(batch, holes, trouble),
                None => answer::unknown_job(self.http),
            },
            Step::Side => self.beside(),
        };
        if let Some(envelope) = envelope {
            polling::sealed(envelope, &mut draft);
        }
        // A sync service holds the request open for all of the job's time.
        let answers = step == Step::Submit && self.http.poll_at(operation).is_none();
        let sync = answers && (200..300).contains(&draft.code);
        let hold = if sync { self.durations.queued + self.durations.running } else { answered_after };
        let open = sync.then(|| self.books.jobs.last().map(|job| job.id.clone())).flatten();
        Reply { hold, kind: spoil(self.http, trouble, draft), open }
    }
}
