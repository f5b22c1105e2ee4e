//! What is taken out of an answer: captures, the result.

mod take;

use emp_core::job::Progress;
use emp_core::spec::{Capture, Outcome, Poll};
use serde_json::{Map, Value};

use crate::predicate;
use crate::progress::{MAX_PREVIEW, Places};
use crate::reduce;
use crate::select::View;

pub use take::{MAX_FILES, Source, Taken, assemble, count, take};

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

/// How far the job is, as the answer to a poll says it; `None` when it does not.
pub fn progress(poll: &Poll, view: &View<'_>) -> Option<Progress> {
    Places::of(poll).read(view)
}

/// The name of the fact that a result is only a part of what was asked for.
pub const PARTIAL: &str = "partial";

/// Whether an answer has some of the result and not all.
pub fn is_partial(outcome: &Outcome, view: &View<'_>) -> bool {
    outcome.partial.as_ref().is_some_and(|when| predicate::holds(when, view))
}

/// What an answer that says that the job goes on has of the result already: its values. Files are fetched when the job is done.
pub fn so_far(outcome: &Outcome, view: &View<'_>) -> Option<Value> {
    let elsewhere = outcome.request.is_some() || !outcome.first_of.is_empty();
    if elsewhere || !is_partial(outcome, view) {
        return None;
    }
    let value = match (view.first(outcome.take.json), view.first_text(outcome.take.text)) {
        (Some(json), Some(text)) => serde_json::json!({ "text": text, "json": json }),
        (json, text) => json.or_else(|| text.map(Value::String))?,
    };
    (value.to_string().len() <= MAX_PREVIEW).then_some(value)
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
