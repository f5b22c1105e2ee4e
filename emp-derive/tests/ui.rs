//! Declarations as an author writes them: those that compile, and one for each mistake.
//!
//! `TRYBUILD=overwrite cargo test -p emp-derive --test ui` writes the reports anew; read them before you commit them.

use std::collections::BTreeSet;

#[test]
fn declarations_compile_or_say_why() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/ui/pass/*.rs");
    cases.compile_fail("tests/ui/fail/*.rs");
}

#[test]
fn every_code_of_the_derive_has_a_failing_declaration_and_every_declaration_a_code() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/ui/fail");
    let fixtures: BTreeSet<String> = std::fs::read_dir(folder)
        .expect("the folder of failing declarations")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .filter_map(|name| Some(name.strip_suffix(".rs")?.split_once('-')?.0.to_owned()))
        .filter(|code| code.starts_with("EMP"))
        .collect();
    // The compiler of declarations never panics that we know of; its answer to that has a unit test.
    // A mistake that needs the disk to be seen is the build's to report, and its fixture is there.
    let reports = concat!(env!("CARGO_MANIFEST_DIR"), "/../emp-build/tests/reports");
    let reports: Vec<String> = std::fs::read_dir(reports)
        .expect("the folder of reports")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    let codes: BTreeSet<String> = emp_codegen::catalogue::all()
        .map(|entry| entry.code.as_str().to_owned())
        .filter(|code| code.starts_with("EMP01") && code != "EMP0199")
        .filter(|code| !reports.iter().any(|report| report.starts_with(code)))
        .collect();
    assert_eq!(fixtures, codes);
}

#[test]
fn every_report_names_the_code_of_its_file() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/ui/fail");
    for entry in std::fs::read_dir(folder).expect("the folder of failing declarations") {
        let path = entry.expect("an entry").path();
        let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        if path.extension().is_some_and(|extension| extension == "stderr") {
            let code = name.split('-').next().unwrap_or_default();
            let report = std::fs::read_to_string(&path).expect("a report");
            let first = report.lines().next().unwrap_or_default();
            assert!(first.contains(code), "{name} begins with `{first}`");
        }
    }
}
