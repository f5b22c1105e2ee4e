//! Every promise of this version has a test that bears its number: a promise without a test is not in the README.

use std::collections::BTreeSet;
use std::path::Path;

/// The promises of `reliability.md` that this version makes.
const PROMISED: [u32; 16] = [1, 2, 3, 4, 5, 6, 7, 10, 12, 13, 14, 15, 16, 24, 30, 31];

#[test]
fn p32_every_promise_has_a_test_that_bears_its_number() {
    let mut numbers = BTreeSet::new();
    collect(Path::new(env!("CARGO_MANIFEST_DIR")), &mut numbers);
    let missing: Vec<_> = PROMISED.iter().filter(|number| !numbers.contains(number)).collect();
    assert!(missing.is_empty(), "no test bears {missing:?}");
}

/// The numbers of all tests below a folder, `p05_..` and `p05b_..` alike.
fn collect(folder: &Path, numbers: &mut BTreeSet<u32>) {
    for entry in std::fs::read_dir(folder).expect("the source tree is there").flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_string_lossy();
        if path.is_dir() {
            if name != "target" && !name.starts_with('.') {
                collect(&path, numbers);
            }
        } else if name.ends_with(".rs") {
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            numbers.extend(text.lines().filter_map(number));
        }
    }
}

/// The promise's number in a line that names a test: `fn p05_..` or, in the conformance suite's list, a bare `p05_..`.
fn number(line: &str) -> Option<u32> {
    let line = line.trim().trim_start_matches("async ").trim_start_matches("fn ");
    let digits = line.strip_prefix('p')?.get(..2)?;
    let rest = line.get(3..)?.trim_start_matches('b');
    rest.starts_with('_').then(|| digits.parse().ok()).flatten()
}
