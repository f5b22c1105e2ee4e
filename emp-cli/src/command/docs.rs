//! `emp connector docs`: a page for each connector, printed, written, or compared with what is committed.

use std::collections::BTreeMap;
use std::path::Path;

use emp_core::connector::Entry;

use crate::args::Docs;
use crate::docs;
use crate::exit::{Exit, Failure};
use crate::output::Output;

pub(super) fn run(
    args: &Docs,
    shown: &[&'static Entry],
    all: &[Entry],
    out: &Output,
) -> Result<Exit, Failure> {
    let folder = args.out.as_deref().unwrap_or(Path::new("docs/connectors"));
    let root = root(folder);
    if args.check {
        return check(folder, &pages(all, &root));
    }
    if args.out.is_some() {
        return write(folder, &pages(all, &root), out);
    }
    for entry in shown {
        let page = docs::page(entry.spec, &root);
        if out.is_json() {
            out.json(&serde_json::json!({ "connector": entry.spec.name, "markdown": page }));
        } else {
            out.line(page.trim_end());
        }
    }
    Ok(Exit::Ok)
}

/// File names and texts: the list, and a page for each connector.
fn pages(all: &[Entry], root: &str) -> BTreeMap<String, String> {
    let list = (docs::INDEX.to_owned(), docs::index(all));
    let pages = all.iter().map(|entry| (docs::file_name(entry.spec), docs::page(entry.spec, root)));
    pages.chain([list]).collect()
}

/// From a folder back to where its path begins.
fn root(folder: &Path) -> String {
    if folder.is_absolute() { String::new() } else { "../".repeat(folder.components().count()) }
}

fn write(folder: &Path, pages: &BTreeMap<String, String>, out: &Output) -> Result<Exit, Failure> {
    std::fs::create_dir_all(folder).map_err(|error| Failure::io("cannot make the folder", &error))?;
    for name in left_over(folder, pages) {
        let path = folder.join(name);
        std::fs::remove_file(&path)
            .map_err(|error| Failure::io(&format!("cannot remove {}", path.display()), &error))?;
        out.note(format!("removed {}", path.display()));
    }
    for (name, text) in pages {
        let path = folder.join(name);
        std::fs::write(&path, text)
            .map_err(|error| Failure::io(&format!("cannot write {}", path.display()), &error))?;
    }
    out.note(format!("wrote {} pages into {}", pages.len(), folder.display()));
    Ok(Exit::Ok)
}

fn check(folder: &Path, pages: &BTreeMap<String, String>) -> Result<Exit, Failure> {
    let fresh = |(name, text): &(&String, &String)| {
        std::fs::read_to_string(folder.join(name)).is_ok_and(|written| written == **text)
    };
    let stale = pages.iter().find(|page| !fresh(page)).map(|(name, _)| name.clone());
    match stale.or_else(|| left_over(folder, pages).into_iter().next()) {
        None => Ok(Exit::Ok),
        Some(name) => Err(Failure::new(
            Exit::Conflict,
            "E_STALE",
            format!("{} is not fresh", folder.join(name).display()),
        )
        .help(format!("emp connector docs --out {}", folder.display()))),
    }
}

/// Pages of connectors that are no more. Only what bears the mark is one of them.
fn left_over(folder: &Path, pages: &BTreeMap<String, String>) -> Vec<String> {
    let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let names = files.map(|file| file.file_name().to_string_lossy().into_owned());
    let ours = |name: &String| {
        !pages.contains_key(name)
            && Path::new(name).extension().is_some_and(|extension| extension == "md")
            && std::fs::read_to_string(folder.join(name)).is_ok_and(|text| text.starts_with(docs::MARK))
    };
    names.filter(ours).collect()
}
