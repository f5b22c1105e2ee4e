//! What a build writes: deterministic, and with the modules in it whatever is wrong.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails by panicking, as the test does")]

use std::path::Path;

use emp_build::{CheckInputs, Document, Folder, Inputs, Outcome, plan};

const MAPPING: &str = r#"{
  "connectors": { "MyServiceConnector": {}, "AsyncConnector": {} },
  "workers": {
    "w": {
      "service": [
        { "capability": "my-service", "connector": "MyServiceConnector", "type": "external" },
        { "capability": "async", "connector": "AsyncConnector", "type": "external" }
      ],
      "required_env": ["MY_SERVICE_API_KEY"]
    }
  }
}
"#;

const MY_SERVICE: &str = r#"//! MyService.
use emp_core::{Connector, Secret};

/// MyService.
#[derive(Connector)]
#[connector(service = "my-service", version = "1.0.0", custom)]
pub struct MyServiceConnector {
    #[env("MY_SERVICE_API_KEY")]
    api_key: Secret,
}
"#;

const ASYNC: &str = r#"#![cfg(unix)]
/// Async.
#[derive(emp_core::Connector)]
#[connector(service = "async", version = "1.0.0", custom)]
#[cfg(feature = "async")]
pub struct AsyncConnector {}
"#;

fn inputs(mapping: &str, files: &[(&str, &str)]) -> Inputs {
    let files = files.iter().map(|(name, text)| Document::new(format!("connectors/{name}"), *text)).collect();
    Inputs {
        mapping: Document::new("service-mapping.json", mapping),
        connectors: Folder { name: "connectors".to_owned(), files: Ok(files), nested: Vec::new() },
        dockerfiles: Vec::new(),
        openapi: Vec::new(),
        target: emp_build::Target::default(),
    }
}

fn built(mapping: &str, files: &[(&str, &str)]) -> (String, Outcome) {
    let outcome = plan(&inputs(mapping, files));
    (outcome.files["registry.rs"].clone(), outcome)
}

fn without_fingerprints(registry: &str) -> String {
    let digits = |line: &str| line.find("0x").map(|at| format!("{}0x{}", &line[..at], &line[at + 21..]));
    registry.lines().map(|line| digits(line).unwrap_or_else(|| line.to_owned()) + "\n").collect()
}

#[test]
fn the_registry_has_modules_entries_seals_and_the_environment() {
    let (registry, outcome) = built(MAPPING, &[("async.rs", ASYNC), ("my-service.rs", MY_SERVICE)]);
    assert_eq!(outcome.report.findings.len(), 0, "{:?}", outcome.report.findings);
    insta::assert_snapshot!(without_fingerprints(&registry));
}

#[test]
fn with_an_error_the_modules_stay_and_the_registry_is_empty_and_shows_the_report() {
    let broken = MAPPING.replace("\"AsyncConnector\": {}", "\"GoneConnector\": {}");
    let (registry, outcome) = built(&broken, &[("async.rs", ASYNC), ("my-service.rs", MY_SERVICE)]);
    insta::assert_snapshot!(registry);
    assert!(outcome.files["report.txt"].starts_with("\nerror[EMP02"), "{}", outcome.files["report.txt"]);
}

#[test]
fn a_connector_with_mistakes_of_its_own_is_the_derive_s_to_report_and_is_named_nowhere() {
    let wrong = MY_SERVICE.replace("version = \"1.0.0\"", "versoin = 1");
    let mapping = MAPPING.replace(", \"AsyncConnector\": {}", "").replace(
        "        { \"capability\": \"my-service\", \"connector\": \"MyServiceConnector\", \"type\": \"external\" },\n        { \"capability\": \"async\", \"connector\": \"AsyncConnector\", \"type\": \"external\" }",
        "        { \"capability\": \"my-service\", \"connector\": \"MyServiceConnector\", \"type\": \"external\" }",
    );
    let (registry, outcome) = built(&mapping, &[("my_service.rs", &wrong)]);
    assert_eq!(outcome.report.findings.len(), 0, "{:?}", outcome.report.findings);
    assert!(registry.contains("pub mod my_service;"), "{registry}");
    assert!(!registry.contains("MyServiceConnector"), "{registry}");
}

#[test]
fn a_file_that_is_not_rust_is_rustc_s_to_report_and_its_connectors_are_not_missed() {
    let (_, outcome) = built(MAPPING, &[("async.rs", ASYNC), ("my_service.rs", "pub struct {")]);
    assert_eq!(outcome.report.errors().count(), 0, "{:?}", outcome.report.findings);
}

#[test]
fn two_checkouts_in_two_folders_give_the_same_bytes() {
    let trees = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let asked = CheckInputs {
        mapping: "service-mapping.json".into(),
        connectors: "./connectors/".into(),
        dockerfile: None,
    };
    let outcomes = trees.each_ref().map(|tree| {
        write_tree(tree.path());
        plan(&asked.read(tree.path()))
    });
    let [first, second] = &outcomes;
    assert_eq!(first.files, second.files);
    for (name, text) in &first.files {
        for tree in &trees {
            assert!(!text.contains(&*tree.path().to_string_lossy()), "{name} names its folder");
        }
    }
}

fn write_tree(root: &Path) {
    std::fs::create_dir(root.join("connectors")).unwrap();
    std::fs::write(root.join("service-mapping.json"), MAPPING.replace("Async", "Gone")).unwrap();
    std::fs::write(root.join("connectors/my_service.rs"), MY_SERVICE).unwrap();
    std::fs::write(root.join("connectors/async.rs"), ASYNC).unwrap();
}
