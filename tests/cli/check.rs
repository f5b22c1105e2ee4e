//! `emp check`, as scripts, forges and editors call it.

use std::path::Path;

use tempfile::TempDir;

use crate::support::{Ran, Running, emp, run, run_with};

const CONNECTOR: &str = "/// A.\n#[derive(emp_core::Connector)]\n\
    #[connector(service = \"a\", version = \"1.0.0\", custom)]\npub struct AConnector {}\n";

const MAPPING: &str = r#"{
  "connectors": { "AConnector": {} },
  "workers": {
    "a-api": { "service": [{ "capability": "a", "connector": "AConnector", "type": "external" }] }
  }
}
"#;

/// A mapping that cannot work: the connector's name has a letter too few.
fn broken() -> String {
    MAPPING.replace("\"connector\": \"AConnector\"", "\"connector\": \"AConector\"")
}

fn tree(mapping: &str) -> TempDir {
    let home = TempDir::new().expect("a folder");
    std::fs::create_dir(home.path().join("connectors")).expect("a folder");
    std::fs::write(home.path().join("connectors/a.rs"), CONNECTOR).expect("writes");
    write(home.path(), mapping);
    home
}

fn write(home: &Path, mapping: &str) {
    std::fs::write(home.join("service-mapping.json"), mapping).expect("writes");
}

fn check(home: &TempDir, format: &str) -> Ran {
    run_with(emp(home.path()).args(["check", "--format", format]))
}

#[test]
fn the_exit_code_says_whether_the_mapping_can_work_in_every_format() {
    let (sound, broken) = (tree(MAPPING), tree(&broken()));
    for format in ["human", "json", "github", "sarif", "junit"] {
        check(&sound, format).exits(0);
        let ran = check(&broken, format).exits(3);
        assert!(ran.out.contains("AConector"), "{format}: {ran:#?}");
        assert!(ran.err.is_empty(), "{format}: {ran:#?}");
    }
    run(&["check", "--format", "toml"]).exits(2);
}

#[test]
fn a_workflow_of_github_gets_annotations_by_itself() {
    let broken = tree(&broken());
    let ran = run_with(emp(broken.path()).arg("check").env("GITHUB_ACTIONS", "true")).exits(3);
    assert!(ran.out.starts_with("::error file=service-mapping.json,line=4,"), "{ran:#?}");
}

#[test]
fn sarif_has_the_place_of_each_mistake() {
    let log = check(&tree(&broken()), "sarif").exits(3).json();
    let result = &log["runs"][0]["results"][0];
    let place = &result["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "service-mapping.json");
    let region = &place["region"];
    let line = broken().lines().nth(3).expect("a line").to_owned();
    let cut = |from: &str, to: &str| {
        let at = |key: &str| usize::try_from(region[key].as_u64().expect("a number")).expect("small") - 1;
        line[at(from)..at(to)].to_owned()
    };
    assert_eq!(region["startLine"], 4, "{log:#}");
    assert_eq!(cut("startColumn", "endColumn"), "\"AConector\"", "{log:#}");
}

#[test]
fn watch_checks_again_when_a_file_changes_and_only_then() {
    let home = tree(MAPPING);
    let mut watching = Running::start(emp(home.path()).args(["check", "--watch"]));
    watching.line("nothing to complain about");
    write(home.path(), &broken());
    watching.line("`AConector`");
    let renamed = CONNECTOR.replace("AConnector", "AConector");
    std::fs::write(home.path().join("connectors/a.rs"), renamed).expect("writes");
    watching.line("no source has a connector `AConnector`");
    write(home.path(), &MAPPING.replace("AConnector", "AConector"));
    watching.line("nothing to complain about");
    watching.signal("INT");
    watching.ends();
    // A file can be seen while it is half written.
    let printed = watching.printed().matches("watching;").count();
    assert!((3..=8).contains(&printed), "one for each state that was seen: {printed}");
}
