//! What a connector makes of an answer, by the evaluator alone.

use std::time::Duration;

use emp_core::Timestamp;
use emp_core::connector::Loaded;
use emp_core::job::ServiceJob;
use emp_core::spec::{HttpProtocol, RequestSpec};
use emp_core::syntax::rule::StateVerdict;
use emp_engine::context::{self, Context};
use emp_engine::decide::{self, Refusal, Verdict};
use emp_engine::exchange::Exchange;
use emp_engine::memory::{Memory, Stage};
use emp_engine::request::OutboundRequest;
use emp_engine::select::View;
use serde_json::{Map, Value};

use crate::draft::Draft;

/// The age of a job that was submitted just now.
const YOUNG: Duration = Duration::from_secs(1);
/// The age of one of which every service knows.
const OLD: Duration = Duration::from_hours(24 * 30);

/// Judges an answer as the connector does; `None` for a custom connector.
pub(crate) fn decides(connector: &Loaded, payload: &Value, draft: &Draft) -> Option<Verdict> {
    view(connector, payload, draft, YOUNG, decide::decide)
}

/// Judges an answer about a job that was submitted long ago.
pub(crate) fn decides_late(connector: &Loaded, payload: &Value, draft: &Draft) -> Option<Verdict> {
    view(connector, payload, draft, OLD, decide::decide)
}

/// Classifies a refusal as the connector does; `None` for a custom connector.
pub(crate) fn refuses(connector: &Loaded, payload: &Value, draft: &Draft) -> Option<Refusal> {
    view(connector, payload, draft, YOUNG, decide::refusal)
}

fn view<R>(
    connector: &Loaded,
    payload: &Value,
    draft: &Draft,
    age: Duration,
    judge: impl FnOnce(&HttpProtocol, &View<'_>) -> R,
) -> Option<R> {
    let http = connector.spec.http()?;
    let service_job = ServiceJob {
        id: "fake-1".to_owned(),
        captured: Map::new(),
        connector: connector.spec.name.to_owned(),
        fingerprint: connector.spec.fingerprint,
        submitted_at: Timestamp(0),
    };
    let context = Context {
        payload,
        job_id: "job",
        attempt: 1,
        budget: context::duration(&connector.spec.pace.deadline, connector),
        hold: None,
        ids: &[],
        assigned_id: "fake-1",
        service_job: Some(&service_job),
        ..Context::bare(connector)
    };
    let headers = draft.headers.iter().filter_map(|(name, value)| {
        let name = http::HeaderName::from_bytes(name.as_bytes()).ok()?;
        Some((name, http::HeaderValue::from_str(value).ok()?))
    });
    let mut exchange = Exchange::new(draft.code, headers.collect(), draft.text().as_bytes());
    let probes = http.poll.iter().flat_map(|poll| poll.also);
    exchange.also =
        probes.map(|probe| (probe.name, draft.also.get(probe.name).cloned().unwrap_or_default())).collect();
    let memory = Memory::default();
    Some(judge(
        http,
        &View { exchange: &exchange, context: &context, memory: &memory, now: Timestamp(0).after(age) },
    ))
}

/// A request as the connector makes it for a service job with a name; `None` when it cannot be made.
pub(crate) fn request(
    connector: &Loaded,
    payload: &Value,
    request: &RequestSpec,
    name: &str,
) -> Option<OutboundRequest> {
    let http = connector.spec.http()?;
    let origin = "http://127.0.0.1:9";
    let base = url::Url::parse(origin).ok();
    let connector = Loaded { base, ..connector.clone() };
    let captured = http.submit.capture.iter().map(|capture| {
        let url = capture.name.ends_with("url");
        let value = if url { format!("{origin}/{}/{name}", capture.name) } else { name.to_owned() };
        (capture.name.to_owned(), value.into())
    });
    let service_job = ServiceJob {
        id: name.to_owned(),
        captured: captured.collect(),
        connector: connector.spec.name.to_owned(),
        fingerprint: connector.spec.fingerprint,
        submitted_at: Timestamp(0),
    };
    let context = Context {
        payload,
        job_id: name,
        attempt: 1,
        budget: context::duration(&connector.spec.pace.deadline, &connector),
        hold: Some(Duration::from_secs(1)),
        ids: &[],
        assigned_id: name,
        service_job: Some(&service_job),
        ..Context::bare(&connector)
    };
    emp_engine::request::request(http, request, &context).ok()
}

/// Whether a judgement is the one that a declaration names.
pub(crate) fn agrees(verdict: &Verdict, declared: &StateVerdict) -> bool {
    match (verdict, declared) {
        (Verdict::Pending(Stage::Queued), StateVerdict::Queued)
        | (Verdict::Pending(Stage::Running), StateVerdict::Running)
        | (Verdict::Succeeded, StateVerdict::Succeeded)
        | (Verdict::Canceled, StateVerdict::Canceled)
        | (Verdict::Lost, StateVerdict::Lost) => true,
        (Verdict::Failed { kind, .. }, StateVerdict::Failed { kind: declared, .. }) => kind == declared,
        _ => false,
    }
}

/// A judgement in words.
pub(crate) fn told(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Pending(stage) => stage.word().to_owned(),
        Verdict::Succeeded => "succeeded".to_owned(),
        Verdict::Canceled => "canceled".to_owned(),
        Verdict::Lost => "lost".to_owned(),
        Verdict::Failed { kind, .. } => format!("failed({})", kind.word()),
        Verdict::Refused(refusal) => format!("a refusal ({})", refusal.kind.word()),
        Verdict::Unknown { word: Some(word) } => format!("a word that it does not know, `{word}`"),
        Verdict::Unknown { word: None } => "an answer without a status".to_owned(),
        Verdict::Undecided => "an answer that does not decide".to_owned(),
    }
}

/// A declared verdict in words, as a declaration writes it.
pub(crate) fn declared(verdict: &StateVerdict) -> String {
    match verdict {
        StateVerdict::Queued => "queued".to_owned(),
        StateVerdict::Running => "running".to_owned(),
        StateVerdict::Succeeded => "succeeded".to_owned(),
        StateVerdict::Canceled => "canceled".to_owned(),
        StateVerdict::Lost => "lost".to_owned(),
        StateVerdict::Failed { kind, .. } => format!("failed({})", kind.word()),
    }
}
