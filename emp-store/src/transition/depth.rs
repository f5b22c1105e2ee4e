//! How deep the JSON of a service may be nested in a job.

use serde_json::Value;

/// What reads JSON gives up at 128 levels, and a job that cannot be read again is lost.
pub(super) const DEEPEST: usize = 100;

/// A value that a job must not hold.
pub(super) fn too_deep(value: &Value) -> bool {
    deeper(value, DEEPEST)
}

fn deeper(value: &Value, levels: usize) -> bool {
    let Some(below) = levels.checked_sub(1) else { return true };
    match value {
        Value::Array(items) => items.iter().any(|item| deeper(item, below)),
        Value::Object(entries) => entries.values().any(|entry| deeper(entry, below)),
        _ => false,
    }
}
