//! What a job's payload is: its members, and a job to copy.

use emp_core::spec::ConnectorSpec;
use serde_json::{Value, json};

use super::markdown::{Page, code, table};

/// The service of the connector guide.
pub(crate) const GUIDE: &str = "my-service";

/// A payload that a connector accepts; for the guide's own service, the guide's.
pub(crate) fn example(service: &str, spec: &ConnectorSpec) -> Value {
    if service == GUIDE {
        return json!({ "input": "test input", "model": "my-model-v1" });
    }
    emp_testkit::example(&spec.payload.to_json_schema())
}

/// Describes the payload, and the result where its shape is declared.
pub(super) fn describe(page: &mut Page, spec: &'static ConnectorSpec) {
    let schema = spec.payload.to_json_schema();
    let service = spec.services.first().copied().unwrap_or_default();
    page.block(&table(&["member", "type", "", "meaning"], members(&schema)));
    let job = json!({ "service": service, "payload": example(service, spec) });
    page.fenced(
        "sh",
        &format!(
            "curl -X POST http://127.0.0.1:3000/api/jobs -H 'Content-Type: application/json' -d '{}'",
            job.to_string().replace('\'', r"'\''")
        ),
    );
    if let Some(output) = spec.output {
        page.section("Result");
        page.block(&table(&["member", "type", "", "meaning"], members(&output())));
    }
}

fn members(schema: &Value) -> Vec<Vec<String>> {
    let required = schema.get("required").and_then(Value::as_array);
    let required = |name: &str| required.is_some_and(|list| list.iter().any(|known| known == name));
    let properties = schema.get("properties").and_then(Value::as_object);
    let row = |(name, member): (&String, &Value)| {
        let need = if required(name) { "required" } else { "" };
        let meaning = member.get("description").and_then(Value::as_str).unwrap_or_default();
        let example = member.get("examples").and_then(|examples| examples.get(0));
        let example = example.map(|example| format!(" For example {}.", code(example))).unwrap_or_default();
        vec![code(name), type_of(schema, member), need.to_owned(), format!("{meaning}{example}")]
    };
    properties.into_iter().flatten().map(row).collect()
}

/// A type in one word or two; `any` where the schema says nothing.
fn type_of(root: &Value, schema: &Value) -> String {
    if let Some(target) =
        schema.get("$ref").and_then(Value::as_str).and_then(|to| root.pointer(to.strip_prefix('#')?))
    {
        return type_of(root, target);
    }
    let choices = ["anyOf", "oneOf"].into_iter().find_map(|key| schema.get(key)).and_then(Value::as_array);
    if let Some(choices) = choices {
        let consts: Vec<String> = choices.iter().filter_map(|choice| choice.get("const")).map(code).collect();
        if consts.len() == choices.len() {
            return consts.join(", ");
        }
        let named: Vec<String> = choices
            .iter()
            .filter(|choice| choice["type"] != "null")
            .map(|choice| type_of(root, choice))
            .collect();
        return named.join(" or ");
    }
    if let Some(words) = schema.get("enum").and_then(Value::as_array) {
        return words.iter().filter(|word| !word.is_null()).map(code).collect::<Vec<_>>().join(", ");
    }
    let names = match schema.get("type") {
        Some(Value::String(name)) => vec![name.as_str()],
        Some(Value::Array(names)) => {
            names.iter().filter_map(Value::as_str).filter(|name| *name != "null").collect()
        }
        _ => return "any".to_owned(),
    };
    match (names.as_slice(), schema.get("items")) {
        (["array"], Some(items)) => format!("list of {}", type_of(root, items)),
        (names, _) => names.join(" or "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_named_as_a_person_would() {
        let root = json!({ "$defs": { "Kind": { "oneOf": [{ "const": "a" }, { "const": "b" }] } } });
        let of = |schema: Value| type_of(&root, &schema);
        assert_eq!(of(json!({ "type": ["string", "null"] })), "string");
        assert_eq!(of(json!({ "type": "array", "items": { "type": "object" } })), "list of object");
        assert_eq!(of(json!({ "$ref": "#/$defs/Kind" })), "`\"a\"`, `\"b\"`");
        assert_eq!(
            of(json!({ "anyOf": [{ "$ref": "#/$defs/Kind" }, { "type": "null" }] })),
            "`\"a\"`, `\"b\"`"
        );
        assert_eq!(of(json!({ "enum": ["x", null] })), "`\"x\"`");
        assert_eq!(of(json!(true)), "any");
    }
}
