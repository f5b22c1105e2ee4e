//! `emp check`: the build's own checks on any tree, without compiling it.

use std::path::Path;

use crate::args::{Check, Format};
use crate::exit::Exit;
use crate::output::Output;

pub(super) fn run(args: &Check, mapping: Option<&Path>, out: &Output) -> Exit {
    let inputs = emp_build::CheckInputs {
        mapping: mapping.unwrap_or(Path::new("service-mapping.json")).to_owned(),
        connectors: args.connectors.clone(),
        dockerfile: args.dockerfile.clone(),
    };
    let report = emp_build::check(&inputs);
    let format = args.format.unwrap_or_else(|| default_format(out));
    match format {
        Format::Json => out.json(&report),
        Format::Github => out.line(emp_build::render::github(&report)),
        Format::Human if report.findings.is_empty() => {
            out.line(format!("{}: nothing to complain about", inputs.mapping.display()));
        }
        Format::Human => out.line(emp_build::render::human(&report)),
    }
    if report.has_errors() { Exit::Config } else { Exit::Ok }
}

fn default_format(out: &Output) -> Format {
    if out.is_json() {
        Format::Json
    } else if std::env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true") {
        Format::Github
    } else {
        Format::Human
    }
}
