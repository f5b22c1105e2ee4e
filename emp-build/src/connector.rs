//! The connectors that the sources have, as far as the build looks at them.

use std::ops::Range;

use crate::cfg::{Cfg, Target};
use crate::codes;
use crate::declaration::{self, Declaration};
use crate::finding::Finding;
use crate::inputs::{Document, Folder};
use crate::skim::{Skim, skim};
use crate::source::SourceText;

/// A source file, as a module.
#[derive(Clone, Debug)]
pub(crate) struct Module {
    /// The name in Rust: `my_service`, `r#async`.
    pub(crate) name: String,
    /// The file's own name: `my_service.rs`.
    pub(crate) file: String,
    /// Whether the file has inner documentation.
    pub(crate) documented: bool,
}

/// A struct under `#[derive(Connector)]`.
#[derive(Clone, Debug)]
pub(crate) struct Connector {
    /// The type's name.
    pub(crate) name: String,
    /// The file that has it.
    pub(crate) source: SourceText,
    /// Where its name is in the file.
    pub(crate) span: Range<usize>,
    /// The module of its file.
    pub(crate) module: String,
    /// The conditions under which it exists.
    pub(crate) cfgs: Vec<Cfg>,
    /// The condition that keeps it out of this build.
    pub(crate) absent: Option<String>,
    /// What it declares; `None` when the derive has errors to report.
    pub(crate) declaration: Option<Declaration>,
}

/// Everything that the folder of connectors has.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sources {
    /// The folder's name.
    pub(crate) folder: String,
    /// The modules, sorted by file.
    pub(crate) modules: Vec<Module>,
    /// The connectors, sorted by name and then by file.
    pub(crate) connectors: Vec<Connector>,
    /// The connectors in subfolders, which are not registered.
    pub(crate) nested: Vec<Connector>,
    /// What kept files from being read. With any of these, a connector that was not found may well exist.
    pub(crate) findings: Vec<Finding>,
}

impl Sources {
    /// Finds the connectors of a folder, for a target.
    pub(crate) fn read(folder: &Folder, target: &Target) -> Self {
        let mut sources = Self { folder: folder.name.clone(), ..Self::default() };
        match &folder.files {
            Ok(files) => files.iter().for_each(|file| sources.add(file)),
            Err(problem) => {
                let message = format!("the folder of connectors `{}` {problem}", folder.name);
                let help = format!("mkdir {}    and put one connector into it", folder.name);
                sources.findings.push(Finding::file(codes::UNREADABLE, &folder.name, message).help(help));
            }
        }
        sources.nested = folder.nested.iter().flat_map(below).collect();
        for connector in &mut sources.connectors {
            let mut cfgs = connector.cfgs.iter();
            let absent = cfgs.find(|cfg| target.holds(&cfg.condition) == Some(false));
            connector.absent = absent.map(|cfg| cfg.text.clone());
        }
        sources.connectors.sort_by(|a, b| (&a.name, a.source.name()).cmp(&(&b.name, b.source.name())));
        sources
    }

    /// The connector with a name.
    pub(crate) fn get(&self, name: &str) -> Option<&Connector> {
        let first = self.connectors.partition_point(|connector| connector.name.as_str() < name);
        self.connectors.get(first).filter(|connector| connector.name == name)
    }

    /// The condition that keeps a connector out of this build: of all that have the name.
    pub(crate) fn absent(&self, name: &str) -> Option<&str> {
        let mut named = self.connectors.iter().filter(|connector| connector.name == name).peekable();
        let first = named.peek()?.absent.as_deref()?;
        named.all(|connector| connector.absent.is_some()).then_some(first)
    }

    /// The names, sorted.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.connectors.iter().map(|connector| connector.name.as_str())
    }

    /// Whether every file could be read, so that a connector that was not found does not exist.
    pub(crate) fn complete(&self) -> bool {
        self.findings.is_empty()
    }

    fn add(&mut self, file: &Document) {
        let text = match &file.text {
            Ok(text) => text,
            Err(problem) => {
                let message = format!("`{}` {problem}", file.name);
                let help = "save it as UTF-8 text, or move it out of the folder";
                self.findings.push(Finding::file(codes::UNREADABLE, &file.name, message).help(help));
                return;
            }
        };
        let file_name = file.name.rsplit('/').next().unwrap_or(&file.name);
        let module = module_name(file_name.trim_end_matches(".rs"));
        let documented = match skim(text.text()) {
            Ok(skimmed) => {
                let found = skimmed.connectors.into_iter();
                self.connectors
                    .extend(found.filter_map(|found| connector(text, &module, &skimmed.cfgs, found)));
                skimmed.documented
            }
            Err(error) => {
                self.findings.push(
                    Finding::error(codes::NOT_RUST, text, error.span, error.message)
                        .help("mend it here; `cargo check` says more"),
                );
                true
            }
        };
        self.modules.push(Module { name: module, file: file_name.to_owned(), documented });
    }
}

/// The connectors of a file in a subfolder. One that cannot be read is a module of another file, and rustc's alone.
fn below(file: &Document) -> Vec<Connector> {
    let Ok(text) = &file.text else { return Vec::new() };
    let skimmed = skim(text.text()).map(|skimmed| skimmed.connectors).unwrap_or_default();
    skimmed.into_iter().filter_map(|found| connector(text, "", &[], found)).collect()
}

fn connector(source: &SourceText, module: &str, file_cfgs: &[Cfg], found: Skim) -> Option<Connector> {
    if declaration::unregistered(&found.input) {
        return None;
    }
    Some(Connector {
        name: found.name,
        source: source.clone(),
        span: found.span,
        module: module.to_owned(),
        cfgs: file_cfgs.iter().chain(&found.cfgs).cloned().collect(),
        absent: None,
        declaration: declaration::read(&found.input),
    })
}

/// A module's name for a file's stem: `my-service` is `my_service`, `async` is `r#async`.
fn module_name(stem: &str) -> String {
    let mut name: String =
        stem.chars().map(|letter| if letter.is_alphanumeric() { letter } else { '_' }).collect();
    if name.is_empty() || name.starts_with(|first: char| first.is_numeric()) || name == "_" {
        name.insert(0, '_');
        name.push('_');
    }
    if syn::parse_str::<syn::Ident>(&name).is_ok() {
        return name;
    }
    let raw = format!("r#{name}");
    if syn::parse_str::<syn::Ident>(&raw).is_ok() { raw } else { format!("{name}_") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stem_is_a_module_name() {
        let names: Vec<_> =
            ["my_service", "my-service", "async", "self", "3d", "_", ""].map(module_name).into();
        assert_eq!(names, ["my_service", "my_service", "r#async", "self_", "_3d_", "___", "__"]);
    }
}
