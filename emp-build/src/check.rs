//! The checks: one mapping against its shape and against the sources.
//!
//! All of them look at the JSON with its places and none needs another one's success, so that everything that is wrong
//! is found in one run. What one mistake breaks besides is not reported again: each check says where it keeps still.

mod document;
mod environment;
mod names;
pub(crate) mod openapi;
mod references;
mod shape;
mod template;
mod unused;

use crate::connector::Sources;
use crate::finding::Finding;
use crate::inputs::Inputs;
use crate::json::{At, Node};
use crate::source::SourceText;

/// A mapping that is JSON, and the sources that it speaks of.
struct Subject<'a> {
    /// The mapping's text.
    text: &'a SourceText,
    /// The mapping's values.
    root: &'a Node,
    /// The connectors.
    sources: &'a Sources,
}

/// Everything that is wrong with a tree.
pub(crate) fn findings(inputs: &Inputs, sources: &Sources) -> Vec<Finding> {
    let mut findings = sources.findings.clone();
    findings.extend(unused::same_names(sources));
    findings.extend(openapi::check(sources, &inputs.openapi));
    findings.extend(inputs.dockerfile.as_ref().and_then(document::unreadable));
    match document::read(&inputs.mapping) {
        Err(unread) => findings.extend(unread),
        Ok(document) => {
            let subject = Subject { text: &document.text, root: &document.root, sources };
            findings.extend(document::duplicates(&subject));
            findings.extend(shape::violations(&subject, &document.value));
            findings.extend(references::check(&subject));
            findings.extend(environment::check(&subject));
            findings.extend(template::check(&subject));
            findings.extend(unused::check(&subject));
        }
    }
    findings
}

impl<'a> Subject<'a> {
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

    /// The declared connectors.
    fn declared(&self) -> impl Iterator<Item = At<'a>> + use<'a> {
        At::root(self.root).get("connectors").into_iter().flat_map(|section| section.members())
    }

    /// The workers.
    fn workers(&self) -> impl Iterator<Item = At<'a>> + use<'a> {
        At::root(self.root).get("workers").into_iter().flat_map(|section| section.members())
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
