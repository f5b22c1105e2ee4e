//! `emp openapi drift`: what a newer description of a service changes, and whom it touches.

use emp_build::{CheckInputs, Described, Document, Finding, Inputs, SourceText};
use emp_openapi::{Change, CutError, Slice};
use serde::Serialize;
use serde_json::Value;

use super::read::{self, Description};
use crate::args::openapi::{Drift, DriftFormat};
use crate::exit::{Exit, Failure};
use crate::output::Output;

pub(super) fn run(args: &Drift, out: &Output) -> Result<Exit, Failure> {
    let Description { document, sha256 } = read::description(&args.spec)?;
    let files = CheckInputs {
        mapping: "service-mapping.json".into(),
        connectors: args.connectors.clone(),
        dockerfile: None,
    };
    let inputs = files.read(std::path::Path::new(""));
    let described = emp_build::described(&inputs);
    let names = slices(args, &inputs, &described, &document)?;
    let mut drifts = Vec::new();
    for name in names {
        drifts.push(compare(&name, &inputs, &described, &document, &sha256)?);
    }
    let breaking = drifts.iter().any(|drift| drift.breaking);
    if args.format == Some(DriftFormat::Json) || args.format.is_none() && out.is_json() {
        out.json(&Told { breaking, slices: drifts });
    } else {
        for drift in &drifts {
            human(drift, out);
        }
    }
    Ok(if breaking { Exit::No } else { Exit::Ok })
}

/// The names of the slices that a description is a newer one of.
fn slices(
    args: &Drift,
    inputs: &Inputs,
    described: &[Described],
    document: &Value,
) -> Result<Vec<String>, Failure> {
    if let Some(connector) = &args.connector {
        let found = described.iter().find(|described| described.connector == *connector);
        return found.map(|found| vec![found.slice.clone()]).ok_or_else(|| {
            let names = described.iter().map(|described| described.connector.as_str());
            let known: Vec<&str> = names.clone().collect();
            let message =
                format!("no connector `{connector}` in {} names a slice", args.connectors.display());
            let help = match emp_core::syntax::nearest(connector, names) {
                Some(near) => format!("--connector {near}"),
                None => format!("those that do are {}", known.join(", ")),
            };
            Failure::new(Exit::NotFound, "E_OPENAPI", message).help(help)
        });
    }
    let title = document.pointer("/info/title").and_then(Value::as_str).unwrap_or_default();
    let of_title = |file: &&Document| {
        let text = file.text.as_ref().ok().map(SourceText::text);
        text.and_then(|text| Slice::parse(text).ok()).is_some_and(|slice| slice.title() == title)
    };
    let names: Vec<String> =
        inputs.openapi.iter().filter(of_title).map(|file| file_name(file).to_owned()).collect();
    if names.is_empty() {
        let message = format!("no slice is of a description that is titled \"{title}\"");
        return Err(
            Failure::new(Exit::NotFound, "E_OPENAPI", message).help("name a connector: --connector NAME")
        );
    }
    Ok(names)
}

fn file_name(file: &Document) -> &str {
    file.name.rsplit('/').next().unwrap_or_default()
}

/// What is printed with `--format json`.
#[derive(Debug, Serialize)]
struct Told {
    breaking: bool,
    slices: Vec<Drifted>,
}

/// A slice beside a newer one.
#[derive(Debug, Serialize)]
struct Drifted {
    slice: String,
    breaking: bool,
    changes: Vec<ToldChange>,
    /// What the checks would say of connectors with the newer slice, beside what they say now.
    findings: Vec<Finding>,
}

/// A change, and the connectors that rely on what it is about.
#[derive(Debug, Serialize)]
struct ToldChange {
    operation: String,
    side: &'static str,
    path: String,
    change: &'static str,
    text: String,
    breaking: bool,
    touches: Vec<String>,
}

fn compare(
    name: &str,
    inputs: &Inputs,
    described: &[Described],
    document: &Value,
    sha256: &str,
) -> Result<Drifted, Failure> {
    let wrong =
        |problem: String| Failure::new(Exit::Config, "E_OPENAPI", format!("the slice `{name}` {problem}"));
    let file = inputs.openapi.iter().find(|file| file_name(file) == name);
    let file = file.ok_or_else(|| wrong("does not exist".to_owned()))?;
    let text = file.text.as_ref().map_err(|problem| wrong(problem.clone()))?;
    let old = Slice::parse(text.text()).map_err(|error| wrong(error.to_string()))?;
    let new = recut(&old, document, sha256)?;
    let users: Vec<&Described> = described.iter().filter(|described| described.slice == name).collect();
    let changes: Vec<Change> = match &new {
        Some(new) => emp_openapi::changes(&old, new),
        None => old.operations().map(|operation| Change::gone(&operation)).collect(),
    };
    let findings = new.map(|new| newly(inputs, file, &new, &users)).unwrap_or_default();
    let changes = changes.iter().map(|change| told(change, &users)).collect::<Vec<_>>();
    let breaking = changes.iter().any(|change| change.breaking);
    Ok(Drifted { slice: file.name.clone(), breaking, changes, findings })
}

/// The same operations, cut out of the newer description; `None` when it has none of them.
fn recut(old: &Slice, document: &Value, sha256: &str) -> Result<Option<Slice>, Failure> {
    let about = emp_openapi::About { sha256: sha256.to_owned(), ..old.about().clone() };
    let cut = |name: &str| emp_openapi::slice(document, &[name.to_owned()], &about);
    let mut kept = Vec::new();
    for operation in old.operations() {
        // An operation keeps its id, or its place.
        for name in [operation.name(), operation.route_name()] {
            match cut(&name) {
                Ok(_) => {
                    kept.push(name);
                    break;
                }
                Err(CutError::NoOperation { .. }) => {}
                Err(error) => return Err(super::slice::failure(&error)),
            }
        }
    }
    if kept.is_empty() {
        return Ok(None);
    }
    let cut = emp_openapi::slice(document, &kept, &about).map_err(|error| super::slice::failure(&error))?;
    let slice = Slice::new(cut).map_err(|error| Failure::new(Exit::Bug, "E_BUG", error.to_string()))?;
    Ok(Some(slice))
}

fn told(change: &Change, users: &[&Described]) -> ToldChange {
    let touched = users.iter().filter(|user| user.is_touched_by(change));
    ToldChange {
        operation: change.operation.clone(),
        side: change.side.as_str(),
        path: change.path.clone(),
        change: change.what.word(),
        text: change.what.to_string(),
        breaking: change.breaking(),
        touches: touched.map(|user| user.connector.clone()).collect(),
    }
}

/// What the checks say with a newer slice and do not say now.
fn newly(inputs: &Inputs, file: &Document, new: &Slice, users: &[&Described]) -> Vec<Finding> {
    let mut newer = inputs.clone();
    for document in &mut newer.openapi {
        if document.name == file.name {
            document.text = Ok(SourceText::new(file.name.clone(), new.to_json()));
        }
    }
    let key = |finding: &Finding| (finding.code, finding.file.clone(), finding.message.clone());
    let now: Vec<_> = emp_build::report(inputs).findings.iter().map(key).collect();
    let then = emp_build::report(&newer).findings.into_iter();
    let of_users = |finding: &Finding| users.iter().any(|user| user.source == finding.file);
    then.filter(|finding| of_users(finding) && !now.contains(&key(finding))).collect()
}

fn human(drift: &Drifted, out: &Output) {
    out.line(format!("{}: {}", drift.slice, summary(drift)));
    for change in &drift.changes {
        let place = match change.path.as_str() {
            "" => String::new(),
            path => format!(" {} {path}", change.side),
        };
        let touches = match change.touches.as_slice() {
            [] => "touches no connector".to_owned(),
            names => format!("touches {}", names.join(", ")),
        };
        let weight = if change.breaking { "breaks " } else { "differs" };
        out.line(format!("  {weight}  {}{place} {}; {touches}", change.operation, change.text));
    }
    for finding in &drift.findings {
        let Finding { code, message, file, line, column, help, .. } = finding;
        out.line(format!("  {file}:{line}:{column}: {message} [{code}]; {help}"));
    }
}

fn summary(drift: &Drifted) -> String {
    let breaking = drift.changes.iter().filter(|change| change.breaking).count();
    match (drift.changes.len(), breaking) {
        (0, _) => "nothing has changed".to_owned(),
        (1, 0) => "1 change, which breaks nothing".to_owned(),
        (all, 0) => format!("{all} changes, which break nothing"),
        (all, breaking) => format!("{all} changes, {breaking} of them breaking"),
    }
}
