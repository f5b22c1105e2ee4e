//! The last mapping of the system replaced, with connectors of the names that it declares: the checker finds the faults that it has,
//! and nothing that is not there.

use std::collections::BTreeSet;

use emp_build::{Document, Folder, Inputs, render, report};
use serde_json::Value;

const MAPPING: &str = include_str!("data/service-mapping.2025-07-28.json");

/// A connector for each declared name, each in a file of its own: it serves what the mapping has it do and reads the variables that
/// stand in `api_config` and `required_env`, with the mapping's own defaults.
fn stubs() -> Vec<Document> {
    let mapping: Value = serde_json::from_str(MAPPING).unwrap_or_default();
    let names = mapping["connectors"].as_object().into_iter().flatten().map(|(name, _)| name);
    names.enumerate().map(|(index, name)| stub(&mapping, index, name)).collect()
}

fn stub(mapping: &Value, index: usize, name: &str) -> Document {
    let (mut services, mut fields) = (BTreeSet::new(), BTreeSet::new());
    for (_, worker) in mapping["workers"].as_object().into_iter().flatten() {
        for service in
            worker["service"].as_array().into_iter().flatten().filter(|one| one["connector"] == *name)
        {
            let capability = &service["capability"];
            let many = capability.as_array().into_iter().flatten();
            services.extend(capability.as_str().into_iter().chain(many.filter_map(Value::as_str)));
            for (key, value) in worker["api_config"].as_object().into_iter().flatten() {
                let (variable, default) = parts(value);
                let kind = if key == "timeout" { "std::time::Duration" } else { "String" };
                fields.insert(format!("#[env(\"{variable}\", default = \"{default}\")]\n{key}: {kind},\n"));
            }
            for value in worker["required_env"].as_array().into_iter().flatten() {
                fields.insert(format!("#[env(\"{}\")]\nkey: emp_core::Secret,\n", parts(value).1));
            }
        }
    }
    let fields: String = fields.into_iter().collect();
    let text = format!(
        "use emp_core::Connector;\n\n/// A stub.\n#[derive(Connector)]\n\
         #[connector(service = {services:?}, version = \"1.0.0\", custom)]\npub struct {name} {{\n{fields}}}\n"
    )
    .replace("= {", "= [")
    .replace("}, version", "], version");
    Document::new(format!("connectors/stub_{index}.rs"), text)
}

/// The name and the default of `${NAME:-default}`.
fn parts(value: &Value) -> (&str, &str) {
    let text = value.as_str().unwrap_or_default().trim_start_matches("${").trim_end_matches('}');
    text.split_once(":-").unwrap_or((text, ""))
}

#[test]
fn its_faults_are_found_each_at_its_place() {
    let report = report(&Inputs {
        mapping: Document::new("service-mapping.json", MAPPING),
        connectors: Folder { name: "connectors".to_owned(), files: Ok(stubs()), nested: Vec::new() },
        dockerfiles: Vec::new(),
        openapi: Vec::new(),
        target: emp_build::Target::default(),
    });
    for finding in &report.findings {
        assert!(emp_codegen::catalogue::find(finding.code).is_some(), "{} cannot be explained", finding.code);
    }
    let found: Vec<_> = report
        .findings
        .iter()
        .map(|finding| format!("{}:{} {} {}", finding.line, finding.column, finding.code, finding.message))
        .collect();
    insta::assert_snapshot!(found.join("\n"));
    assert_eq!(found.iter().filter(|line| line.contains("EMP0220")).count(), 6);
    assert!(!render::human(&report).is_empty());
}
