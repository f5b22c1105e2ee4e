//! Values that fit: for a JSON Schema, and for a variable of the environment.

use emp_core::spec::{EnvField, EnvKind};
use serde_json::{Map, Value};

/// A value that fits a JSON Schema: the author's own examples and defaults before anything made up.
///
/// A required member whose schema says nothing (one derived from a hole) is a text; an optional one is left out unless its
/// author gave an example or a default: what is made up is of use only where something has to be there.
///
/// ```
/// let schema = serde_json::json!({ "properties": { "n": { "type": "integer", "default": 2 }, "x": true }, "required": ["x"] });
/// assert_eq!(emp_testkit::example(&schema), serde_json::json!({ "n": 2, "x": "text" }));
/// ```
pub fn example(schema: &Value) -> Value {
    let mut value = of_schema(schema);
    let required = schema.get("required").and_then(Value::as_array);
    let required: Vec<&str> = required.into_iter().flatten().filter_map(Value::as_str).collect();
    if let Some(members) = value.as_object_mut().filter(|_| schema.get("examples").is_none()) {
        let given =
            |name: &str| schema.pointer("/properties").and_then(|all| all.get(name)).is_some_and(exemplified);
        members.retain(|name, _| required.contains(&name.as_str()) || given(name));
        for name in required {
            members.entry(name).or_insert_with(|| "text".into());
        }
    }
    value
}

/// Whether a schema itself says what a value of it looks like.
fn exemplified(schema: &Value) -> bool {
    ["examples", "const", "default"]
        .into_iter()
        .any(|key| schema.get(key).is_some_and(|value| !value.is_null()))
}

/// Deeper than any answer a person writes an example for; stops a schema that contains itself.
const MAX_DEPTH: usize = 12;

/// A value that fits a schema, the author's own examples and defaults before anything made up.
pub(crate) fn of_schema(schema: &Value) -> Value {
    sample(schema, schema, MAX_DEPTH)
}

fn sample(root: &Value, schema: &Value, depth: usize) -> Value {
    if depth == 0 {
        return Value::Null;
    }
    let first = |name: &str| schema.get(name).and_then(Value::as_array).and_then(|values| values.first());
    if let Some(value) = first("examples").or_else(|| schema.get("const")) {
        return value.clone();
    }
    if let Some(value) = schema.get("default").filter(|value| !value.is_null()).or_else(|| first("enum")) {
        return value.clone();
    }
    if let Some(target) =
        schema.get("$ref").and_then(Value::as_str).and_then(|reference| resolve(root, reference))
    {
        return sample(root, target, depth - 1);
    }
    if let Some(choice) = ["oneOf", "anyOf", "allOf"].into_iter().find_map(first) {
        return sample(root, choice, depth - 1);
    }
    match type_of(schema) {
        Some("object") => members(root, schema, depth),
        Some("array") => schema.get("items").map_or_else(
            || Value::Array(Vec::new()),
            |items| Value::Array(vec![sample(root, items, depth - 1)]),
        ),
        Some("string") => text(schema.get("format").and_then(Value::as_str)).into(),
        Some("integer") => schema.get("minimum").cloned().unwrap_or_else(|| 1.into()),
        Some("number") => schema.get("minimum").cloned().unwrap_or_else(|| 0.5.into()),
        Some("boolean") => true.into(),
        _ => Value::Null,
    }
}

fn resolve<'v>(root: &'v Value, reference: &str) -> Option<&'v Value> {
    root.pointer(reference.strip_prefix('#')?)
}

/// The first type that is not null; an object where only its properties say so.
fn type_of(schema: &Value) -> Option<&str> {
    match schema.get("type") {
        Some(Value::String(name)) => Some(name),
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).find(|name| *name != "null"),
        _ => schema.get("properties").map(|_| "object"),
    }
}

fn members(root: &Value, schema: &Value, depth: usize) -> Value {
    let properties = schema.get("properties").and_then(Value::as_object);
    let members: Map<String, Value> = properties
        .into_iter()
        .flatten()
        .map(|(name, property)| (name.clone(), sample(root, property, depth - 1)))
        .filter(|(_, value)| !value.is_null())
        .collect();
    Value::Object(members)
}

fn text(format: Option<&str>) -> &'static str {
    match format {
        Some("uri" | "url") => "https://example.com/",
        Some("date-time") => "2026-01-01T00:00:00Z",
        Some("uuid") => "00000000-0000-4000-8000-000000000000",
        _ => "text",
    }
}

/// How every made-up secret begins.
pub(crate) const SECRET: &str = "fake-secret-of-";

/// A text that is valid for a variable.
pub(crate) fn of_env(field: &EnvField) -> String {
    match field.kind {
        EnvKind::Secret => format!("{SECRET}{}", field.variable.to_lowercase().replace('_', "-")),
        kind => text_of_kind(kind, field.range),
    }
}

fn text_of_kind(kind: EnvKind, range: Option<(f64, f64)>) -> String {
    let (low, high) = range.unwrap_or((1.0, f64::MAX));
    match kind {
        EnvKind::Text | EnvKind::Secret | EnvKind::Other(_) => "fake".to_owned(),
        EnvKind::Url => "https://fake.invalid".to_owned(),
        EnvKind::Bool => "true".to_owned(),
        EnvKind::Integer { min, max } => (low.min(high).ceil() as i64).clamp(min, max).to_string(),
        EnvKind::Float => low.min(high).to_string(),
        EnvKind::Duration => format!("{}ms", (30.0_f64.clamp(low, high.max(low)) * 1000.0) as u64),
        EnvKind::List(kind) => text_of_kind(*kind, range),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_sample_prefers_the_authors_words() {
        let schema = json!({
            "$defs": { "Meta": { "type": "object", "properties": { "ms": { "type": "integer", "minimum": 5 } } } },
            "type": "object",
            "properties": {
                "output": { "type": "string", "examples": ["a cat"] },
                "format": { "type": "string", "default": "png" },
                "kind": { "enum": ["image", "text"] },
                "meta": { "$ref": "#/$defs/Meta" },
                "urls": { "type": "array", "items": { "type": "string", "format": "uri" } },
                "cost": { "type": ["null", "number"] },
                "anything": true,
            }
        });
        assert_eq!(
            of_schema(&schema),
            json!({
                "output": "a cat", "format": "png", "kind": "image", "meta": { "ms": 5 },
                "urls": ["https://example.com/"], "cost": 0.5,
            })
        );
    }

    #[test]
    fn an_example_has_what_is_required_and_what_its_author_gave() {
        let schema = json!({
            "type": "object",
            "properties": {
                "prompt": { "type": "string" }, "seed": { "type": "integer" }, "size": { "examples": ["1k"] },
                "format": { "type": "string", "default": "png" }, "style": { "type": "string", "default": null },
            },
            "required": ["prompt"],
        });
        assert_eq!(example(&schema), json!({ "prompt": "text", "size": "1k", "format": "png" }));
    }

    #[test]
    fn a_schema_that_contains_itself_ends() {
        let schema = json!({ "type": "object", "properties": { "child": { "$ref": "#" } } });
        assert!(of_schema(&schema).is_object());
    }
}
