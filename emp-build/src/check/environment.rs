//! `required_env` of each worker against the variables of its connectors.

use emp_syntax::env_template::EnvTemplate;
use emp_syntax::nearest;

use super::names::{is_variable, quoted};
use super::{Subject, connectors_of, shape};
use crate::codes;
use crate::connector::Connector;
use crate::declaration::Variable;
use crate::finding::Finding;
use crate::json::At;

/// All workers.
pub(super) fn check(subject: &Subject<'_>) -> Vec<Finding> {
    subject.workers().flat_map(|worker| Worker::new(subject, worker).check()).collect()
}

/// A worker with what its connectors read.
struct Worker<'a> {
    subject: &'a Subject<'a>,
    at: At<'a>,
    /// The list, when it is one.
    listed: Vec<At<'a>>,
    /// Every variable of every connector that is known.
    variables: Vec<(&'a Connector, &'a Variable)>,
    /// Whether all its connectors are known. If not, a variable that seems unknown may be one of theirs.
    complete: bool,
}

impl<'a> Worker<'a> {
    fn new(subject: &'a Subject<'a>, at: At<'a>) -> Self {
        let mut connectors: Vec<Option<&Connector>> = connectors_of(&at)
            .map(|connector| subject.sources.get(connector.node.text().unwrap_or_default()))
            .collect();
        let declared = |connector: &&'a Connector| connector.declaration.is_some();
        let services = at.get("service").map_or(0, |services| services.node.entries().len());
        let complete = services > 0
            && services == connectors.len()
            && connectors.iter().all(|connector| connector.as_ref().is_some_and(declared));
        connectors.sort_by_key(|connector| connector.map(|connector| &connector.name));
        connectors.dedup_by_key(|connector| connector.map(|connector| &connector.name));
        let variables = connectors
            .into_iter()
            .flatten()
            .filter_map(|connector| Some((connector, connector.declaration.as_ref()?)))
            .flat_map(|(connector, declaration)| declaration.env.iter().map(move |one| (connector, one)))
            .collect();
        let listed = at.get("required_env").into_iter().flat_map(|list| list.entries()).collect();
        Self { subject, at, listed, variables, complete }
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
        let inside = inside(text).filter(|_| !self.complete);
        let help = match (self.meant(text).or(inside.as_deref()), self.names().next()) {
            (Some(name), _) => format!("\"{name}\""),
            (None, Some(example)) => format!("write a name, such as \"{example}\", or take the entry out"),
            (None, None) if self.complete => {
                "take the entry out: the worker's connectors read no variables".to_owned()
            }
            (None, None) => "write the bare name of a variable, or take the entry out".to_owned(),
        };
        finding.label("must be a bare name").help(help)
    }

    /// An entry that nobody reads.
    fn unknown(&self, entry: &At<'_>, name: &str) -> Option<Finding> {
        if !self.complete || self.names().any(|known| known == name) {
            return None;
        }
        let message = format!("no connector of worker {} reads {}", quoted(self.at.key()), quoted(name));
        let finding = self.subject.at_value(codes::UNKNOWN_VARIABLE, entry, message);
        let near = self.meant(name);
        Some(match self.variables.iter().find(|(_, variable)| near == Some(&variable.name)) {
            Some((connector, variable)) => finding
                .label(format!("did you mean `{}`?", variable.name))
                .also(&connector.source, variable.span.clone(), "this one")
                .help(format!("\"{}\"", variable.name)),
            None => finding.label("is read by nobody").help(match self.names().collect::<Vec<_>>() {
                names if names.is_empty() => "take it out: they read no variables".to_owned(),
                names => format!("take it out; what they read is `{}`", names.join("`, `")),
            }),
        })
    }

    /// Required variables that are not listed, unless a wrong entry stands for them.
    fn missing(&self) -> Vec<Finding> {
        let listed: Vec<&str> = self.listed.iter().filter_map(|entry| entry.node.text()).collect();
        let meant: Vec<&str> = listed
            .iter()
            .filter(|text| !self.names().any(|known| known == **text))
            .filter_map(|text| self.meant(text))
            .collect();
        let mut required: Vec<&(&Connector, &Variable)> =
            self.variables.iter().filter(|(_, variable)| variable.required).collect();
        required.dedup_by_key(|(_, variable)| &variable.name);
        let mut said: Vec<&str> = Vec::new();
        let list = self.at.get("required_env");
        if list.is_none() && shape::misspelt(&self.at, "required_env") {
            return Vec::new();
        }
        let place = list.as_ref().unwrap_or(&self.at);
        required
            .into_iter()
            .filter(|(_, variable)| {
                let name = variable.name.as_str();
                let missing = !listed.contains(&name) && !meant.contains(&name) && !said.contains(&name);
                said.push(name);
                missing
            })
            .map(|(connector, variable)| {
                let name = &variable.name;
                let message = format!(
                    "worker {} does not require `{name}`, without which `{}` cannot start",
                    quoted(self.at.key()),
                    connector.name
                );
                let names = listed.iter().copied().filter(|entry| is_variable(entry)).chain([name.as_str()]);
                let whole: Vec<String> = names.map(|name| format!("\"{name}\"")).collect();
                self.subject
                    .at_key(codes::MISSING_VARIABLE, place, message)
                    .label(format!("`{name}` is missing"))
                    .also(&connector.source, variable.span.clone(), "is required here")
                    .help(format!("\"required_env\": [{}]", whole.join(", ")))
            })
            .collect()
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
        self.variables.iter().map(|(_, variable)| variable.name.as_str())
    }
}

/// The name that a template in place of a name has as its default, or else that of its variable.
fn inside(entry: &str) -> Option<String> {
    let template = EnvTemplate::parse(entry).ok()?;
    let name = template.as_variable()?.name.clone();
    Some(template.expand(&|_| None).ok().filter(|default| is_variable(default)).unwrap_or(name))
}
