//! Predicates: total, without effects. A missing value makes every comparison false.

use emp_syntax::hole::Literal;
use emp_syntax::rule::{Comparison, Predicate};
use serde_json::Value;

use crate::patterns;
use crate::reduce;
use crate::select::View;

/// Whether a predicate holds; one that depends on a further question that was not asked does not.
pub fn holds(predicate: &Predicate, view: &View<'_>) -> bool {
    judge(predicate, view) == Some(true)
}

/// Whether a predicate holds; `None` while that depends on a further question that was not asked yet.
pub fn judge(predicate: &Predicate, view: &View<'_>) -> Option<bool> {
    match predicate {
        Predicate::Compare { selector, .. }
        | Predicate::In { selector, .. }
        | Predicate::Matches { selector, .. }
        | Predicate::Present(selector)
        | Predicate::Absent(selector)
        | Predicate::IsUrl(selector) => (!view.unasked(selector)).then(|| plain(predicate, view)),
        Predicate::All(all) => join(all, false, view),
        Predicate::Any(any) => join(any, true, view),
        Predicate::Not(inner) => join(inner, false, view).map(|holds| !holds),
    }
}

/// Several predicates: one that is `decisive` decides, whatever the others are.
fn join(all: &[Predicate], decisive: bool, view: &View<'_>) -> Option<bool> {
    let mut open = false;
    for predicate in all {
        match judge(predicate, view) {
            Some(holds) if holds == decisive => return Some(decisive),
            Some(_) => {}
            None => open = true,
        }
    }
    (!open).then_some(!decisive)
}

fn plain(predicate: &Predicate, view: &View<'_>) -> bool {
    match predicate {
        Predicate::Compare { selector, op, value } => {
            view.get(selector).is_some_and(|found| compare(&found, *op, value))
        }
        Predicate::In { selector, values } => view
            .get(selector)
            .is_some_and(|found| values.iter().any(|value| compare(&found, Comparison::Eq, value))),
        Predicate::Matches { selector, pattern } => view
            .get(selector)
            .and_then(|found| Some(patterns::get(pattern)?.is_match(&reduce::text(&found)?)))
            .unwrap_or(false),
        Predicate::Present(selector) => view.get(selector).is_some(),
        Predicate::Absent(selector) => view.get(selector).is_none(),
        Predicate::IsUrl(selector) => view.get(selector).is_some_and(|found| is_url(&found)),
        Predicate::All(_) | Predicate::Any(_) | Predicate::Not(_) => holds(predicate, view),
    }
}

/// The text of an absolute http or https URL, or an object (an asset) whose `url` is one.
fn is_url(value: &Value) -> bool {
    let text = value.as_str().or_else(|| value.get("url").and_then(Value::as_str));
    text.and_then(|text| url::Url::parse(text).ok())
        .is_some_and(|url| matches!(url.scheme(), "http" | "https") && url.host_str().is_some())
}

/// Numbers with numbers, texts with texts, booleans with booleans; a header's text that is a number with a number too.
fn compare(found: &Value, op: Comparison, value: &Literal) -> bool {
    let ordering = match (found, value) {
        (Value::Bool(left), Literal::Bool(right)) => left.partial_cmp(right),
        (Value::String(left), Literal::Text(right)) => Some(left.as_str().cmp(right.as_ref())),
        (left, Literal::Int(right)) => match left.as_i64() {
            Some(left) => Some(left.cmp(right)),
            None => reduce::number(left).and_then(|left| left.partial_cmp(&(*right as f64))),
        },
        (left, Literal::Float(right)) => reduce::number(left).and_then(|left| left.partial_cmp(right)),
        _ => None,
    };
    match (ordering, op) {
        // Values of two kinds are not equal, and no order is between them.
        (None, op) => op == Comparison::Ne,
        (Some(ordering), Comparison::Eq) => ordering.is_eq(),
        (Some(ordering), Comparison::Ne) => ordering.is_ne(),
        (Some(ordering), Comparison::Lt) => ordering.is_lt(),
        (Some(ordering), Comparison::Le) => ordering.is_le(),
        (Some(ordering), Comparison::Gt) => ordering.is_gt(),
        (Some(ordering), Comparison::Ge) => ordering.is_ge(),
    }
}
