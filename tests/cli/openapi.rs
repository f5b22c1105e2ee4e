//! `emp openapi`: slices are cut, and a newer description is compared with them.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{Ran, emp, run_with};

const TREE: &str = env!("CARGO_MANIFEST_DIR");

/// A committed slice; it is a description itself.
fn replicate() -> Value {
    let path = Path::new(TREE).join("schemas/openapi/replicate.json");
    serde_json::from_str(&std::fs::read_to_string(path).expect("it is there")).expect("JSON")
}

fn written(home: &TempDir, name: &str, text: &str) -> PathBuf {
    let path = home.path().join(name);
    std::fs::write(&path, text).expect("written");
    path
}

fn drift(description: &Value, more: &[&str]) -> Ran {
    let home = TempDir::new().expect("a folder");
    let spec = written(&home, "new.json", &description.to_string());
    let spec = spec.to_str().expect("UTF-8");
    run_with(emp(Path::new(TREE)).args(["openapi", "drift", "--spec", spec]).args(more))
}

#[test]
fn a_slice_is_cut_out_of_json_and_yaml_alike() {
    let home = TempDir::new().expect("a folder");
    let yaml = "openapi: 3.1.0\ninfo: {title: Jobs, version: '1', license: {name: MIT}}\npaths:\n  /jobs/{id}:\n    get:\n      \
        operationId: jobs.get\n      responses:\n        200: {content: {application/json: {schema: {type: object, description: A job.}}}}\n";
    let spec = written(&home, "jobs.yaml", yaml);
    let out = home.path().join("schemas/openapi/jobs.json");
    let args =
        ["openapi", "slice", "--spec", spec.to_str().expect("UTF-8"), "--out", out.to_str().expect("UTF-8")];
    let cut = |operation: &str| {
        run_with(emp(home.path()).args(args).args(["--date", "2026-11-26", "--operation", operation]))
    };
    cut("jobs.get").exits(0);
    let slice: Value =
        serde_json::from_str(&std::fs::read_to_string(&out).expect("it was written")).expect("JSON");
    assert_eq!(slice["x-emp-slice"]["licence"], "MIT");
    assert_eq!(slice["x-emp-slice"]["sha256"].as_str().map(str::len), Some(64));
    let schema = slice.pointer("/paths/~1jobs~1{id}/get/responses/200/content/application~1json/schema");
    assert_eq!(schema, Some(&json!({ "type": "object" })));
    let bytes = std::fs::read(&out).expect("it was written");
    cut("GET /jobs/{id}").exits(0);
    assert_eq!(
        std::fs::read(&out).expect("it was written"),
        bytes,
        "the same operation gives the same bytes"
    );
    let wrong = cut("jobs.gte").exits(5);
    assert!(wrong.err.contains("did you mean `jobs.get`?"), "{}", wrong.err);
}

#[test]
fn a_description_that_did_not_change_drifts_nowhere() {
    let same = drift(&replicate(), &[]).exits(0);
    assert_eq!(same.out.trim(), "schemas/openapi/replicate.json: nothing has changed");
}

#[test]
fn x12_a_new_status_breaks_and_the_connector_that_it_touches_is_named() {
    let mut newer = replicate();
    let job = &mut newer["components"]["schemas"]["schemas_prediction_response"]["properties"];
    job["status"]["enum"].as_array_mut().expect("a list").push(json!("paused"));
    job["new"] = json!({ "type": "string" });
    let told = drift(&newer, &["--format", "json"]).exits(1).json();
    assert_eq!(told["breaking"], true);
    let slice = &told["slices"][0];
    let changes = slice["changes"].as_array().expect("a list");
    let of_poll = |path: &str| {
        let mut found = changes
            .iter()
            .filter(|change| change["operation"] == "predictions.get" && change["path"] == path);
        found.next().expect("it has changed").clone()
    };
    let status = of_poll("$.status");
    assert_eq!((&status["breaking"], &status["touches"]), (&json!(true), &json!(["ReplicateConnector"])));
    let new = of_poll("$.new");
    assert_eq!((&new["breaking"], &new["touches"]), (&json!(false), &json!([])));
    assert_eq!(slice["findings"][0]["code"], "EMP0187", "what the build would say: {slice}");
    let human = drift(&newer, &["--connector", "ReplicateConnector"]).exits(1);
    assert!(
        human
            .out
            .contains("predictions.get answer $.status can be \"paused\" now; touches ReplicateConnector"),
        "{}",
        human.out
    );
}

#[test]
fn a_description_of_another_service_needs_the_name_of_a_connector() {
    let mut other = replicate();
    other["info"]["title"] = json!("Another");
    assert!(drift(&other, &[]).exits(5).err.contains("--connector NAME"));
    assert!(
        drift(&other, &["--connector", "ReplicateConector"])
            .exits(5)
            .err
            .contains("--connector ReplicateConnector")
    );
    other["paths"] = json!({});
    let gone = drift(&other, &["--connector", "ReplicateConnector"]).exits(1);
    assert!(
        gone.out.contains("predictions.create the operation is gone; touches ReplicateConnector"),
        "{}",
        gone.out
    );
}
