//! What is taken out of an answer: captures, the result.

mod take;

use emp_core::job::Progress;
use emp_core::spec::{Capture, Poll};
use serde_json::{Map, Value};

use crate::progress::Places;
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

/// Declared numbers of a health answer.
pub fn metrics(metrics: &[Capture], view: &View<'_>) -> Map<String, Value> {
    metrics
        .iter()
        .filter_map(|metric| {
            Some((metric.name.to_owned(), reduce::number(&view.first(metric.from)?)?.into()))
        })
        .collect()
}
