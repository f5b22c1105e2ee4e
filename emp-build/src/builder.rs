//! What a build script calls.

use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::cargo::Directive;
use crate::cfg::Target;
use crate::finding::Finding;
use crate::inputs::{CheckInputs, Inputs, Reader, shown};
use crate::outcome::{Outcome, plan};

/// Starts a build from a folder of connectors, relative to the package.
pub fn connectors(folder: impl Into<PathBuf>) -> Builder {
    Builder { connectors: folder.into(), mapping: PathBuf::from("service-mapping.json") }
}

/// What a build reads. Nothing happens until [`Builder::emit`].
#[derive(Clone, Debug)]
#[must_use = "nothing is built until `.emit()`"]
pub struct Builder {
    connectors: PathBuf,
    mapping: PathBuf,
}

impl Builder {
    /// The mapping, relative to the package; `service-mapping.json` unless said otherwise.
    pub fn mapping(mut self, file: impl Into<PathBuf>) -> Self {
        self.mapping = file.into();
        self
    }

    /// Reads, checks, and writes `OUT_DIR/emp/registry.rs`. Always returns: what is wrong is in the registry as a
    /// `compile_error!`, so that the modules exist and an editor keeps working. With `EMP_BUILD=strict`, errors are
    /// said by `cargo::error` as well, one a line.
    pub fn emit(self) {
        let root = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from).unwrap_or_default();
        let mut cargo = std::io::stdout().lock();
        for line in self.run(&root, std::env::var_os("OUT_DIR").map(PathBuf::from).as_deref()) {
            // When stdout is closed, nobody listens.
            let _ = writeln!(cargo, "{line}");
        }
    }

    /// The whole build of a package: writes, and returns what cargo is to hear.
    fn run(&self, root: &Path, out: Option<&Path>) -> Vec<Directive> {
        let mut reader = Reader::new(root);
        let mode = reader.env("EMP_BUILD");
        let outcome = self.outcome(&mut reader);
        let mut lines: Vec<Directive> = reader.into_directives().into_iter().collect();
        lines.extend(spoken(&outcome, mode.as_deref()));
        match out.map(|out| write(&outcome, &out.join("emp"))) {
            Some(Ok(())) => {}
            Some(Err(error)) => lines.push(Directive::Error(format!("cannot write the registry: {error}"))),
            None => {
                lines.push(Directive::Error("OUT_DIR is not set: emit() is for build scripts".to_owned()));
            }
        }
        lines
    }

    /// Reads the inputs and plans the build.
    fn outcome(&self, reader: &mut Reader) -> Outcome {
        let (mapping, connectors) = (self.mapping.clone(), self.connectors.clone());
        let mut inputs = Inputs::read(reader, &CheckInputs { mapping, connectors, dockerfile: None });
        // Another target or feature is another build, which has a run of its own: cargo need not be told of these.
        let text = |text: OsString| text.into_string().ok();
        let variables = std::env::vars_os().filter_map(|(name, value)| Some((text(name)?, text(value)?)));
        inputs.target = Target::from_variables(variables);
        plan(&inputs)
    }
}

/// What cargo shows besides the report.
fn spoken(outcome: &Outcome, mode: Option<&str>) -> Vec<Directive> {
    let mut lines: Vec<_> =
        outcome.report.warnings().map(|finding| Directive::Warning(one_line(finding))).collect();
    match mode {
        Some("strict") => {
            lines.extend(outcome.report.errors().map(|finding| Directive::Error(one_line(finding))));
        }
        None | Some("") => {}
        Some(other) => {
            lines.push(Directive::Warning(format!(
                "EMP_BUILD is `{other}`, which means nothing; `strict` does"
            )));
        }
    }
    lines
}

fn one_line(finding: &Finding) -> String {
    let Finding { file, line, column, code, message, help, .. } = finding;
    format!("{file}:{line}:{column}: {message} [{code}]; {help}")
}

/// Writes what changed, so that an unchanged registry is not compiled again.
fn write(outcome: &Outcome, folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    for (name, text) in &outcome.files {
        let path = folder.join(name);
        if std::fs::read(&path).is_ok_and(|old| old == text.as_bytes()) {
            continue;
        }
        std::fs::write(&path, text)
            .map_err(|error| std::io::Error::new(error.kind(), format!("{}: {error}", shown(&path))))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "/// A.\n#[derive(emp_core::Connector)]\n\
        #[connector(service = \"a\", version = \"1.0.0\", custom)]\npub struct AConnector {}\n";

    fn package(mapping: &str) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("connectors")).unwrap();
        std::fs::write(root.path().join("connectors/a.rs"), SOURCE).unwrap();
        std::fs::write(root.path().join("service-mapping.json"), mapping).unwrap();
        root
    }

    fn run(root: &Path) -> Vec<String> {
        let lines = connectors("connectors").run(root, Some(&root.join("out")));
        lines.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_build_says_what_it_read_and_warns_in_one_line() {
        let root = package("{ \"workers\": {} }");
        assert_eq!(
            run(root.path()),
            [
                "cargo::rerun-if-changed=connectors",
                "cargo::rerun-if-changed=connectors/a.rs",
                "cargo::rerun-if-changed=service-mapping.json",
                "cargo::rerun-if-env-changed=EMP_BUILD",
                "cargo::warning=connectors/a.rs:4:12: no worker uses connector `AConnector` [EMP0213]; let a worker use it: \
                 \"service\": [{ \"capability\": \"..\", \"connector\": \"AConnector\", \"type\": \"external\" }]",
            ]
        );
    }

    #[test]
    fn what_did_not_change_is_not_written_again_and_an_old_report_goes_away() {
        let root = package("{ \"workerz\": {} }");
        let (registry, report) =
            (root.path().join("out/emp/registry.rs"), root.path().join("out/emp/report.txt"));
        run(root.path());
        assert!(std::fs::read_to_string(&report).unwrap().contains("EMP0204"));
        let old = std::time::SystemTime::UNIX_EPOCH;
        std::fs::File::options().write(true).open(&registry).unwrap().set_modified(old).unwrap();
        run(root.path());
        assert_eq!(std::fs::metadata(&registry).unwrap().modified().unwrap(), old);
        std::fs::write(root.path().join("service-mapping.json"), "{}").unwrap();
        run(root.path());
        assert_ne!(std::fs::metadata(&registry).unwrap().modified().unwrap(), old);
        assert_eq!(std::fs::read_to_string(&report).unwrap(), "");
    }

    #[test]
    fn strict_says_errors_one_a_line_and_another_mode_is_no_mode() {
        let root = package("{ \"workerz\": {}, \"x\": 1 }");
        let outcome = connectors("connectors").outcome(&mut Reader::new(root.path()));
        let errors = |mode| {
            let lines = spoken(&outcome, mode);
            lines.into_iter().filter(|line| matches!(line, Directive::Error(_))).count()
        };
        assert_eq!(
            [errors(None), errors(Some("")), errors(Some("strict")), errors(Some("Strict"))],
            [0, 0, 2, 0]
        );
        assert!(
            spoken(&outcome, Some("Strict")).iter().any(|line| line.to_string().contains("`strict` does"))
        );
    }

    #[test]
    fn f26_a_folder_that_cannot_be_written_is_one_error_and_no_panic() {
        let root = package("{}");
        std::fs::write(root.path().join("out"), "a file").unwrap();
        let lines = run(root.path());
        assert!(
            lines.iter().any(|line| line.starts_with("cargo::error=cannot write the registry")),
            "{lines:?}"
        );
    }
}
