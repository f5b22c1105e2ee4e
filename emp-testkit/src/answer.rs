//! The answers of a fake service: pure functions from a declaration and a job's state to a [`Draft`].

use emp_core::error::FailureKind;
use emp_core::spec::{ConnectorSpec, HttpProtocol, Lookup, Poll, Prepare};
use emp_core::syntax::rule::{CodePattern, StateVerdict};
use emp_core::syntax::selector::{Selector, Source};
use serde_json::{Map, Value, json};

use crate::draft::Draft;
use crate::job::{View, VirtualJob, Yield};
use crate::known::Known;
use crate::place::place;
use crate::polling;
use crate::sample;

/// The text of a result.
pub(crate) const TEXT: &str = "text of the fake service";

/// The preview of every job that runs: one transparent pixel.
pub(crate) const PREVIEW: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

/// What an answer to a submit or a poll tells.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Telling {
    /// What `capture(..)` reads.
    pub(crate) captures: bool,
    /// The state, and what belongs to it.
    pub(crate) state: bool,
}

/// A service job as the service shows it.
pub(crate) fn job(
    spec: &ConnectorSpec,
    http: &HttpProtocol,
    job: &VirtualJob,
    view: &View,
    code: u16,
    telling: Telling,
) -> Draft {
    let mut draft = Draft { known: Known::of(spec, job), ..Draft::new(code) };
    tell(spec, http, job, view, telling, &mut draft);
    // An answer that says everything elsewhere is an empty object.
    if draft.body.is_null() && !draft.also.is_empty() {
        draft.body = json!({});
    }
    draft
}

/// Adds to an answer what it tells of a job.
pub(crate) fn tell(
    spec: &ConnectorSpec,
    http: &HttpProtocol,
    job: &VirtualJob,
    view: &View,
    telling: Telling,
    draft: &mut Draft,
) {
    if telling.captures {
        capture(http, job, draft);
        if let Some(poll) = http.poll_at(job.operation).filter(|_| telling.state) {
            draft.put_first(poll.echo, &job.id.as_str().into());
        }
    }
    if telling.state {
        let partly = job.yields == Yield::Part && draft.express_partly(http, &view.verdict);
        if !partly {
            express(http, draft, &view.verdict);
        }
        fill(spec, http, job, view, draft);
        if partly && view.verdict != StateVerdict::Succeeded {
            outcome(spec, http, job, draft);
        }
    }
}

/// Adds what `capture(..)` reads.
pub(crate) fn capture(http: &HttpProtocol, job: &VirtualJob, draft: &mut Draft) {
    for capture in http.submit_at(job.operation).capture {
        if let Some(value) = job.captured.get(capture.name) {
            draft.put_first(capture.from, value);
        }
    }
}

/// Adds to an answer, which says the state already, what belongs to that state.
pub(crate) fn fill(
    spec: &ConnectorSpec,
    http: &HttpProtocol,
    job: &VirtualJob,
    view: &View,
    draft: &mut Draft,
) {
    match view.verdict {
        StateVerdict::Succeeded if http.outcome.request.is_some() => {}
        StateVerdict::Succeeded => outcome(spec, http, job, draft),
        StateVerdict::Queued | StateVerdict::Running => {
            if let Some(poll) = http.poll_at(job.operation) {
                progress(poll, view, draft);
            }
        }
        _ => {
            draft.put_first(http.errors.message, &"the fake service was told to fail this job".into());
        }
    }
}

/// Says the state in the declared words, or in the nearest ones that there are.
fn express(http: &HttpProtocol, draft: &mut Draft, verdict: &StateVerdict) {
    let generic = StateVerdict::Failed { kind: FailureKind::Service, message: None };
    let substitutes = match verdict {
        StateVerdict::Queued => vec![StateVerdict::Running],
        StateVerdict::Running => vec![StateVerdict::Queued],
        StateVerdict::Failed { .. } => vec![generic],
        StateVerdict::Canceled => vec![StateVerdict::Lost, generic],
        StateVerdict::Succeeded | StateVerdict::Lost => Vec::new(),
    };
    let said =
        std::iter::once(verdict).chain(&substitutes).any(|verdict| draft.express(&http.states, verdict));
    // A connector without words for it still reads the code.
    if !said && matches!(verdict, StateVerdict::Failed { .. } | StateVerdict::Lost) {
        draft.code = if *verdict == StateVerdict::Lost { 404 } else { 500 };
    }
}

/// Puts how far the job is where a poll or a socket's event is read for it.
pub(crate) fn progress(poll: &Poll, view: &View, draft: &mut Draft) {
    // In the manner of tqdm, which is what connectors look for in logs.
    let percent = (view.fraction * 100.0).round();
    let (text, log) = (format!("{percent} %"), format!("{percent:3}%|####      |"));
    draft.put_first(poll.progress, &view.fraction.into());
    draft.put_first(poll.progress_text, &text.as_str().into());
    draft.put_first(poll.logs, &log.into());
    draft.put_first(poll.eta, &view.left.as_secs_f64().into());
    draft.put_first(poll.preview, &PREVIEW.into());
    if view.verdict == StateVerdict::Queued {
        draft.put_first(poll.queue_position, &1.into());
    }
}

/// Puts the result where the connector looks for it.
pub(crate) fn outcome(spec: &ConnectorSpec, http: &HttpProtocol, job: &VirtualJob, draft: &mut Draft) {
    let take = &http.outcome.take;
    crate::outcome::put(http, take, job, draft);
    let result =
        spec.output.map_or_else(|| json!({ "echo": job.request }), |schema| sample::of_schema(&schema()));
    if take.json.is_empty() && take.text.is_empty() && !take.has_files() {
        place(&mut draft.body, &[], result);
    } else {
        draft.put_first(take.text, &TEXT.into());
        draft.put_first(take.json, &result);
    }
    for fact in http.outcome.meta {
        draft.put_first(fact.from, &1.into());
    }
}

/// A refusal with a code, its text where the connector looks for it.
pub(crate) fn refusal(http: &HttpProtocol, code: u16, message: &str) -> Draft {
    let mut draft = Draft::new(code);
    if !draft.put_first(http.errors.message, &message.into()) {
        draft.body = json!({ "error": message });
    }
    draft
}

/// A refusal that the connector takes for one of this kind.
pub(crate) fn refusal_of_kind(http: &HttpProtocol, kind: FailureKind) -> Draft {
    for rule in http.errors.rules.iter().filter(|rule| rule.kind == kind) {
        let mut draft = Draft::new(first_code(&rule.codes, 400));
        if rule.when.as_ref().is_none_or(|when| draft.satisfy(when)) {
            draft.put_first(http.errors.message, &"the fake service was told to refuse this".into());
            return draft;
        }
    }
    let code = match kind {
        FailureKind::InvalidInput => 422,
        FailureKind::Auth => 401,
        FailureKind::Billing => 402,
        FailureKind::RateLimited => 429,
        FailureKind::Moderated => 403,
        FailureKind::Expired => 410,
        FailureKind::Timeout => 504,
        FailureKind::Capacity | FailureKind::Transient => 503,
        FailureKind::Service | FailureKind::Bug => 500,
    };
    refusal(http, code, "the fake service was told to refuse this")
}

/// A job that the service does not know.
pub(crate) fn unknown_job(http: &HttpProtocol) -> Draft {
    let mut draft = Draft::new(200);
    if draft.express(&http.states, &StateVerdict::Lost) {
        return draft;
    }
    // Where only time tells that a job is lost, the service answers as if it had nothing to say.
    let mut by_absence = |selector: &Selector| matches!(selector.source, Source::AbsentFor);
    let mut lost = http.states.rules.iter().filter(|rule| rule.then == StateVerdict::Lost);
    if lost.any(|rule| rule.when.any(&mut by_absence)) {
        return Draft { body: json!({}), ..Draft::new(200) };
    }
    refusal(http, 404, "no such job")
}

/// A status word that nobody declared.
pub(crate) fn unknown_status(http: &HttpProtocol, code: u16) -> Draft {
    let mut draft = Draft::new(code);
    draft.put_first(http.states.at, &"a-word-that-nobody-declared".into());
    if draft.body.is_null() {
        draft.body = json!({});
    }
    draft
}

/// A healthy service.
pub(crate) fn health(http: &HttpProtocol) -> Draft {
    let mut draft = Draft::new(200);
    if let Some(probe) = &http.health {
        if let Some(ready) = &probe.ready {
            draft.satisfy(ready);
        }
        for metric in probe.metrics {
            draft.put_first(metric.from, &1.into());
        }
    }
    if draft.body.is_null() {
        draft.body = json!({});
    }
    draft
}

/// The answer to a prepare step.
pub(crate) fn prepared(step: &Prepare, captured: &Map<String, Value>) -> Draft {
    let mut draft = Draft::new(first_code(step.accept, 200));
    for capture in step.capture {
        if let Some(value) = captured.get(capture.name) {
            draft.put_first(capture.from, value);
        }
    }
    if draft.body.is_null() {
        draft.body = json!({});
    }
    draft
}

/// The jobs that a search finds.
pub(crate) fn lookup<'j>(lookup: &Lookup, jobs: impl Iterator<Item = &'j VirtualJob>) -> Draft {
    let items = jobs.map(|job| {
        let mut item = Draft::new(200);
        item.put(&lookup.tag, job.queue_job_id.clone().into());
        item.put(&lookup.id, job.id.clone().into());
        item.body
    });
    polling::answer_of(&lookup.items, items.collect())
}

/// The first code of a set, or another when the set is empty.
pub(crate) fn first_code(codes: &[CodePattern], otherwise: u16) -> u16 {
    match codes.first() {
        Some(CodePattern::Exact(code)) => *code,
        Some(CodePattern::Class(class)) => u16::from(*class) * 100,
        None => otherwise,
    }
}
