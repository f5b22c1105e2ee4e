//! `emp connector test` and `record`, as an author and a CI run them.

use tempfile::TempDir;

use crate::support::{emp, run, run_with};

#[test]
fn a_connector_that_keeps_its_contract_exits_with_0_and_its_grade_says_what_is_missing() {
    let ran = run(&["connector", "test", "MyServiceConnector"]).exits(0);
    let rows: Vec<Vec<&str>> = ran.out.lines().map(|line| line.split('\t').collect()).collect();
    assert!(rows.len() > 60 && rows.iter().all(|row| row.len() == 5), "{ran:#?}");
    let row = |id: &str| rows.iter().find(|row| row[1] == id).unwrap_or_else(|| panic!("{id}: {ran:#?}"));
    assert_eq!(row("conduct.F33.cut_accepted")[2], "pass");
    assert_eq!(row("conduct.F40.other_id")[2], "n/a");
    assert!(row("conduct.F40.other_id")[4].contains("does not say"));
    assert!(ran.err.contains("grade B") && ran.err.contains("for A: record.present"), "{ran:#?}");
}

#[test]
fn reports_are_json_and_junit_for_machines() {
    let home = TempDir::new().expect("a folder");
    let json =
        run(&["connector", "test", "--all", "--format", "json", "--scenario", "happy,crash.finishing"])
            .exits(0)
            .json();
    assert_eq!(
        (json["schema_version"].as_u64(), json["passed"].as_bool()),
        (Some(1), Some(true)),
        "{json:#}"
    );
    let first = &json["reports"][0]["findings"][0];
    assert_eq!(
        (first["id"].as_str(), first["outcome"].as_str()),
        (Some("happy.F25.job"), Some("pass")),
        "{json:#}"
    );
    let file = home.path().join("junit.xml");
    let mut command = emp(home.path());
    command
        .args([
            "connector",
            "test",
            "ReplicateConnector",
            "--format",
            "junit",
            "--scenario",
            "cancel",
            "--out",
        ])
        .arg(&file);
    run_with(&mut command).exits(0);
    let xml = std::fs::read_to_string(file).expect("written");
    assert!(
        xml.contains("<testsuite name=\"ReplicateConnector\"") && xml.contains("name=\"cancel.queued\""),
        "{xml}"
    );
}

#[test]
fn a_connector_that_differs_from_its_record_exits_with_1() {
    let home = TempDir::new().expect("a folder");
    let emp = |args: &[&str]| run_with(emp(home.path()).args(args));
    emp(&["connector", "record", "ReplicateConnector"]).exits(0);
    emp(&["connector", "test", "ReplicateConnector", "--scenario", "record,states"]).exits(0);
    let file = home.path().join("schemas/services/ReplicateConnector.json");
    let record = std::fs::read_to_string(&file).expect("written");
    // As if the declaration had lost a word that the record has.
    let more = record.replace("\"words\": {", "\"words\": {\n    \"expired\": \"failed(service)\",");
    std::fs::write(&file, &more).expect("written");
    let ran = emp(&["connector", "test", "ReplicateConnector", "--scenario", "record,states"]).exits(1);
    assert!(
        ran.out.contains("record.words\tFAIL") && ran.out.contains("states.word.expired\tFAIL"),
        "{ran:#?}"
    );
    let again = emp(&["connector", "record", "ReplicateConnector"]).exits(0);
    assert!(again.err.contains("`expired` (failed(service)) is not declared"), "{again:#?}");
    assert_eq!(std::fs::read_to_string(&file).expect("written"), record);
    std::fs::write(&file, "{}").expect("written");
    let ran = emp(&["--json", "connector", "test", "ReplicateConnector"]).exits(3);
    assert_eq!(ran.error()["code"], "E_RECORD");
}

#[test]
fn nothing_is_overwritten_by_a_new_connector() {
    let home = TempDir::new().expect("a folder");
    let emp = |args: &[&str]| run_with(emp(home.path()).args(args));
    let mapping = home.path().join("service-mapping.json");
    std::fs::write(&mapping, "{ \"connectors\": {}, \"workers\": {} }\n").expect("written");
    let made = emp(&["connector", "new", "acme-video"]).exits(0);
    assert!(
        made.out.contains("wrote connectors/acme_video.rs") && made.out.contains("ACME_VIDEO_API_KEY"),
        "{made:#?}"
    );
    let before = std::fs::read_to_string(&mapping).expect("written");
    let ran = emp(&["--json", "connector", "new", "AcmeVideo"]).exits(6);
    assert_eq!(ran.error()["code"], "E_MAPPING");
    assert_eq!(std::fs::read_to_string(&mapping).expect("there"), before);
    std::fs::remove_file(&mapping).expect("removed");
    let ran = emp(&["--json", "connector", "new", "AcmeVideo"]).exits(6);
    assert_eq!(ran.error()["code"], "E_EXISTS");
    emp(&["connector", "new", "../escape"]).exits(2);
}
