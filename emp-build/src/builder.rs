//! What a build script calls.

use std::io::Write;
use std::path::{Path, PathBuf};

use crate::cargo::Directive;
use crate::finding::Finding;
use crate::inputs::{Inputs, Reader, shown};
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
        let mut reader = Reader::new(&root);
        let mode = reader.env("EMP_BUILD");
        let outcome = self.outcome(&mut reader);
        let mut lines: Vec<Directive> = reader.into_directives().into_iter().collect();
        match std::env::var_os("OUT_DIR") {
            Some(folder) => {
                if let Err(error) = write(&outcome, &Path::new(&folder).join("emp")) {
                    lines.push(Directive::Error(format!("cannot write the registry: {error}")));
                }
            }
            None => {
                lines.push(Directive::Error("OUT_DIR is not set: emit() is for build scripts".to_owned()))
            }
        }
        lines.extend(spoken(&outcome, mode.as_deref()));
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        // Nobody listens when stdout is closed.
        let _ = std::io::stdout().write_all(text.as_bytes());
    }

    /// Reads the inputs and plans the build.
    fn outcome(&self, reader: &mut Reader) -> Outcome {
        let inputs = Inputs {
            mapping: reader.file(&self.mapping),
            connectors: reader.folder(&self.connectors),
            dockerfile: None,
        };
        plan(&inputs)
    }
}

/// What cargo shows besides the report.
fn spoken(outcome: &Outcome, mode: Option<&str>) -> Vec<Directive> {
    let mut lines: Vec<_> =
        outcome.report.warnings().map(|finding| Directive::Warning(one_line(finding))).collect();
    match mode {
        Some("strict") => {
            lines.extend(outcome.report.errors().map(|finding| Directive::Error(one_line(finding))))
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
