//! Golden reports: each folder of `tests/reports/` is a tree with a fault, named for its code, with the report that it must
//! give. `fixed/` in it holds the files that mend it: with them laid over the tree nothing is reported.
//!
//! `EMP_BLESS=1` rewrites the reports.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails by panicking, as the test does")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use emp_build::{CheckInputs, Report, Target, render, report};
use emp_codegen::catalogue::{machine, mapping, openapi};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/reports");

fn fixtures() -> Vec<PathBuf> {
    let mut folders: Vec<_> = std::fs::read_dir(ROOT)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    folders
}

fn name(folder: &Path) -> &str {
    folder.file_name().unwrap().to_str().unwrap()
}

fn code(folder: &Path) -> &str {
    name(folder).split_once('-').unwrap().0
}

fn report_of(root: &Path) -> Report {
    let inputs = CheckInputs {
        mapping: "service-mapping.json".into(),
        connectors: "connectors".into(),
        dockerfile: None,
    };
    let mut inputs = inputs.read(root);
    // What cargo tells the build script of its target, a variable a line.
    let variables = std::fs::read_to_string(root.join("cargo.env")).unwrap_or_default();
    let pairs = variables.lines().filter_map(|line| line.split_once('='));
    inputs.target = Target::from_variables(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())));
    report(&inputs)
}

fn lay_over(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        match path.is_dir() {
            true if name(&path) == "fixed" => {}
            true => lay_over(&path, &target),
            // Another test may be writing it.
            false if name(&path) == "expected.txt" => {}
            // An empty file in `fixed/` takes the file away.
            false if std::fs::metadata(&path).unwrap().len() == 0 => std::fs::remove_file(target).unwrap(),
            false => drop(std::fs::copy(&path, target).unwrap()),
        }
    }
}

#[test]
fn each_fault_gives_its_report() {
    let bless = std::env::var_os("EMP_BLESS").is_some();
    let mut wrong = Vec::new();
    for folder in fixtures() {
        let report = report_of(&folder);
        let text = render::human(&report);
        let path = folder.join("expected.txt");
        if bless {
            std::fs::write(&path, &text).unwrap();
        }
        if std::fs::read_to_string(&path).unwrap_or_default() != text {
            wrong.push(format!("{}:\n{text}", name(&folder)));
        }
        let own = report.findings.iter().filter(|finding| finding.code == code(&folder)).count();
        if own == 0 || own != report.findings.len() {
            wrong.push(format!("{} must show its code and no other:\n{text}", name(&folder)));
        }
        for finding in &report.findings {
            assert!(!finding.help.is_empty(), "{}: no fix", finding.message);
            assert!(finding.message.starts_with(|c: char| !c.is_uppercase()), "{}", finding.message);
        }
    }
    assert!(wrong.is_empty(), "EMP_BLESS=1 accepts these:\n{}", wrong.join("\n"));
}

#[test]
fn each_fault_mended_gives_no_report() {
    let mut wrong = Vec::new();
    for folder in fixtures() {
        let tree = tempfile::tempdir().unwrap();
        lay_over(&folder, tree.path());
        lay_over(&folder.join("fixed"), tree.path());
        let report = report_of(tree.path());
        if !report.findings.is_empty() {
            wrong.push(format!("{}:\n{}", name(&folder), render::human(&report)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_code_has_a_fixture_and_every_fixture_a_code() {
    let shown: BTreeSet<_> = fixtures().iter().map(|folder| code(folder).to_owned()).collect();
    let entries = [openapi::ENTRIES, mapping::ENTRIES, machine::ENTRIES, mapping::LAST].into_iter().flatten();
    let known: BTreeSet<_> = entries.map(|entry| entry.code.as_str().to_owned()).collect();
    assert_eq!(shown, known);
}
