//! Tables of the documentation whose last cell names what shows the row: a test, or a declaration that does not compile.

use std::collections::BTreeSet;
use std::path::Path;

/// The cells of a table's rows, heads left out.
pub(crate) fn rows(text: &'static str) -> Vec<Vec<&'static str>> {
    let rows = text.lines().filter(|line| line.starts_with("| ") && !is_head(line));
    // `\|` is a bar inside a cell, and always has a space before it here.
    rows.map(|row| row.trim_matches('|').split(" | ").map(str::trim).collect()).collect()
}

fn is_head(line: &str) -> bool {
    ["| service |", "| feature |"].iter().any(|head| line.starts_with(head))
}

/// What stands between backticks.
pub(crate) fn quoted(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

/// What can be named: all tests of the repository, and the declarations that do not compile.
pub(crate) struct Known {
    tests: BTreeSet<String>,
}

impl Known {
    pub(crate) fn collect() -> Self {
        let mut known = Self { tests: BTreeSet::new() };
        known.read(Path::new(env!("CARGO_MANIFEST_DIR")));
        known
    }

    /// That each row names something in its last cell, and that it is there.
    pub(crate) fn holds(&self, rows: &[Vec<&str>]) {
        for row in rows {
            let names: Vec<_> = row.last().into_iter().flat_map(|cell| quoted(cell)).collect();
            assert!(!names.is_empty(), "{}: no test", row[0]);
            for name in names {
                assert!(self.has(name), "{}: there is no test and no fixture {name}", row[0]);
            }
        }
    }

    fn has(&self, name: &str) -> bool {
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("emp-derive/tests/ui/fail");
        self.tests.contains(name) || fixtures.join(format!("{name}.rs")).is_file()
    }

    /// The functions below a folder whose attribute, on the line before, says that they are tests.
    fn read(&mut self, folder: &Path) {
        for entry in std::fs::read_dir(folder).expect("the source tree is there").flatten() {
            let (path, name) = (entry.path(), entry.file_name());
            let name = name.to_string_lossy();
            if path.is_dir() {
                if name != "target" && !name.starts_with('.') {
                    self.read(&path);
                }
            } else if name.ends_with(".rs") {
                let text = std::fs::read_to_string(&path).unwrap_or_default();
                let lines: Vec<&str> = text.lines().map(str::trim).collect();
                let tests = lines.windows(2).filter_map(|pair| match pair {
                    [before, line] if *before == "#[test]" || before.starts_with("#[tokio::test") => {
                        let line = line.strip_prefix("async ").unwrap_or(line);
                        line.strip_prefix("fn ")?.split('(').next()
                    }
                    _ => None,
                });
                self.tests.extend(tests.map(str::to_owned));
            }
        }
    }
}
