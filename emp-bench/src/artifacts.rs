//! What cargo builds of this workspace, as its own messages name it.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::Failure;
use crate::plan::workspace;

/// Files that cargo has built.
#[derive(Debug)]
pub(crate) struct Artifacts(Vec<Value>);

/// Builds part of the workspace by the `dev` profile, by which build scripts and macros are compiled too.
pub(crate) fn build<const N: usize>(what: [&str; N]) -> Result<Artifacts, Failure> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .current_dir(workspace())
        .args(["build", "--quiet", "--locked", "--message-format=json-render-diagnostics"])
        .args(what)
        .stderr(Stdio::inherit())
        .output()
        .map_err(Failure::io("cannot start cargo"))?;
    if !output.status.success() {
        return Err(Failure::Ran(format!("`cargo build {}` failed", what.join(" "))));
    }
    let lines = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok(Artifacts(lines.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()))
}

impl Artifacts {
    /// The library of a crate.
    pub(crate) fn library(&self, name: &str) -> Result<PathBuf, Failure> {
        let files = self.of(name).flat_map(|message| message["filenames"].as_array().into_iter().flatten());
        let mut files = files.filter_map(Value::as_str).map(PathBuf::from);
        files.rfind(|file| file.extension().is_some_and(|end| end == "rlib")).ok_or_else(|| missing(name))
    }

    /// A program.
    pub(crate) fn program(&self, name: &str) -> Result<PathBuf, Failure> {
        let mut programs = self.of(name).filter_map(|message| message["executable"].as_str());
        programs.next_back().map(PathBuf::from).ok_or_else(|| missing(name))
    }

    /// The version of a crate: the end of `registry+..#serde@1.0.229`.
    pub(crate) fn version(&self, name: &str) -> Option<String> {
        let id = self.of(name).next()?["package_id"].as_str()?;
        id.rsplit(['@', '#']).next().map(str::to_owned)
    }

    fn of(&self, name: &str) -> impl DoubleEndedIterator<Item = &Value> {
        self.0.iter().filter(move |message| message["target"]["name"] == name)
    }
}

fn missing(name: &str) -> Failure {
    Failure::Ran(format!("cargo built no `{name}`"))
}
