//! The checks: one mapping against its shape and against the sources.
//!
//! All of them look at the JSON with its places and none needs another one's success, so that everything that is wrong
//! is found in one run. What one mistake breaks besides is not reported again: each check says where it keeps still.

mod allow;
mod binding;
mod capability;
mod document;
mod environment;
mod internal;
mod machine;
mod names;
pub(crate) mod openapi;
mod references;
mod shape;
mod stages;
mod template;
mod unused;
mod variables;
mod view;

use std::collections::BTreeSet;

use emp_syntax::nearest;

use crate::connector::{Connector, Sources};
use crate::finding::{Allowed, Finding};
use crate::inputs::Inputs;
use crate::json::{At, Node};
use crate::source::SourceText;
use view::WorkerView;

/// A mapping that is JSON, and the sources that it speaks of.
struct Subject<'a> {
    /// The mapping's text.
    text: &'a SourceText,
    /// The mapping's values.
    root: &'a Node,
    /// The connectors.
    sources: &'a Sources,
    /// The names under `connectors`.
    names: BTreeSet<&'a str>,
    /// The names under `workers`.
    worker_names: BTreeSet<&'a str>,
}

/// What a check says.
#[derive(Default)]
pub(crate) struct Verdict {
    /// What is wrong with a tree.
    pub(crate) findings: Vec<Finding>,
    /// What would be, had the mapping not allowed it.
    pub(crate) allowed: Vec<Allowed>,
}

/// Everything that is wrong with a tree.
pub(crate) fn verdict(inputs: &Inputs, sources: &Sources) -> Verdict {
    let mut findings = sources.findings.clone();
    findings.extend(unused::same_names(sources));
    findings.extend(openapi::check(sources, &inputs.openapi));
    let document = match document::read(&inputs.mapping) {
        Ok(document) => document,
        Err(unread) => {
            findings.extend(unread);
            findings.extend(inputs.dockerfiles.iter().filter_map(document::unreadable));
            return Verdict { findings, allowed: Vec::new() };
        }
    };
    let subject = Subject::new(&document, sources);
    let workers: Vec<_> = subject.workers().map(|worker| WorkerView::new(&subject, worker)).collect();
    findings.extend(document::duplicates(&subject));
    findings.extend(shape::violations(&subject, &document.value));
    findings.extend(references::check(&subject));
    let readers = variables::readers(&subject);
    findings.extend(environment::check(&subject, &workers, &readers));
    findings.extend(template::check(&subject));
    findings.extend(variables::check(&subject, &workers, &readers));
    findings.extend(capability::check(&subject, &workers));
    findings.extend(internal::check(&subject, &workers));
    findings.extend(binding::check(&subject, &workers));
    findings.extend(machine::check(&subject, &workers));
    findings.extend(stages::check(&subject, &workers, &inputs.dockerfiles));
    findings.extend(unused::check(&subject));
    allow::apply(&subject, findings)
}

impl<'a> Subject<'a> {
    fn new(document: &'a document::Mapping, sources: &'a Sources) -> Self {
        let root = &document.root;
        let keys = |section: &str| {
            let section = At::root(root).get(section);
            section.iter().flat_map(|at| at.node.members()).map(|member| member.key.as_str()).collect()
        };
        Self { text: &document.text, root, sources, names: keys("connectors"), worker_names: keys("workers") }
    }

    /// The name of a worker as the mapping itself has it.
    fn worker_name(&self, name: &str) -> Option<&'a str> {
        self.worker_names.get(name).copied()
    }

    /// The connector that a worker names, or the one that a slip of the pen stands for: so what else is wrong with its use is found
    /// in the same run.
    fn meant(&self, name: &str) -> Option<&'a Connector> {
        let sources = self.sources;
        sources
            .get(name)
            .or_else(|| sources.get(nearest(name, self.names.iter().copied())?))
            .or_else(|| sources.get(nearest(name, sources.names())?))
    }

    /// A value as it is written.
    fn raw(&self, at: &At<'_>) -> &'a str {
        self.text.text().get(at.node.span.clone()).unwrap_or_default()
    }

    /// A value of a section: `section("resource_bindings")`.
    fn section(&self, key: &str) -> Option<At<'a>> {
        At::root(self.root).get(key)
    }

    /// An error at a value.
    fn at_value(&self, code: &'static str, at: &At<'_>, message: String) -> Finding {
        Finding::error(code, self.text, at.node.span.clone(), message).pointer(&at.pointer)
    }

    /// An error at the key of a value; at its opening bracket when it has none.
    fn at_key(&self, code: &'static str, at: &At<'_>, message: String) -> Finding {
        let start = at.node.span.start;
        let span = at.member.map_or(start..start + 1, |member| member.span.clone());
        Finding::error(code, self.text, span, message).pointer(&at.pointer)
    }

    /// Every text outside of a section. That is more than what uses a name of the section, so that one under a misspelt key, or in the
    /// wrong place, is not called unused as well.
    fn texts_outside(&self, section: &str) -> BTreeSet<&'a str> {
        let mut open: Vec<At<'a>> = At::root(self.root).members().filter(|at| at.key() != section).collect();
        let mut texts = BTreeSet::new();
        while let Some(at) = open.pop() {
            texts.extend(at.node.text());
            open.extend(at.members().chain(at.entries()));
        }
        texts
    }

    /// The declared connectors.
    fn declared(&self) -> impl Iterator<Item = At<'a>> + use<'a> {
        self.section("connectors").into_iter().flat_map(|section| section.members())
    }

    /// The workers.
    fn workers(&self) -> impl Iterator<Item = At<'a>> + use<'a> {
        self.section("workers").into_iter().flat_map(|section| section.members())
    }

    /// The connectors that workers name, each at its value.
    fn used(&self) -> impl Iterator<Item = At<'a>> + use<'a> {
        self.workers().flat_map(|worker| connectors_of(&worker))
    }
}

/// The connectors that a worker names.
fn connectors_of<'a>(worker: &At<'a>) -> impl Iterator<Item = At<'a>> + use<'a> {
    let services = worker.get("service").into_iter().flat_map(|service| service.entries());
    services
        .filter_map(|service| service.get("connector"))
        .filter(|connector| connector.node.text().is_some())
}
