//! From inputs to everything that a build or a check says.

use std::collections::BTreeMap;
use std::path::Path;

use crate::check::verdict;
use crate::codes;
use crate::connector::Sources;
use crate::finding::Report;
use crate::inputs::{CheckInputs, Inputs};
use crate::registry::{self, Places};
use crate::render;

/// What a build makes.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The files of `OUT_DIR/emp`, by name.
    pub files: BTreeMap<&'static str, String>,
    /// What is wrong.
    pub report: Report,
}

/// Plans a build. Pure: the same inputs give the same bytes.
pub fn plan(inputs: &Inputs) -> Outcome {
    let sources = Sources::read(&inputs.connectors, &inputs.target);
    let mut found = verdict(inputs, &sources);
    // rustc reads the same file and says it better.
    found.findings.retain(|finding| finding.code != codes::NOT_RUST);
    let report = Report::new(found);
    let broken = report.has_errors();
    let places = Places { connectors: &inputs.connectors.name, mapping: &inputs.mapping.name };
    let mut files = BTreeMap::from([("registry.rs", registry::text(&sources, &places, broken))]);
    // The report is always written, so that an old one never stays behind.
    files.insert("report.txt", if broken { format!("\n{}", render::human(&report)) } else { String::new() });
    Outcome { files, report }
}

/// Checks inputs without compiling them: what [`plan`] reports, and files that are not Rust besides.
pub fn report(inputs: &Inputs) -> Report {
    Report::new(verdict(inputs, &Sources::read(&inputs.connectors, &inputs.target)))
}

/// Reads a tree and checks it; relative paths start at the working directory.
pub fn check(inputs: &CheckInputs) -> Report {
    report(&inputs.read(Path::new("")))
}
