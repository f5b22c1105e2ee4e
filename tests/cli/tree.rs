//! `emp check`, `connector`, `env`, `schema`: what is true of a tree, without running it.

use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{Ran, emp, run, run_with};

/// This package, which is a valid tree.
const TREE: &str = env!("CARGO_MANIFEST_DIR");

fn check(mapping: &Path) -> Ran {
    let connectors = Path::new(TREE).join("connectors");
    let home = TempDir::new().expect("a folder");
    let paths = [mapping, &connectors].map(|path| path.to_str().expect("UTF-8"));
    run_with(emp(home.path()).args([
        "check",
        "--mapping",
        paths[0],
        "--connectors",
        paths[1],
        "--format",
        "json",
    ]))
}

#[test]
fn check_finds_nothing_in_a_valid_tree() {
    let mapping = Path::new(TREE).join("service-mapping.json");
    assert_eq!(
        check(&mapping).exits(0).json(),
        json!({ "schema_version": 1, "findings": [], "allowed": [] })
    );
}

#[test]
fn check_shows_the_place_of_each_mistake_and_exits_with_3() {
    let home = TempDir::new().expect("a folder");
    let valid = std::fs::read_to_string(Path::new(TREE).join("service-mapping.json")).expect("it is there");
    let broken =
        valid.replace("\"connector\": \"MyServiceConnector\"", "\"connector\": \"MyServceConnector\"");
    assert_ne!(broken, valid);
    let mapping = home.path().join("service-mapping.json");
    std::fs::write(&mapping, &broken).expect("writes");

    let ran = check(&mapping).exits(3);
    let report = ran.json();
    assert_eq!(report["schema_version"], 1);
    let findings = report["findings"].as_array().expect("findings");
    for finding in findings {
        let keys: Vec<&str> = finding.as_object().expect("an object").keys().map(String::as_str).collect();
        for key in ["code", "severity", "message", "file", "line", "column", "pointer", "help"] {
            assert!(keys.contains(&key), "no {key}: {finding:#}");
        }
    }
    let pointer = "/workers/my-service-api/service/0/connector";
    let finding = findings.iter().find(|finding| finding["pointer"] == pointer).expect("its place is named");
    let line = broken.lines().position(|line| line.contains("MyServceConnector")).expect("a line") + 1;
    assert_eq!(finding["line"], line);
    assert_eq!(finding["severity"], "error");
    assert!(
        finding["file"].as_str().is_some_and(|file| file.ends_with("service-mapping.json")),
        "{finding:#}"
    );
    assert!(finding["help"].as_str().is_some_and(|help| help.contains("MyServiceConnector")), "{finding:#}");
}

#[test]
fn check_without_a_mapping_is_a_finding_too() {
    let home = TempDir::new().expect("a folder");
    let report = check(&home.path().join("service-mapping.json")).exits(3).json();
    assert_eq!(report["findings"][0]["severity"], "error", "{report:#}");
}

#[test]
fn connectors_are_listed_and_shown() {
    let list = run(&["connector", "list", "--json"]).exits(0).json();
    let list = list.as_array().expect("an array");
    assert!(list.len() >= 4, "{list:#?}");
    for connector in list {
        for field in ["name", "service", "version"] {
            assert!(connector[field].is_string(), "{field}: {connector:#}");
        }
    }
    let one = run(&["connector", "show", "MyServiceConnector", "--json"]).exits(0).json();
    assert_eq!(one["service"], "my-service");
    // One document, however many are shown.
    assert_eq!(
        run(&["connector", "show", "--json"]).exits(0).json().as_array().map(Vec::len),
        Some(list.len())
    );
    let unknown = run(&["connector", "show", "MyServceConnector", "--json"]).exits(5).error();
    assert_eq!(unknown["help"], "emp connector show MyServiceConnector");
}

#[test]
fn lines_of_a_connector_are_counted_and_their_median_is_shown() {
    let lines = run(&["connector", "show", "--lines"]).exits(0).out;
    let mut rows: Vec<(&str, u32)> = lines
        .lines()
        .map(|line| line.split_once('\t').expect("two columns"))
        .map(|(name, count)| (name, count.parse().expect("a count")))
        .collect();
    let (last, median) = rows.pop().expect("a last line");
    rows.sort_by_key(|(_, count)| *count);
    assert_eq!((last, median), ("median", rows[rows.len() / 2].1), "{lines}");
    let json = run(&["connector", "show", "--lines", "--json"]).exits(0).json();
    assert_eq!(json["median"], median);
    assert_eq!(json["connectors"].as_object().map(serde_json::Map::len), Some(rows.len()));
}

#[test]
fn env_check_names_what_is_missing_and_shows_no_value() {
    let missing = run(&["env", "check", "--json"]).exits(3).json();
    let rows = missing.as_array().expect("rows");
    let key = rows.iter().find(|row| row["variable"] == "MY_SERVICE_API_KEY").expect("a row");
    assert_eq!(
        (&key["required"], &key["secret"], &key["source"]),
        (&true.into(), &true.into(), &"unset".into())
    );

    let home = TempDir::new().expect("a folder");
    let secret = "canary-9a71-secret";
    for form in [&["env", "check"] as &[&str], &["env", "check", "--json"]] {
        let mut command = emp(home.path());
        for row in rows.iter().filter(|row| row["required"] == true) {
            // A URL is a text as well, so it fills every variable that is no secret.
            let value = if row["secret"] == true { secret } else { "https://service.example.com" };
            command.env(row["variable"].as_str().expect("a name"), value);
        }
        let all_set = run_with(command.args(form)).exits(0);
        assert!(!format!("{all_set:?}").contains("canary"), "{all_set:#?}");
    }
}

#[test]
fn env_explain_says_where_a_variable_is_read_and_knows_a_slip_of_the_pen() {
    let all = run(&["env", "explain", "MY_SERVICE_API_KEY", "--json"]).exits(0).json();
    let key = &all[0];
    assert_eq!((&key["secret"], &key["required"]), (&true.into(), &true.into()));
    assert_eq!(key["listed_by"], serde_json::json!(["my-service-api"]));
    assert_eq!(key["read_by"][0]["connector"], "MyServiceConnector");
    let slip = run(&["env", "explain", "MY_SERVICE_API_KEX", "--json"]).exits(5).error();
    assert_eq!(slip["code"], "E_NO_VARIABLE");
}

#[test]
fn a_mapping_of_the_system_replaced_is_migrated_to_one_that_can_be_checked() {
    let old = Path::new(TREE).join("emp-build/tests/data/service-mapping.2025-07-28.json");
    let new = run(&["mapping", "migrate", old.to_str().expect("UTF-8")]).exits(0).json();
    assert_eq!(new["workers"]["openai"]["required_env"], serde_json::json!(["OPENAI_API_KEY"]));

    // With `--out` it is written, whatever is printed.
    let home = TempDir::new().expect("a folder");
    for more in [&["--json"][..], &[]] {
        let args =
            [&["mapping", "migrate", old.to_str().expect("UTF-8"), "--out", "new.json"], more].concat();
        let ran = run_with(emp(home.path()).args(args)).exits(0);
        let written = std::fs::read_to_string(home.path().join("new.json")).expect("is written");
        assert_eq!(serde_json::from_str::<Value>(&written).expect("JSON"), new);
        match more {
            [] => assert_eq!(ran.out, ""),
            _ => assert_eq!(ran.json()["mapping"], new),
        }
        std::fs::remove_file(home.path().join("new.json")).expect("it was there");
    }
    std::fs::write(home.path().join("twice.json"), "{ \"workers\": {},\n \"workers\": {} }").expect("writes");
    let ran = run_with(emp(home.path()).args(["mapping", "migrate", "twice.json"])).exits(3);
    assert!(ran.err.contains("twice.json:2:") && ran.err.contains("given twice"), "{}", ran.err);
}

#[test]
fn a_secret_in_a_file_counts_where_the_environment_is_checked() {
    let home = TempDir::new().expect("a folder");
    std::fs::write(home.path().join("key"), "s3cret\n").expect("writes");
    let check = |file: &str| {
        let mut command = emp(home.path());
        command.args(["env", "check", "--workers", "my-service-api", "--json"]);
        run_with(command.env("MY_SERVICE_API_KEY_FILE", file))
    };
    let rows = check("key").exits(0).json();
    let row = rows.as_array().expect("a list").iter().find(|row| row["variable"] == "MY_SERVICE_API_KEY");
    assert_eq!(row.expect("it is read")["source"], "file");
    assert!(
        check("nowhere").exits(3).error()["message"]
            .to_string()
            .contains("MY_SERVICE_API_KEY_FILE names nowhere")
    );
}

#[test]
fn what_is_committed_is_fresh() {
    run_with(emp(Path::new(TREE)).args(["env", "example", "--check"])).exits(0);
    run_with(emp(Path::new(TREE)).args(["schema", "--check"])).exits(0);
    run_with(emp(Path::new(TREE)).args(["connector", "docs", "--check"])).exits(0);
    assert_eq!(run(&["env", "example", "--check", "--json"]).exits(6).error()["code"], "E_STALE");
    assert_eq!(run(&["schema", "--check", "--json"]).exits(6).error()["code"], "E_STALE");
}

#[test]
fn pages_are_written_compared_and_removed_with_their_connector() {
    let home = TempDir::new().expect("a folder");
    let docs = |more: &[&str]| run_with(emp(home.path()).args(["connector", "docs"]).args(more));
    docs(&["--out", "pages"]).exits(0);
    docs(&["--out", "pages", "--check"]).exits(0);
    let page = home.path().join("pages/MyServiceConnector.md");
    let text = std::fs::read_to_string(&page).expect("a page");
    for part in [
        "`MY_SERVICE_API_KEY`",
        "POST /process",
        "`processing`",
        "../connectors/my_service.rs",
        "emp connector docs",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    // A page of a connector that is no more is removed, a file of the author's own is not.
    std::fs::write(home.path().join("pages/GoneConnector.md"), &text).expect("a file");
    std::fs::write(home.path().join("pages/mine.md"), "# Mine").expect("a file");
    let stale = docs(&["--out", "pages", "--check", "--json"]).exits(6).error();
    assert_eq!(
        (&stale["code"], &stale["help"]),
        (&"E_STALE".into(), &"emp connector docs --out pages".into())
    );
    docs(&["--out", "pages"]).exits(0);
    assert!(
        !home.path().join("pages/GoneConnector.md").exists() && home.path().join("pages/mine.md").exists()
    );
    std::fs::write(&page, text + "edited").expect("a file");
    docs(&["--out", "pages", "--check"]).exits(6);
    // Without a folder they are printed.
    let one = run(&["connector", "docs", "MyServiceConnector"]).exits(0).out;
    assert!(one.contains("# MyServiceConnector") && !one.contains("# OpenAIConnector"), "{one}");
}

#[test]
fn every_schema_is_json() {
    for which in ["mapping", "job", "findings", "api"] {
        let schema: Value = run(&["schema", which]).exits(0).json();
        assert!(schema.is_object(), "{which}");
    }
}
