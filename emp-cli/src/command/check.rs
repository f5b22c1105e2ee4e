//! `emp check`: the build's own checks on any tree, without compiling it.

mod fix;
mod junit;
mod sarif;
mod watch;

use std::path::Path;

use emp_build::{CheckInputs, Report, render};

use crate::args::{Check, Deny, Format};
use crate::exit::{Exit, Failure};
use crate::files;
use crate::output::Output;

pub(super) fn run(args: &Check, mapping: Option<&Path>, out: &Output) -> Result<Exit, Failure> {
    let asked = CheckInputs {
        mapping: mapping.unwrap_or(Path::new("service-mapping.json")).to_owned(),
        connectors: args.connectors.clone(),
        dockerfile: args.dockerfile.clone(),
    };
    if args.fix {
        mend(&asked, out)?;
    }
    let denied = |report: Report| match args.deny {
        Some(Deny::Warnings) => report.deny_warnings(),
        None => report,
    };
    let format = args.format.unwrap_or_else(|| default_format(out));
    if args.watch {
        let mut ended = Ok(Exit::Ok);
        watch::each_state(&asked, |inputs| {
            ended = print(&denied(emp_build::report(inputs)), &asked, format, out);
            out.note("watching; Ctrl-C ends it");
            ended.is_ok()
        });
        return ended;
    }
    print(&denied(emp_build::check(&asked)), &asked, format, out)
}

/// Makes the safe changes, as often as one makes another possible, and says which.
fn mend(asked: &CheckInputs, out: &Output) -> Result<(), Failure> {
    /// Each round takes away what it mends, so there are never many.
    const ROUNDS: usize = 8;
    let name = asked.mapping.display();
    let mut done = Vec::new();
    for _ in 0..ROUNDS {
        let Ok(text) = std::fs::read_to_string(&asked.mapping) else { break };
        let Some(mended) = fix::mended(&text, &emp_build::check(asked)) else {
            out.note(format!("{name} is not mended: it is no JSON, or a key stands twice"));
            return Ok(());
        };
        if mended.text == text {
            break;
        }
        files::replace(&asked.mapping, &mended.text)?;
        done.extend(mended.done);
    }
    for what in &done {
        out.note(what);
    }
    if done.is_empty() {
        out.note(format!("{name}: nothing to mend"));
    }
    Ok(())
}

fn print(report: &Report, asked: &CheckInputs, format: Format, out: &Output) -> Result<Exit, Failure> {
    match format {
        Format::Json => out.json(report),
        Format::Github => out.line(render::github(report).trim_end()),
        Format::Sarif => out.json(&sarif::log(report)),
        Format::Junit => {
            out.line(junit::document(report, &asked.mapping.display().to_string())?.trim_end());
        }
        Format::Human if report.findings.is_empty() => {
            out.line(format!("{}: nothing to complain about", asked.mapping.display()));
        }
        Format::Human => out.line(render::human(report)),
    }
    Ok(if report.has_errors() { Exit::Config } else { Exit::Ok })
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

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    /// The trees with a fault that the build's own tests have.
    pub(super) fn fixtures() -> Vec<PathBuf> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../emp-build/tests/reports");
        let entries = std::fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path());
        let mut folders: Vec<PathBuf> = entries.filter(|path| path.is_dir()).collect();
        folders.sort();
        folders
    }

    pub(super) fn report_of(root: &Path) -> Report {
        let asked = CheckInputs {
            mapping: "service-mapping.json".into(),
            connectors: "connectors".into(),
            dockerfile: None,
        };
        emp_build::report(&asked.read(root))
    }
}
