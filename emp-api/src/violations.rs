//! What a value has wrong against a JSON Schema, in words, at the places that the client wrote.

use jsonschema::error::{TypeKind, ValidationErrorKind as Kind};
use jsonschema::{PatternOptions, ValidationError, Validator};
use serde_json::Value;

use crate::problem::Violation;
use emp_core::strict_json::push_segment;

/// So many are reported of one request.
const MAX_VIOLATIONS: usize = 50;

/// Compiles a schema. Patterns run on the linear engine, so that no payload can make one backtrack; a schema that points to
/// another document is an error, since nothing is fetched.
pub(crate) fn compile(schema: &Value) -> Result<Validator, String> {
    jsonschema::options()
        .with_draft(jsonschema::Draft::Draft202012)
        .with_pattern_options(PatternOptions::regex())
        .should_validate_formats(true)
        .build(schema)
        .map_err(|error| error.to_string())
}

/// Everything that a value has wrong; `prefix` is the value's own place in the body.
pub(crate) fn violations(validator: &Validator, value: &Value, prefix: &str) -> Vec<Violation> {
    let mut found = Vec::new();
    for error in validator.iter_errors(value) {
        describe(&error, prefix, &mut found);
        if found.len() >= MAX_VIOLATIONS {
            break;
        }
    }
    found
}

fn describe(error: &ValidationError<'_>, prefix: &str, found: &mut Vec<Violation>) {
    let place = format!("{prefix}{}", error.instance_path().as_str());
    let mut add = |pointer: String, detail: String, expected: Option<String>| {
        found.push(Violation { pointer, detail, expected });
    };
    match error.kind() {
        Kind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            add(member(&place, name), "is missing".to_owned(), Some(format!("a member `{name}`")));
        }
        Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
            for name in unexpected {
                add(
                    member(&place, &short(name)),
                    "is not known here".to_owned(),
                    Some("no such member".to_owned()),
                );
            }
        }
        kind => add(place, format!("is {}", shown(error.instance())), Some(expected(kind, error))),
    }
}

fn member(place: &str, name: &str) -> String {
    let mut pointer = place.to_owned();
    push_segment(&mut pointer, name);
    pointer
}

/// What would be right, as a phrase.
fn expected(kind: &Kind, error: &ValidationError<'_>) -> String {
    match kind {
        Kind::Type { kind: TypeKind::Single(one) } => with_article(one.as_str()),
        Kind::Type { kind: TypeKind::Multiple(several) } => {
            several.iter().map(|one| with_article(one.as_str())).collect::<Vec<_>>().join(" or ")
        }
        Kind::Enum { options } => {
            let words: Vec<String> = options.as_array().into_iter().flatten().map(shown).collect();
            format!("one of {}", words.join(", "))
        }
        Kind::Constant { expected_value } => shown(expected_value),
        Kind::Minimum { limit } => format!("at least {limit}"),
        Kind::Maximum { limit } => format!("at most {limit}"),
        Kind::ExclusiveMinimum { limit } => format!("more than {limit}"),
        Kind::ExclusiveMaximum { limit } => format!("less than {limit}"),
        Kind::MinLength { limit } => format!("at least {limit} characters"),
        Kind::MaxLength { limit } => format!("at most {limit} characters"),
        Kind::MinItems { limit } => format!("at least {limit} items"),
        Kind::MaxItems { limit } => format!("at most {limit} items"),
        Kind::MinProperties { limit } => format!("at least {limit} members"),
        Kind::MaxProperties { limit } => format!("at most {limit} members"),
        Kind::UniqueItems => "items that differ".to_owned(),
        Kind::Pattern { pattern } => format!("a text that matches {pattern}"),
        Kind::Format { format } => format!("a text of the format `{format}`"),
        Kind::FalseSchema => "no such member".to_owned(),
        Kind::PropertyNames { error } => {
            format!("only member names that are {}", expected(error.kind(), error))
        }
        // What is left are combinations of schemas; the library's sentence names them, without the value.
        _ => short(&error.masked_with("the value").to_string()),
    }
}

fn with_article(name: &str) -> String {
    match name {
        "null" => "null".to_owned(),
        "array" | "integer" | "object" => format!("an {name}"),
        other => format!("a {other}"),
    }
}

/// A value as the client may recognise it: small ones as they are, large ones by their kind.
fn shown(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("an array of {}", items.len()),
        Value::Object(_) => "an object".to_owned(),
        Value::String(text) if text.chars().nth(64).is_some() => {
            format!("a string of {} characters", text.chars().count())
        }
        small => small.to_string(),
    }
}

fn short(text: &str) -> String {
    text.chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{compile, violations};

    fn found(schema: &Value, value: &Value) -> Vec<(String, String, String)> {
        let validator = compile(schema).unwrap();
        let mut found: Vec<_> = violations(&validator, value, "/payload")
            .into_iter()
            .map(|v| (v.pointer, v.detail, v.expected.unwrap_or_default()))
            .collect();
        found.sort();
        found
    }

    #[test]
    fn every_violation_is_named_at_its_place() {
        let schema = json!({
            "type": "object",
            "properties": { "input": { "type": "string" }, "n": { "type": "integer", "maximum": 9 }, "mode": { "enum": ["a", "b"] } },
            "required": ["input", "a/b"],
            "additionalProperties": false
        });
        let rows = found(&schema, &json!({ "n": 12, "mode": "c", "x": 1 }));
        let expected = [
            ("/payload/a~1b", "is missing", "a member `a/b`"),
            ("/payload/input", "is missing", "a member `input`"),
            ("/payload/mode", "is \"c\"", "one of \"a\", \"b\""),
            ("/payload/n", "is 12", "at most 9"),
            ("/payload/x", "is not known here", "no such member"),
        ];
        assert_eq!(rows, expected.map(|(p, d, e)| (p.to_owned(), d.to_owned(), e.to_owned())));
        assert_eq!(
            found(&schema, &json!([]))[0],
            ("/payload".into(), "is an array of 0".into(), "an object".into())
        );
    }

    #[test]
    fn a_large_value_is_not_sent_back() {
        let rows = found(&json!({ "type": "integer" }), &json!("x".repeat(100_000)));
        assert_eq!(rows[0].1, "is a string of 100000 characters");
    }

    #[test]
    fn i73_a_pattern_that_would_backtrack_runs_in_linear_time() {
        let schema = json!({ "type": "string", "pattern": "^(a+)+$" });
        let text = format!("{}b", "a".repeat(50_000));
        assert_eq!(found(&schema, &json!(text)).len(), 1);
    }

    #[test]
    fn i74_a_schema_that_points_elsewhere_is_refused_and_nothing_is_fetched() {
        for reference in ["http://127.0.0.1:9/x", "file:///etc/passwd"] {
            assert!(compile(&json!({ "$ref": reference })).is_err(), "{reference}");
        }
    }
}
