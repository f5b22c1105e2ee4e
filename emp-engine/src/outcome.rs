//! What is taken out of an answer: captures, progress, the result.

use emp_core::job::Progress;
use emp_core::spec::{Capture, HttpProtocol, Poll};
use emp_core::{ErrorCode, JobError};
use serde_json::{Map, Value};

use crate::reduce;
use crate::select::View;

/// Longest progress message, characters.
const MAX_MESSAGE: usize = 500;
/// Most time left that is believed, seconds.
const MAX_ETA: f64 = 30.0 * 86400.0;

/// The captured values of a submit's answer; those that are absent are left out.
pub fn captured(captures: &[Capture], view: &View<'_>) -> Map<String, Value> {
    captures.iter().filter_map(|capture| Some((capture.name.to_owned(), view.first(capture.from)?))).collect()
}

/// A service job's id as exact text: text, or a whole number that no float has rounded (I24).
pub fn id(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) if !number.is_f64() => Some(number.to_string()),
        _ => None,
    }
}

/// How far the job is, clamped to what makes sense (I38); `None` when the answer does not say.
pub fn progress(poll: &Poll, view: &View<'_>) -> Option<Progress> {
    let position = view.first_number(poll.queue_position).filter(|position| *position >= 0.0);
    let progress = Progress {
        fraction: view.first_number(poll.progress).map(|fraction| fraction.clamp(0.0, 1.0)),
        message: view
            .first_text(poll.progress_text)
            .or_else(|| view.first_text(poll.logs).map(|logs| last_line(&logs)))
            .map(|text| one_line(&text)),
        queue_position: position.map(|position| position.min(1e9) as u64),
        eta_secs: view.first_number(poll.eta).map(|eta| eta.clamp(0.0, MAX_ETA)),
    };
    (progress != Progress::default()).then_some(progress)
}

/// The result and its declared facts.
///
/// With `json` only, the result is that value; with `text` only, that text; with both, an object of the two that are there. With
/// neither, the whole body.
///
/// # Errors
/// `E_BAD_RESPONSE` when the service says success and the result is not where it is declared.
pub fn result(http: &HttpProtocol, view: &View<'_>) -> Result<(Value, Map<String, Value>), JobError> {
    let outcome = &http.outcome;
    let bad = |problem: String| JobError::new(ErrorCode::EBadResponse, problem);
    let value = match (outcome.json.is_empty(), outcome.text.is_empty()) {
        (true, true) => match &view.exchange.json {
            Ok(Value::Null) => None,
            Ok(value) => Some(value.clone()),
            Err(problem) => return Err(bad(format!("the result cannot be read: {problem}"))),
        },
        (false, true) => view.first(outcome.json),
        (true, false) => view.first_text(outcome.text).map(Value::String),
        (false, false) => {
            let json = view.first(outcome.json).map(|json| ("json".to_owned(), json));
            let text = view.first_text(outcome.text).map(|text| ("text".to_owned(), text.into()));
            let parts: Map<String, Value> = text.into_iter().chain(json).collect();
            (!parts.is_empty()).then_some(Value::Object(parts))
        }
    };
    let value = value
        .ok_or_else(|| bad("the service says success, but the declared result is not there".to_owned()))?;
    Ok((value, captured(outcome.meta, view)))
}

/// Declared numbers of a health answer.
pub fn metrics(metrics: &[Capture], view: &View<'_>) -> Map<String, Value> {
    metrics
        .iter()
        .filter_map(|metric| {
            Some((metric.name.to_owned(), reduce::number(&view.first(metric.from)?)?.into()))
        })
        .collect()
}

fn last_line(text: &str) -> String {
    text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default().to_owned()
}

fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MAX_MESSAGE).collect()
}
