//! Build stages: in the Dockerfiles that the mapping's machine names, and used.

use std::collections::BTreeSet;
use std::path::Path;

use emp_syntax::nearest;

use super::names::quoted;
use super::view::WorkerView;
use super::{Subject, document};
use crate::codes;
use crate::dockerfile::Dockerfile;
use crate::finding::Finding;
use crate::inputs::{Document, shown};
use crate::json::At;
use crate::source::SourceText;

/// All workers.
pub(super) fn check(
    subject: &Subject<'_>,
    workers: &[WorkerView<'_>],
    documents: &[Document],
) -> Vec<Finding> {
    let mut findings: Vec<_> =
        documents.iter().filter_map(|document| unreadable(subject, document)).collect();
    let files: Vec<(&SourceText, Dockerfile)> = documents
        .iter()
        .filter_map(|document| document.text.as_ref().ok())
        .map(|text| (text, Dockerfile::read(text.text())))
        .collect();
    findings.extend(files.iter().flat_map(|(text, file)| {
        file.faults.iter().map(|fault| {
            let finding =
                Finding::error(codes::BAD_DOCKERFILE, text, fault.span.clone(), fault.message.clone());
            finding.label("Docker would not read this").help(fault.help.clone())
        })
    }));
    let stages = || workers.iter().filter_map(|worker| Some((worker, worker.at.get("build_stage")?)));
    let named: Vec<_> = stages()
        .filter_map(|(worker, at)| Some((worker, at.clone(), at.node.text()?)))
        .filter(|(.., name)| !name.contains("${"))
        .collect();
    let all_read = files.len() == documents.len() && files.iter().all(|(_, file)| file.faults.is_empty());
    if documents.is_empty() {
        findings.extend(named.first().and_then(|(_, at, _)| no_dockerfile(subject, at, named.len())));
        return findings;
    }
    let mut used = BTreeSet::new();
    for (worker, at, name) in &named {
        let having: Vec<_> = files.iter().filter_map(|(text, file)| Some((*text, file.get(name)?))).collect();
        match having.as_slice() {
            // A file that could not be read may have it.
            [] if !all_read => {}
            [] => {
                findings.push(unknown(subject, worker, at, name, &files));
                used.extend(nearest(name, names(&files)).map(str::to_owned));
            }
            [(_, stage)] => drop(used.insert(stage.name.clone())),
            [(one, stage), (two, other), ..] => {
                used.insert(stage.name.clone());
                let message = format!("stage {} is in two Dockerfiles", quoted(name));
                findings.push(
                    subject
                        .at_value(codes::AMBIGUOUS_STAGE, at, message)
                        .label("could be either")
                        .also(one, stage.span.clone(), "one")
                        .also(two, other.span.clone(), "the other")
                        .help(format!("FROM .. AS {}-2    in one of them", stage.name)),
                );
            }
        }
    }
    for (text, file) in &files {
        findings.extend(file.ends().filter(|stage| !used.contains(&stage.name)).map(|stage| {
            let message =
                format!("no worker needs the build stage `{}`, and no other stage builds on it", stage.name);
            Finding::error(codes::UNUSED_STAGE, text, stage.span.clone(), message)
                .label("is built for nobody")
                .help(format!(
                    "\"build_stage\": \"{}\"    in the worker that needs it, or take the stage out",
                    stage.name
                ))
                .warning()
        }));
    }
    findings
}

fn names<'f>(files: &'f [(&SourceText, Dockerfile)]) -> impl Iterator<Item = &'f str> {
    files.iter().flat_map(|(_, file)| file.names())
}

fn unknown(
    subject: &Subject<'_>,
    worker: &WorkerView<'_>,
    at: &At<'_>,
    name: &str,
    files: &[(&SourceText, Dockerfile)],
) -> Finding {
    let searched: Vec<_> = files.iter().map(|(text, _)| format!("`{}`", text.name())).collect();
    let message = format!(
        "worker {} needs build stage {}, which {} does not have",
        quoted(worker.name()),
        quoted(name),
        searched.join(", ")
    );
    let finding = subject.at_value(codes::UNKNOWN_STAGE, at, message);
    if let Some(near) = nearest(name, names(files)) {
        let finding = finding.label(format!("did you mean `{near}`?")).help(format!("\"{near}\""));
        let place = files.iter().find_map(|(text, file)| Some((text, file.get(near)?)));
        match place {
            Some((text, stage)) => finding.also(text, stage.span.clone(), "this one"),
            None => finding,
        }
    } else {
        let known: Vec<_> = names(files).collect();
        let last = files.last().and_then(|(text, file)| Some((text, file.stages.last()?)));
        let finding = finding.label("is no stage").help(match known.as_slice() {
            [] => format!("FROM .. AS {name}"),
            known => format!("write one of `{}`, or add: FROM .. AS {name}", known.join("`, `")),
        });
        match last {
            Some((text, stage)) => finding.also(text, stage.span.clone(), "the last stage"),
            None => finding,
        }
    }
}

/// Stages that nobody can look up. Said once, at the first of them; not at all when the mapping says that there is no Dockerfile.
fn no_dockerfile(subject: &Subject<'_>, first: &At<'_>, workers: usize) -> Option<Finding> {
    if subject.section("machine").is_some_and(|machine| machine.get("dockerfile").is_some()) {
        return None;
    }
    let whose = if workers == 1 {
        "this build stage is".to_owned()
    } else {
        format!("the build stages of {workers} workers are")
    };
    let message = format!("{whose} not checked: the mapping names no Dockerfile");
    Some(
        subject
            .at_value(codes::NO_DOCKERFILE, first, message)
            .label("cannot be looked up")
            .help("\"machine\": { \"dockerfile\": \"./Dockerfile\" }    or null, if there is none")
            .warning(),
    )
}

/// A Dockerfile that could not be read, where the mapping names it.
fn unreadable(subject: &Subject<'_>, file: &Document) -> Option<Finding> {
    let problem = file.text.as_ref().err()?;
    let named = subject.section("machine").and_then(|machine| machine.get("dockerfile"));
    let mut places = named.iter().cloned().chain(named.iter().flat_map(At::entries));
    let folder = Path::new(subject.text.name()).parent().unwrap_or(Path::new(""));
    let at = places.find(|at| at.node.text().is_some_and(|text| shown(&folder.join(text)) == file.name));
    let Some(at) = at else { return document::unreadable(file) };
    let message = format!("`{}` {problem}", file.name);
    Some(
        subject
            .at_value(codes::UNREADABLE, &at, message)
            .label("is looked for beside the mapping")
            .help("name the file that has the build stages, or write null if there is none"),
    )
}
