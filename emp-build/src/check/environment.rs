//! `required_env` of each worker against the variables of its connectors.

use std::collections::BTreeMap;
use std::ops::Range;

use emp_syntax::env_template::EnvTemplate;
use emp_syntax::nearest;

use super::names::{is_variable, quoted};
use super::variables::{Place, Reader};
use super::view::WorkerView;
use super::{Subject, shape};
use crate::codes;
use crate::finding::{Finding, Fix};
use crate::json::At;
use crate::source::SourceText;

/// All workers.
pub(super) fn check(
    subject: &Subject<'_>,
    workers: &[WorkerView<'_>],
    readers: &[Reader<'_>],
) -> Vec<Finding> {
    // What this machine expands; what stands in `api_config` only shows what the connectors read.
    let mut templates: BTreeMap<&str, Vec<&Reader<'_>>> = BTreeMap::new();
    for reader in readers {
        if let Place::Mapping { worker: Some(worker), field, .. } = &reader.place
            && field != "api_config"
        {
            templates.entry(worker).or_default().push(reader);
        }
    }
    let own = |view: &WorkerView<'_>| templates.get(view.name()).map(Vec::as_slice).unwrap_or_default();
    workers.iter().flat_map(|view| Worker::new(subject, view, own(view)).check()).collect()
}

/// A worker with its list.
struct Worker<'v, 'a> {
    subject: &'v Subject<'a>,
    view: &'v WorkerView<'a>,
    /// The list, when it is one.
    listed: Vec<At<'a>>,
    /// What its templates read, where this machine expands them.
    templates: &'v [&'v Reader<'a>],
}

impl<'v, 'a> Worker<'v, 'a> {
    fn new(subject: &'v Subject<'a>, view: &'v WorkerView<'a>, templates: &'v [&'v Reader<'a>]) -> Self {
        let listed = view.at.get("required_env").into_iter().flat_map(|list| list.entries()).collect();
        Self { subject, view, listed, templates }
    }

    fn check(&self) -> Vec<Finding> {
        let entries = self.listed.iter().filter_map(|entry| {
            let text = entry.node.text()?;
            if is_variable(text) { self.unknown(entry, text) } else { Some(self.not_a_name(entry, text)) }
        });
        entries.chain(self.missing()).collect()
    }

    /// An entry that is not a name.
    fn not_a_name(&self, entry: &At<'_>, text: &str) -> Finding {
        let what = format!("{} is not the name of a variable", quoted(text));
        let finding = self.subject.at_value(codes::NOT_A_NAME, entry, what);
        let inside = inside(text).filter(|_| !self.view.complete);
        let help = match (self.meant(text).or(inside.as_deref()), self.names().next()) {
            (Some(name), _) => format!("\"{name}\""),
            (None, Some(example)) => format!("write a name, such as \"{example}\", or take the entry out"),
            (None, None) if self.view.complete => {
                "take the entry out: the worker's connectors read no variables".to_owned()
            }
            (None, None) => "write the bare name of a variable, or take the entry out".to_owned(),
        };
        finding.label("must be a bare name").help(help)
    }

    /// An entry that nobody reads.
    fn unknown(&self, entry: &At<'_>, name: &str) -> Option<Finding> {
        let in_template = self.templates.iter().any(|reader| reader.name == name);
        if !self.view.complete || in_template || self.names().any(|known| known == name) {
            return None;
        }
        let message = format!("no connector of worker {} reads {}", quoted(self.view.name()), quoted(name));
        let finding = self.subject.at_value(codes::UNKNOWN_VARIABLE, entry, message);
        let near = self.meant(name);
        Some(
            if let Some((connector, variable)) =
                self.view.variables.iter().find(|(_, variable)| near == Some(&variable.name))
            {
                finding
                    .label(format!("did you mean `{}`?", variable.name))
                    .also(&connector.source, variable.span.clone(), "this one")
                    .help(format!("\"{}\"", variable.name))
            } else {
                let finding = finding.label("is read by nobody").fix(Fix::remove(entry));
                finding.help(match self.names().collect::<Vec<_>>() {
                    names if names.is_empty() => "take it out: they read no variables".to_owned(),
                    names => format!("take it out; what they read is `{}`", names.join("`, `")),
                })
            },
        )
    }

    /// Required variables that are not listed, unless a wrong entry stands for them.
    fn missing(&self) -> Vec<Finding> {
        let listed: Vec<&str> = self.listed.iter().filter_map(|entry| entry.node.text()).collect();
        let meant: Vec<&str> = listed
            .iter()
            .filter(|text| !self.names().any(|known| known == **text))
            .filter_map(|text| self.meant(text))
            .collect();
        let list = self.view.at.get("required_env");
        if list.is_none() && shape::misspelt(&self.view.at, "required_env") {
            return Vec::new();
        }
        let place = list.as_ref().unwrap_or(&self.view.at);
        let mut said: Vec<&str> = Vec::new();
        let mut findings = Vec::new();
        for need in self.needs() {
            if listed.contains(&need.name) || meant.contains(&need.name) || said.contains(&need.name) {
                continue;
            }
            said.push(need.name);
            let name = need.name;
            let message = format!(
                "worker {} does not require `{name}`, without which {} cannot start",
                quoted(self.view.name()),
                need.whose
            );
            let names = listed.iter().copied().filter(|entry| is_variable(entry)).chain([name]);
            let whole: Vec<String> = names.map(|name| format!("\"{name}\"")).collect();
            findings.push(
                self.subject
                    .at_key(codes::MISSING_VARIABLE, place, message)
                    .label(format!("`{name}` is missing"))
                    .also(need.source, need.span, "is required here")
                    .help(format!("\"required_env\": [{}]", whole.join(", ")))
                    .fix(Fix::Require(self.view.at.pointer.clone(), name.to_owned())),
            );
        }
        findings
    }

    /// What must be set: the required variables of the connectors, and those of templates that say `:?`.
    fn needs(&self) -> impl Iterator<Item = Need<'_>> {
        let variables = self.view.variables.iter().filter(|(_, variable)| variable.required);
        let of_connectors = variables.map(|(connector, variable)| Need {
            name: &variable.name,
            whose: format!("`{}`", connector.name),
            source: &connector.source,
            span: variable.span.clone(),
        });
        let required = self.templates.iter().filter(|reader| reader.required);
        let of_templates = required.filter_map(|reader| match &reader.place {
            Place::Mapping { field, span, .. } => Some(Need {
                name: &reader.name,
                whose: format!("its {}", quoted(field)),
                source: self.subject.text,
                span: span.clone(),
            }),
            Place::Source { .. } => None,
        });
        of_connectors.chain(of_templates)
    }

    /// The variable that a wrong entry stands for: the default or the name of a template, or else the nearest name that is not listed.
    fn meant(&self, entry: &str) -> Option<&str> {
        let inside = inside(entry);
        let word = inside.as_deref().unwrap_or(entry);
        let free =
            self.names().filter(|name| !self.listed.iter().any(|entry| entry.node.text() == Some(name)));
        nearest(word, free)
    }

    fn names(&self) -> impl Iterator<Item = &'a str> {
        self.view.names()
    }
}

/// A variable that must be set.
struct Need<'n> {
    name: &'n str,
    /// Who cannot start without it.
    whose: String,
    source: &'n SourceText,
    span: Range<usize>,
}

/// The name that a template in place of a name has as its default, or else that of its variable.
fn inside(entry: &str) -> Option<String> {
    let template = EnvTemplate::parse(entry).ok()?;
    let name = template.as_variable()?.name.clone();
    Some(template.expand(&|_| None).ok().filter(|default| is_variable(default)).unwrap_or(name))
}
