//! `docs/services.md` says nothing that is not there.

use std::collections::BTreeSet;
use std::path::Path;

use crate::bench::over_http;

const TABLE: &str = include_str!("../../docs/services.md");

/// The cells of the table's rows, heads left out.
fn rows() -> Vec<Vec<&'static str>> {
    let rows = TABLE.lines().filter(|line| line.starts_with("| ")).skip(1);
    // `\|` is a bar inside a cell, and always has a space before it here.
    rows.map(|row| row.trim_matches('|').split(" | ").map(str::trim).collect()).collect()
}

/// What stands between backticks.
fn quoted(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

#[test]
fn every_test_that_the_table_of_services_names_exists() {
    let mut source = String::new();
    collect(Path::new(env!("CARGO_MANIFEST_DIR")), &mut source);
    for row in rows() {
        let [service, _, _, tests] = row.as_slice() else { panic!("four cells: {row:?}") };
        let names: Vec<_> = quoted(tests).collect();
        assert!(!names.is_empty(), "{service}: no test");
        for name in names {
            assert!(is_test(&source, name), "{service}: there is no test {name}");
        }
    }
}

#[test]
fn every_connector_over_http_stands_in_the_table_of_services() {
    let listed: BTreeSet<_> = rows().iter().flat_map(|row| quoted(row[0])).collect();
    let stock: BTreeSet<_> = over_http().map(|entry| entry.spec.name).collect();
    assert_eq!(listed, stock);
}

#[test]
fn every_one_of_the_29_services_stands_in_the_table() {
    let numbers: BTreeSet<u32> =
        rows().iter().filter_map(|row| row[0].split(' ').next()?.parse().ok()).collect();
    assert_eq!(numbers, (1..=29).collect());
}

/// Whether a function of that name is a test: its attribute stands on the line before it.
fn is_test(source: &str, name: &str) -> bool {
    let heads = [format!("fn {name}("), format!("async fn {name}(")];
    let mut before = "";
    source.lines().any(|line| {
        let line = line.trim();
        let found = heads.iter().any(|head| line.starts_with(head))
            && (before == "#[test]" || before.starts_with("#[tokio::test"));
        before = line;
        found
    })
}

/// All Rust sources below a folder.
fn collect(folder: &Path, source: &mut String) {
    for entry in std::fs::read_dir(folder).expect("the source tree is there").flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_string_lossy();
        if path.is_dir() {
            if name != "target" && !name.starts_with('.') {
                collect(&path, source);
            }
        } else if name.ends_with(".rs") {
            source.push_str(&std::fs::read_to_string(&path).unwrap_or_default());
        }
    }
}
