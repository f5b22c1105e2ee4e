//! Connectors: referenced, declared, there in the source, and in the file that the path names.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use emp_syntax::nearest;

use super::Subject;
use super::names::{self, quoted};
use crate::codes;
use crate::connector::Connector;
use crate::finding::{Finding, Fix};
use crate::json::At;

/// All of it.
pub(super) fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let names: BTreeSet<&str> = subject.declared().map(|at| at.key()).collect();
    let undeclared = subject.used().filter_map(|used| undeclared(subject, &names, &used));
    let declared = subject.declared().filter_map(|declared| match subject.sources.get(declared.key()) {
        Some(_) => path(subject, &declared),
        None => no_source(subject, &declared),
    });
    let elsewhere = subject.used().filter_map(|used| elsewhere(subject, &used));
    undeclared.chain(declared).chain(elsewhere).collect()
}

/// A worker names a connector that is not declared.
fn undeclared(subject: &Subject<'_>, declared: &BTreeSet<&str>, used: &At<'_>) -> Option<Finding> {
    let name = used.node.text()?;
    if declared.contains(name) || declared.iter().any(|slip| is_slip_of(subject, slip, name)) {
        return None;
    }
    let finding = subject.at_value(
        codes::UNDECLARED,
        used,
        format!("connector {} is not declared under `connectors`", quoted(name)),
    );
    if let Some(source) = subject.sources.get(name) {
        return Some(
            finding
                .label("exists, but is not declared")
                .also(&source.source, source.span.clone(), "it is here")
                .help(format!("add \"{name}\": {{}} under \"connectors\"")),
        );
    }
    let in_source = || nearest(name, subject.sources.names()).and_then(|near| subject.sources.get(near));
    Some(match (nearest(name, declared.iter().copied()), in_source()) {
        (Some(near), _) => {
            let finding =
                finding.label(format!("did you mean `{near}`?")).help(format!("\"connector\": \"{near}\""));
            match subject.sources.get(near) {
                Some(source) => finding.also(&source.source, source.span.clone(), "this one"),
                None => finding,
            }
        }
        (None, Some(source)) => finding
            .label(format!("did you mean `{}`?", source.name))
            .also(&source.source, source.span.clone(), "this one, which is not declared either")
            .help(format!("add \"{}\": {{}} under \"connectors\", and name it here", source.name)),
        (None, None) if declared.is_empty() => finding.help(format!(
            "\"connectors\": {{ \"{name}\": {{}} }}    and write it into {}",
            file_of(subject, name)
        )),
        (None, None) => finding.help(format!(
            "the declared ones are `{}`",
            declared.iter().copied().collect::<Vec<_>>().join("`, `")
        )),
    })
}

/// A worker names a connector whose condition does not hold for the target of the build.
fn elsewhere(subject: &Subject<'_>, used: &At<'_>) -> Option<Finding> {
    let name = used.node.text()?;
    let (source, condition) = (subject.sources.get(name)?, subject.sources.absent(name)?);
    let message = format!("this build has no connector {}: `{condition}` does not hold", quoted(name));
    let finding = subject.at_value(codes::ELSEWHERE, used, message).label("is left out of this build");
    let help = format!("build where `{condition}` holds, or take the worker out of this mapping");
    Some(finding.also(&source.source, source.span.clone(), "exists only elsewhere").help(help))
}

/// Whether a declared name that no source has is a slip of the pen for a connector: then the declaration is what is reported.
fn is_slip_of(subject: &Subject<'_>, declared: &str, name: &str) -> bool {
    subject.sources.get(name).is_some()
        && subject.sources.get(declared).is_none()
        && near_source(subject, declared).is_some_and(|source| source.name == name)
}

/// The connector that a declared name was probably meant for: the nearest of those that are not declared.
fn near_source<'a>(subject: &Subject<'a>, name: &str) -> Option<&'a Connector> {
    let declared: Vec<&str> = subject.declared().map(|at| at.key()).collect();
    let free = subject.sources.names().filter(|source| !declared.contains(source));
    subject.sources.get(nearest(name, free)?)
}

/// A declared connector that does not exist. When a source could not be read it may, so nothing is said.
fn no_source(subject: &Subject<'_>, declared: &At<'_>) -> Option<Finding> {
    if !subject.sources.complete() {
        return None;
    }
    let name = declared.key();
    let finding =
        subject.at_key(codes::NO_SOURCE, declared, format!("no source has a connector {}", quoted(name)));
    if let Some(source) = subject.sources.nested.iter().find(|connector| connector.name == name) {
        let file = source.source.name();
        return Some(
            finding
                .label("is in a subfolder, where connectors are not looked for")
                .also(&source.source, source.span.clone(), "it is here")
                .help(format!("mv {file} {}", lifted(&subject.sources.folder, file))),
        );
    }
    if let Some(source) = near_source(subject, name) {
        return Some(
            finding
                .label(format!("did you mean `{}`?", source.name))
                .also(&source.source, source.span.clone(), "this one")
                .help(format!("\"{}\": ..", source.name)),
        );
    }
    let finding = finding
        .label("is declared here")
        .help(format!("write it into {}, or take this declaration out", file_of(subject, name)));
    // What nobody names and no source has is a leftover, where there are sources at all: else the folder is the wrong one.
    let mut unknown = subject.texts_outside("connectors");
    unknown.retain(|text| subject.sources.get(text).is_none());
    let named = unknown.contains(name) || nearest(name, unknown).is_some();
    let leftover = !named && !subject.sources.connectors.is_empty();
    Some(if leftover { finding.fix(Fix::remove(declared)) } else { finding })
}

/// A file of a subfolder as it is called in the folder itself: `connectors/meshy/mod.rs` is `connectors/meshy.rs`.
fn lifted(folder: &str, file: &str) -> String {
    let mut parts = file.rsplit('/');
    let name = parts.next().filter(|name| *name != "mod.rs").map(str::to_owned);
    let name = name.unwrap_or_else(|| format!("{}.rs", parts.next().unwrap_or("connector")));
    format!("{folder}/{name}")
}

/// The file that a connector would be in.
fn file_of(subject: &Subject<'_>, connector: &str) -> String {
    format!("{}/{}", subject.sources.folder, names::file_of(connector))
}

/// A path that does not name the file of the connector.
fn path(subject: &Subject<'_>, declared: &At<'_>) -> Option<Finding> {
    let name = declared.key();
    let at = declared.get("path")?;
    let written = at.node.text()?;
    let folder = Path::new(subject.text.name()).parent().unwrap_or(Path::new(""));
    let named = plain(&folder.join(written));
    let mut having = subject.sources.connectors.iter().filter(|connector| connector.name == name);
    if having.clone().any(|connector| plain(Path::new(connector.source.name())) == named) {
        return None;
    }
    let source = having.next()?;
    let right = relative(folder, Path::new(source.source.name()));
    let fix = format!("\"path\": \"{right}\"    or leave `path` out");
    if Path::new(written).extension().is_none_or(|extension| extension != "rs") {
        let message = format!("the path of {} is not a Rust source file", quoted(name));
        return Some(
            subject.at_value(codes::FOREIGN_PATH, &at, message).label("is never loaded").help(fix).warning(),
        );
    }
    let message = format!("{} does not have connector {}", quoted(written), quoted(name));
    Some(
        subject
            .at_value(codes::WRONG_PATH, &at, message)
            .label("is not where it is")
            .also(&source.source, source.span.clone(), "it is here")
            .help(fix),
    )
}

/// A path from the root, without `.` and `..`.
fn plain(path: &Path) -> PathBuf {
    // Joined, because the empty path has no absolute form.
    let path = std::path::absolute(Path::new(".").join(path)).unwrap_or_else(|_| path.to_owned());
    path.components().fold(PathBuf::new(), |mut plain, part| {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            part => plain.push(part),
        }
        plain
    })
}

/// A file as it is written in a mapping that is in a folder.
fn relative(folder: &Path, file: &Path) -> String {
    let (folder, file) = (plain(folder), plain(file));
    let common = folder.components().zip(file.components()).take_while(|(a, b)| a == b).count();
    let up = folder.components().skip(common).map(|_| "..".to_owned());
    let down = file.components().skip(common).map(|part| part.as_os_str().to_string_lossy().into_owned());
    let start = if folder.components().count() == common { "./" } else { "" };
    format!("{start}{}", up.chain(down).collect::<Vec<_>>().join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_written_from_the_folder_of_the_mapping() {
        assert_eq!(relative(Path::new(""), Path::new("connectors/a.rs")), "./connectors/a.rs");
        assert_eq!(relative(Path::new("config"), Path::new("connectors/a.rs")), "../connectors/a.rs");
        assert_eq!(plain(Path::new("a/./b/../c.rs")), plain(Path::new("a/c.rs")));
    }
}
