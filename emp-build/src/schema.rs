//! The JSON Schemas of what is read and written: made from the Rust types, committed, tested fresh.

mod shape;

use std::path::Path;

use emp_core::mapping::Mapping;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

use crate::finding::Report;

pub(crate) use shape::Shape;

/// The schema of `service-mapping.json`, draft 2020-12. The names of connectors become choices, so that an editor completes
/// them; without names any text is allowed.
pub fn mapping<'a>(connectors: impl IntoIterator<Item = &'a str>) -> Value {
    let mut names: Vec<&str> = connectors.into_iter().collect();
    names.sort_unstable();
    names.dedup();
    let mut schema = of::<Mapping>();
    if !names.is_empty() {
        if let Some(connectors) = schema.pointer_mut("/properties/connectors").and_then(Value::as_object_mut)
        {
            connectors.insert("propertyNames".to_owned(), json!({ "enum": names }));
        }
        let connector = schema.pointer_mut("/$defs/ServiceEntry/properties/connector");
        if let Some(connector) = connector.and_then(Value::as_object_mut) {
            connector.insert("enum".to_owned(), json!(names));
        }
    }
    schema
}

/// The schema of `emp check --format json`, draft 2020-12.
pub fn findings() -> Value {
    of::<Report>()
}

/// A schema as it is committed.
pub fn text(schema: &Value) -> String {
    format!("{schema:#}\n")
}

/// Writes a schema file, or says whether the one that is there is fresh.
///
/// # Errors
/// What kept the file from being written. One that cannot be read is not fresh.
pub fn write_or_check(path: &Path, schema: &Value, write: bool) -> std::io::Result<bool> {
    let text = text(schema);
    if std::fs::read_to_string(path).is_ok_and(|old| old == text) {
        return Ok(true);
    }
    if write {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(path, text)?;
    }
    Ok(write)
}

fn of<T: JsonSchema>() -> Value {
    SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Everything that an editor shows when it completes a key.
    fn undescribed(schema: &Value) -> Vec<String> {
        let definitions = schema["$defs"].as_object().into_iter().flatten();
        let all = definitions.map(|(name, schema)| (name.as_str(), schema)).chain([("", schema)]);
        let mut found = Vec::new();
        for (name, schema) in all {
            for (key, property) in schema["properties"].as_object().into_iter().flatten() {
                if property["description"].as_str().is_none_or(str::is_empty) {
                    found.push(format!("{name}.{key} has no description"));
                }
                if property["examples"].as_array().is_none_or(Vec::is_empty) {
                    found.push(format!("{name}.{key} has no example"));
                }
            }
        }
        found
    }

    #[test]
    fn every_property_has_a_description_and_an_example() {
        assert_eq!(undescribed(&mapping([])), Vec::<String>::new());
    }

    #[test]
    fn every_example_is_valid_by_its_own_schema() {
        let schema = mapping([]);
        let definitions = schema["$defs"].as_object().unwrap();
        for owner in definitions.values().chain([&schema]) {
            for (key, property) in owner["properties"].as_object().into_iter().flatten() {
                let mut whole = property.clone();
                whole["$defs"] = schema["$defs"].clone();
                let examples = property["examples"].as_array().unwrap();
                for example in examples {
                    assert!(jsonschema::is_valid(&whole, example), "{key}: {example}");
                }
            }
        }
    }

    #[test]
    fn connectors_are_choices_where_they_are_declared_and_where_they_are_used() {
        let schema = mapping(["B", "A", "B"]);
        assert_eq!(schema["properties"]["connectors"]["propertyNames"]["enum"], json!(["A", "B"]));
        assert_eq!(schema["$defs"]["ServiceEntry"]["properties"]["connector"]["enum"], json!(["A", "B"]));
        let worker = |connector: &str| {
            json!({ "workers": { "w": { "service": [
                { "capability": "c", "connector": connector, "type": "external" }
            ] } } })
        };
        assert!(jsonschema::is_valid(&schema, &worker("A")));
        assert!(!jsonschema::is_valid(&schema, &worker("C")));
        assert!(jsonschema::is_valid(&mapping([]), &worker("C")));
    }

    #[test]
    fn a_schema_is_written_once_and_found_fresh_then() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("schemas").join("x.json");
        assert!(!write_or_check(&path, &json!({}), false).unwrap());
        assert!(write_or_check(&path, &json!({}), true).unwrap());
        assert!(write_or_check(&path, &json!({}), false).unwrap());
        assert!(!write_or_check(&path, &json!({ "a": 1 }), false).unwrap());
    }
}
