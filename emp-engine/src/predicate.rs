//! Predicates: total, without effects. A missing value makes every comparison false.

use emp_syntax::hole::Literal;
use emp_syntax::rule::{Comparison, Predicate};
use serde_json::Value;

use crate::patterns;
use crate::reduce;
use crate::select::View;

/// Whether a predicate holds.
pub fn holds(predicate: &Predicate, view: &View<'_>) -> bool {
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
        Predicate::All(all) => all.iter().all(|predicate| holds(predicate, view)),
        Predicate::Any(any) => any.iter().any(|predicate| holds(predicate, view)),
        Predicate::Not(inner) => !inner.iter().all(|predicate| holds(predicate, view)),
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
