//! The committed schemas are what the types say now. `EMP_BLESS=1` rewrites them.

use std::path::Path;

use emp_build::schema::{self, Choices};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// What a mapping of this tree may say, read as the build reads it.
fn choices() -> Choices {
    let asked = emp_build::CheckInputs {
        mapping: "service-mapping.json".into(),
        connectors: "connectors".into(),
        dockerfile: None,
    };
    Choices::of(&asked.read(Path::new(ROOT)))
}

fn fresh(file: &str, schema: &serde_json::Value) {
    let path = Path::new(ROOT).join("schemas").join(file);
    let bless = std::env::var_os("EMP_BLESS").is_some();
    assert!(
        schema::write_or_check(&path, schema, bless).is_ok_and(|fresh| fresh),
        "schemas/{file} is not fresh: `emp schema --write`, or this test with EMP_BLESS=1"
    );
}

#[test]
fn the_schema_of_the_mapping_is_fresh() {
    fresh("service-mapping.schema.json", &schema::mapping(&choices()));
}

#[test]
fn the_schema_of_findings_is_fresh() {
    fresh("findings.schema.json", &schema::findings());
}

#[test]
fn a_report_is_valid_by_its_schema() {
    let asked =
        emp_build::CheckInputs { mapping: "gone.json".into(), connectors: "gone".into(), dockerfile: None };
    let report = emp_build::report(&asked.read(Path::new(ROOT)));
    assert_eq!(report.findings.len(), 2);
    let value = serde_json::to_value(&report).expect("a report is texts and numbers");
    assert!(jsonschema::is_valid(&schema::findings(), &value), "{value:#}");
}

#[test]
fn the_stages_of_the_dockerfiles_that_a_mapping_names_are_choices() {
    let tree = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| std::fs::write(tree.path().join(name), text).expect("writes");
    write("service-mapping.json", r#"{ "machine": { "dockerfile": "./Dockerfile" } }"#);
    write("Dockerfile", "FROM debian AS base\nRUN true\nFROM base AS comfyui\n");
    let asked = emp_build::CheckInputs {
        mapping: "service-mapping.json".into(),
        connectors: "connectors".into(),
        dockerfile: None,
    };
    let choices = Choices::of(&asked.read(tree.path()));
    assert_eq!(choices.stages.iter().map(String::as_str).collect::<Vec<_>>(), ["base", "comfyui"]);
    let worker = schema::mapping(&choices)["$defs"]["Worker"].clone();
    assert_eq!(worker["properties"]["build_stage"]["enum"], serde_json::json!(["base", "comfyui", null]));
}
