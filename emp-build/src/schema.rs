//! The JSON Schemas of what is read and written: made from the Rust types, committed, tested fresh.

mod choices;
mod shape;

use std::path::Path;

use emp_core::mapping::Mapping;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::Value;

use crate::finding::Report;

pub use choices::Choices;
pub(crate) use shape::Shape;

/// The schema of `service-mapping.json`, draft 2020-12, with the choices that an editor completes and checks.
pub fn mapping(choices: &Choices) -> Value {
    let mut schema = of::<Mapping>();
    choices.write(&mut schema);
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
    use std::collections::{BTreeMap, BTreeSet};

    use serde_json::json;

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
        assert_eq!(undescribed(&mapping(&Choices::default())), Vec::<String>::new());
    }

    #[test]
    fn every_example_is_valid_by_its_own_schema() {
        let schema = mapping(&Choices::default());
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

    fn set<const N: usize>(words: [&str; N]) -> BTreeSet<String> {
        words.map(str::to_owned).into()
    }

    #[test]
    fn what_a_tree_has_is_a_choice_where_a_mapping_names_it() {
        let choices = Choices {
            connectors: BTreeMap::from([
                ("A".to_owned(), set(["a", "b"])),
                ("Broken".to_owned(), BTreeSet::new()),
            ]),
            variables: set(["A_KEY"]),
            bindings: set(["gpu"]),
            stages: set(["base"]),
        };
        let worker = |entry: Value| json!({ "workers": { "w": entry } });
        let service = |connector: &str, capability: Value| {
            worker(json!({ "service": [
                { "capability": capability, "connector": connector, "type": "external" }
            ] }))
        };
        let with = |key: &str, value: Value| worker(json!({ "service": [], key: value }));
        let (offered, free) = (mapping(&choices), mapping(&Choices::default()));
        for (right, wrong) in [
            (service("A", json!("a")), service("C", json!("a"))),
            (service("A", json!(["a", "b"])), service("A", json!(["a", "c"]))),
            (service("Broken", json!("anything")), service("A", json!("anything"))),
            (json!({ "connectors": { "A": {} } }), json!({ "connectors": { "C": {} } })),
            (with("required_env", json!(["A_KEY"])), with("required_env", json!(["A_KYE"]))),
            (with("resource_binding", json!("gpu")), with("resource_binding", json!("gpus"))),
            (with("build_stage", json!("base")), with("build_stage", json!("bas"))),
            (with("build_stage", Value::Null), with("build_stage", json!(""))),
        ] {
            assert!(jsonschema::is_valid(&offered, &right), "{right}");
            assert!(!jsonschema::is_valid(&offered, &wrong), "{wrong}");
            assert!(jsonschema::is_valid(&free, &wrong), "{wrong}");
        }
        for bound in [json!("${BINDING:-gpu}"), Value::Null] {
            assert!(jsonschema::is_valid(&offered, &with("resource_binding", bound)));
        }
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
