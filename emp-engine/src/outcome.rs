//! What is taken out of an answer: captures, progress, the result.

mod take;

use emp_core::job::Progress;
use emp_core::spec::{Capture, Poll};
use serde_json::{Map, Value};

use crate::reduce;
use crate::select::View;

pub use take::{MAX_FILES, Source, Taken, assemble, count, take};

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
