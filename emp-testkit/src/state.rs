//! The fake service as a state machine: a request in, a reply out, no network.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use emp_core::Clock;
use emp_core::spec::{
    Auth, Body, Cancel, CancelScope, CancelStage, ConnectorSpec, Follow, HttpProtocol, RequestSpec, Settle,
    StreamFormat,
};
use emp_core::syntax::rule::StateVerdict;
use emp_core::time::ManualClock;
use serde_json::{Map, Value, json};

use crate::answer::{self, Telling};
use crate::books::{Asked, Books, digest};
use crate::draft::Draft;
use crate::fault::{Fault, Step, Trouble};
use crate::fits;
use crate::job::{Durations, Ending, View, VirtualJob};
use crate::known::Known;
use crate::ledger::Recorded;
use crate::outcome;
use crate::polling;
use crate::reply::{Reply, ReplyKind, prevent, spoil};
use crate::route::{self, Holes, Route, Seen};
use crate::socket;
use crate::speak::{self, Saying};
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
    /// `http://127.0.0.1:port`, without a path.
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

    /// The calls that are due: where to, and what is said of the job.
    pub(crate) fn calls(&mut self) -> Vec<(String, Value)> {
        let (now, durations) = (self.clock.now(), self.durations);
        let ended = self.books.jobs.iter_mut().filter(|job| job.at(now, durations).ended());
        let due: Vec<(String, VirtualJob)> =
            ended.filter_map(|job| Some((job.webhook.take()?, job.clone()))).collect();
        due.into_iter().map(|(url, job)| (url, self.show(&job, &job.at(now, durations), 200).body)).collect()
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

    /// The answer to a submit, and the job when it was accepted.
    fn submit(
        &mut self,
        operation: Option<usize>,
        seen: &Seen,
        holes: &Holes,
        trouble: Option<&Trouble>,
    ) -> (Draft, Option<VirtualJob>) {
        let submit = self.http.submit_at(operation);
        if let Some(problem) = unreadable(&submit.request, seen) {
            return (answer::refusal(self.http, 400, problem), None);
        }
        if !self.books.told(holes) {
            return (answer::refusal(self.http, 400, "a value of a prepare step was never told"), None);
        }
        let ending = match trouble {
            Some(Trouble::JobFails(kind)) => Ending::Fails(*kind),
            Some(Trouble::JobCancelled) => Ending::Cancelled,
            Some(Trouble::JobNeverEnds) => Ending::Never,
            _ => self.ending,
        };
        let (now, origin) = (self.clock.now(), self.named_origin().to_owned());
        let asked = Asked { submit, operation, seen, holes };
        let Ok(mut job) = self.books.accept(asked, &origin, ending, now) else {
            return (answer::refusal(self.http, 422, "the key was used with another body"), None);
        };
        if let Some(Trouble::ForeignUrl(url)) = trouble {
            redirect_urls(&mut job.captured, url);
        }
        let sync = self.http.poll_at(operation).is_none();
        let at = if sync { now.after(self.durations.queued + self.durations.running) } else { now };
        let captures = !matches!(trouble, Some(Trouble::NoId));
        job.few = trouble == Some(&Trouble::TooFew);
        let telling = Telling { captures, state: sync || submit.feeds_poll };
        let code = answer::first_code(submit.accept, 200);
        let mut draft = answer::job(self.spec, self.http, &job, &job.at(at, self.durations), code, telling);
        if draft.body.is_null() {
            draft.body = json!({});
        }
        (draft, Some(job))
    }

    /// The result of a job, to a request of its own.
    fn result(&mut self, request: &RequestSpec, holes: &Holes, trouble: Option<&Trouble>) -> Draft {
        let (now, durations) = (self.clock.now(), self.durations);
        let Some(mut job) = self.books.named(holes).cloned() else { return answer::unknown_job(self.http) };
        if job.at(now, durations).verdict != StateVerdict::Succeeded {
            return answer::refusal(self.http, 409, "the job has no result yet");
        }
        let mut draft = Draft { known: Known::of(self.spec, &job), ..Draft::new(200) };
        job.few = trouble == Some(&Trouble::TooFew);
        let first = self.http.outcome.first_of.first().filter(|_| std::ptr::eq(request, &raw const PART));
        match outcome::take_of(self.http, request).or(first.map(|part| &part.take)) {
            Some(take) => {
                outcome::part(self.http, take, &job, &mut draft);
                if take.jsonl {
                    outcome::by_lines(&mut draft);
                }
            }
            None => answer::outcome(self.spec, self.http, &job, &mut draft),
        }
        if self.http.outcome.take.jsonl && outcome::take_of(self.http, request).is_none() {
            outcome::by_lines(&mut draft);
        }
        draft
    }

    /// A file of a result.
    fn file(&mut self, seen: &Seen, holes: &Holes, trouble: Option<&Trouble>) -> Draft {
        let name = seen.path.rsplit('/').next().unwrap_or_default();
        if let Some(job) = self.books.named(holes) {
            job.expired |= trouble == Some(&Trouble::Expired);
            let current = seen.path.contains(&format!("/{}/", job.links));
            if job.expired || !current {
                return answer::refusal(self.http, 403, "the link has expired");
            }
        }
        Draft { file: Some(outcome::file(self.http, name)), ..Draft::new(200) }
    }

    fn prepare(&mut self, step: Option<usize>, seen: &Seen) -> Draft {
        let Some(step) = step.and_then(|number| self.http.prepare.get(number)) else {
            return answer::refusal(self.http, 404, "no such step");
        };
        if let Some(problem) = unreadable(&step.request, seen) {
            return answer::refusal(self.http, 400, problem);
        }
        let origin = self.named_origin().to_owned();
        let captured = self.books.prepare(step, seen, &origin, self.clock.now());
        answer::prepared(step, &captured)
    }

    /// Holds a poll's answer back: says for how long, or moves the clock that it was given for that.
    fn hold(&mut self, operation: Option<usize>, holes: &Holes) -> Duration {
        let held = self.held(operation, holes);
        match &self.skip {
            Some(clock) => {
                clock.advance(held);
                Duration::ZERO
            }
            None => held,
        }
    }

    fn poll(
        &mut self,
        operation: Option<usize>,
        holes: &Holes,
        trouble: Option<&Trouble>,
        held: Duration,
    ) -> Draft {
        if let Some(listed) = self.http.poll_at(operation).and_then(|poll| poll.listed.as_ref()) {
            return self.list(listed, trouble);
        }
        let (now, durations) = (self.clock.now().after(held), self.durations);
        let job = self.books.named(holes).filter(|_| trouble != Some(&Trouble::Forgotten)).map(|job| {
            job.links += u32::from(std::mem::take(&mut job.expired));
            VirtualJob { few: trouble == Some(&Trouble::TooFew), ..job.clone() }
        });
        match (job, trouble) {
            (None, _) => answer::unknown_job(self.http),
            (Some(_), Some(Trouble::UnknownStatus)) => answer::unknown_status(self.http, 200),
            (Some(job), Some(Trouble::Word(word))) => self.say(&job, &Saying::Word(word.clone())),
            (Some(job), Some(Trouble::Rule(index))) => {
                let draft = self.say(&job, &Saying::Rule(*index));
                // What the rule reads elsewhere is said when it is asked for there.
                self.said_beside.extend(draft.also.clone());
                draft
            }
            (Some(job), Some(Trouble::Backwards)) => self.show(&job, &View::fresh(durations), 200),
            (Some(job), _) => self.show(&job, &job.at(now, durations), 200),
        }
    }

    pub(crate) fn say(&self, job: &VirtualJob, saying: &Saying) -> Draft {
        speak::poll(self.spec, self.http, job, saying)
            .unwrap_or_else(|| answer::unknown_status(self.http, 200))
    }

    pub(crate) fn show(&self, job: &VirtualJob, view: &View, code: u16) -> Draft {
        answer::job(self.spec, self.http, job, view, code, Telling { captures: true, state: true })
    }

    /// A cancel that names no job ends whatever runs, one for a state only a job in it, and one that a connector sends to running jobs
    /// alone destroys a job that has ended.
    fn cancel(&mut self, request: &RequestSpec, holes: &Holes, trouble: Option<&Trouble>) -> Draft {
        let (now, durations) = (self.clock.now(), self.durations);
        let Some(cancel) = &self.http.cancel else {
            return answer::refusal(self.http, 404, "no such route");
        };
        if cancel.scope == CancelScope::Service {
            if trouble != Some(&Trouble::Ignored) {
                self.books.interrupt(now, durations);
            }
            return Draft { body: json!({}), ..Draft::new(answer::first_code(cancel.ok, 200)) };
        }
        let Some(job) = self.books.named(holes) else {
            return answer::refusal(self.http, answer::first_code(cancel.gone, 404), "no such job");
        };
        let view = job.at(now, durations);
        let stage =
            cancel.requests().find_map(|(stage, known)| std::ptr::eq(known, request).then_some(stage?));
        let other = match stage {
            Some(CancelStage::Queued) => view.verdict != StateVerdict::Queued,
            Some(CancelStage::Running) => view.verdict != StateVerdict::Running,
            None => false,
        };
        if other {
            // It is not where this request looks for jobs: nothing happens, and the service says so of none.
            return Draft { body: json!({}), ..Draft::new(answer::first_code(cancel.ok, 200)) };
        }
        if view.ended() && cancel.ask_first {
            let id = job.id.clone();
            self.books.jobs.retain(|job| job.id != id);
            return Draft { body: json!({}), ..Draft::new(answer::first_code(cancel.ok, 200)) };
        }
        if view.ended() && view.verdict != StateVerdict::Canceled && !cancel.too_late.is_empty() {
            let code = answer::first_code(cancel.too_late, 409);
            return answer::refusal(self.http, code, "the job has ended");
        }
        if !view.ended() && trouble != Some(&Trouble::Ignored) {
            job.cancelled = true;
        }
        let job = job.clone();
        self.show(&job, &job.at(now, durations), answer::first_code(cancel.ok, 200))
    }

    /// The job is gone with all that it made.
    fn clean_up(&mut self, holes: &Holes) -> Draft {
        let Some(id) = self.books.named(holes).map(|job| job.id.clone()) else {
            return answer::refusal(self.http, 404, "no such job");
        };
        self.books.jobs.retain(|job| job.id != id);
        Draft { body: json!({}), ..Draft::new(200) }
    }

    fn token(&mut self, seen: &Seen) -> Draft {
        match &self.http.auth {
            Auth::OAuth2(oauth2) => self.tokens.grant(self.spec, oauth2, seen, self.clock.now()),
            _ => answer::refusal(self.http, 404, "no tokens are given out here"),
        }
    }

    /// A job that somebody watches, as it is now.
    pub(crate) fn watched(&self, id: Option<&str>) -> Option<(&'static HttpProtocol, &VirtualJob, View)> {
        let job = match id {
            Some(id) => self.books.jobs.iter().find(|job| job.id == id)?,
            None => self.books.jobs.last()?,
        };
        Some((self.http, job, job.at(self.clock.now(), self.durations)))
    }

    /// What is new of a job's text since the last time that anybody asked.
    fn chunks(&mut self, holes: &Holes) -> Draft {
        let (now, durations) = (self.clock.now(), self.durations);
        let Some(StreamFormat::Chunks { items, .. }) = self.http.stream.as_ref().map(|stream| &stream.format)
        else {
            return answer::unknown_job(self.http);
        };
        let Some(job) = self.books.named(holes).cloned() else { return answer::unknown_job(self.http) };
        let told = self.told.entry(job.id.clone()).or_default();
        let (draft, until) = streaming::chunks(items, job.at(now, durations).fraction, *told);
        *told = until;
        draft
    }

    fn search(&self, operation: Option<usize>) -> Draft {
        match &self.http.submit_at(operation).settle {
            Settle::Lookup(lookup) => answer::lookup(lookup, self.books.jobs.iter()),
            _ => answer::unknown_job(self.http),
        }
    }
}

/// Why a service cannot read a body.
fn unreadable(request: &RequestSpec, seen: &Seen) -> Option<&'static str> {
    match request.body {
        Body::Json(_) if seen.json.is_none() => Some("the body is not JSON"),
        Body::Form(_) | Body::Multipart(_) if !fits::request(request, seen, 1) => {
            Some("the body is not a form with the declared parts")
        }
        Body::Raw { .. } if !fits::request(request, seen, 1) => Some("the body is empty or of another type"),
        _ => None,
    }
}

fn redirect_urls(captured: &mut Map<String, Value>, url: &str) {
    for (_, value) in captured.iter_mut().filter(|(name, _)| name.ends_with("url")) {
        *value = url.into();
    }
}
