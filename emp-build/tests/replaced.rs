//! The last mapping of the system replaced, with connectors of the names that it declares: the checker finds the faults that it has,
//! and nothing that is not there.

use emp_build::{Document, Folder, Inputs, render, report};
use serde_json::Value;

const MAPPING: &str = include_str!("data/service-mapping.2025-07-28.json");

/// A connector for each declared name, each in a file of its own. None reads a variable.
fn stubs() -> Vec<Document> {
    let mapping: Value = serde_json::from_str(MAPPING).unwrap_or_default();
    let names = mapping["connectors"].as_object().into_iter().flatten().map(|(name, _)| name);
    names
        .enumerate()
        .map(|(index, name)| {
            let text = format!(
                "use emp_core::Connector;\n\n/// A stub.\n#[derive(Connector)]\n\
                 #[connector(service = \"stub\", version = \"1.0.0\", custom)]\npub struct {name} {{}}\n"
            );
            Document::new(format!("connectors/stub_{index}.rs"), text)
        })
        .collect()
}

#[test]
fn its_faults_are_found_each_at_its_place() {
    let report = report(&Inputs {
        mapping: Document::new("service-mapping.json", MAPPING),
        connectors: Folder { name: "connectors".to_owned(), files: Ok(stubs()), nested: Vec::new() },
        dockerfile: None,
        openapi: Vec::new(),
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
    assert!(!render::human(&report).is_empty());
}
