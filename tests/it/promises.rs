//! docs/reliability.md: every promise in its table has tests that bear its number, and every test that it names exists.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The numbers of `reliability.md` that every version has to have a row for.
const NUMBERS: std::ops::RangeInclusive<u32> = 1..=32;

/// A row of the table: the promise's number, and the tests that show it.
struct Row {
    number: String,
    tests: Vec<String>,
}

#[test]
fn p32_every_promise_has_a_test_that_bears_its_number() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join("docs/reliability.md")).expect("the page is there");
    let rows: Vec<Row> = text.lines().filter_map(row).collect();
    let mut known = BTreeSet::new();
    collect(root, &mut known);

    let mut numbers: BTreeMap<&str, usize> = BTreeMap::new();
    for row in &rows {
        *numbers.entry(&row.number).or_default() += 1;
        assert!(!row.tests.is_empty(), "P{} has no test", row.number);
        for test in &row.tests {
            assert!(
                test.starts_with(&bearing(&row.number)),
                "`{test}` does not bear the number of P{}",
                row.number
            );
            assert!(known.contains(test), "P{}: there is no test `{test}`", row.number);
        }
    }
    assert!(numbers.values().all(|rows| *rows == 1), "one row for each: {numbers:?}");
    let missing: Vec<u32> =
        NUMBERS.filter(|number| !numbers.contains_key(number.to_string().as_str())).collect();
    assert!(missing.is_empty(), "no row for {missing:?}");
}

/// `p18b_` for `18b`: two digits, and the letter.
fn bearing(number: &str) -> String {
    let digits: String = number.chars().take_while(char::is_ascii_digit).collect();
    format!("p{digits:0>2}{}_", &number[digits.len()..])
}

/// The row in a line of the table: `| P18b | .. | `test`, .. |`.
fn row(line: &str) -> Option<Row> {
    let mut cells = line.strip_prefix("| P")?.split('|').map(str::trim);
    let number = cells.next()?.to_owned();
    let tests = cells.nth(1)?.split(',').map(|test| test.trim().trim_matches('`').to_owned());
    Some(Row { number, tests: tests.filter(|test| !test.is_empty()).collect() })
}

/// The names of all tests below a folder that bear a promise's number.
fn collect(folder: &Path, names: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).expect("the source tree is there").flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_string_lossy();
        if path.is_dir() {
            if name != "target" && !name.starts_with('.') {
                collect(&path, names);
            }
        } else if name.ends_with(".rs") {
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            names.extend(text.lines().filter_map(named).map(str::to_owned));
        }
    }
}

/// The test that a line names: `fn p05_..` or, in the conformance suite's list, a bare `p05_..`.
fn named(line: &str) -> Option<&str> {
    let line = line.trim().trim_start_matches("pub(super) ").trim_start_matches("pub ");
    let line = line.trim_start_matches("async ").trim_start_matches("fn ");
    let name = line.split(|sign: char| !sign.is_ascii_alphanumeric() && sign != '_').next()?;
    let digits = name.strip_prefix('p')?.get(..2)?;
    digits.chars().all(|digit| digit.is_ascii_digit()).then_some(name)
}
