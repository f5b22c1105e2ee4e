//! Variables over the mapping and the connectors together: read by somebody, with one default, as one kind of thing, and no
//! credential where it would be shown.

mod reader;
mod unexpanded;

use std::collections::BTreeMap;
use std::ops::Range;

use emp_syntax::nearest;

use super::Subject;
use super::names::quoted;
use super::view::WorkerView;
use crate::codes;
use crate::finding::Finding;
pub(super) use reader::{Place, Reader, readers};

/// All readers.
pub(super) fn check(
    subject: &Subject<'_>,
    workers: &[WorkerView<'_>],
    readers: &[Reader<'_>],
) -> Vec<Finding> {
    let mut findings = unexpanded::check(subject);
    let by_worker: BTreeMap<&str, &WorkerView<'_>> = workers.iter().map(|view| (view.name(), view)).collect();
    findings.extend(readers.iter().filter_map(|reader| unread(subject, &by_worker, reader)));
    let mut by_name: BTreeMap<&str, Vec<&Reader<'_>>> = BTreeMap::new();
    for reader in readers {
        by_name.entry(reader.name.as_str()).or_default().push(reader);
    }
    findings.extend(by_name.values().flat_map(|readers| disagreements(subject, readers)));
    findings
}

/// A variable that stands where only the worker's connectors look, and none of them does.
fn unread(
    subject: &Subject<'_>,
    workers: &BTreeMap<&str, &WorkerView<'_>>,
    reader: &Reader<'_>,
) -> Option<Finding> {
    let Place::Mapping { worker: Some(worker), field, .. } = &reader.place else { return None };
    let worker = workers.get(worker)?;
    if *field != "api_config" || !worker.complete || worker.names().any(|known| known == reader.name) {
        return None;
    }
    let (name, shown) = (quoted(&reader.name), quoted(worker.name()));
    let finding = reader.finding(
        subject,
        codes::UNREAD,
        format!("nobody reads {name}: no connector of worker {shown} declares it"),
    );
    let near = nearest(&reader.name, worker.names());
    let known = worker.variables.iter().find(|(_, variable)| Some(variable.name.as_str()) == near);
    let elsewhere = subject.sources.connectors.iter().find(|connector| {
        let mut env = connector.declaration.iter().flat_map(|declaration| &declaration.env);
        env.any(|variable| variable.name == reader.name)
    });
    Some(
        match (known, elsewhere) {
            (Some((connector, variable)), _) => finding
                .label(format!("did you mean `{}`?", variable.name))
                .also(&connector.source, variable.span.clone(), "this one")
                .help(match &reader.default {
                    Some(default) => format!("${{{}:-{default}}}", variable.name),
                    None => format!("${{{}}}", variable.name),
                }),
            (None, Some(connector)) => finding
                .label("whoever sets it changes nothing here")
                .also(&connector.source, connector.span.clone(), "reads it, but is not of this worker")
                .help("take it out here"),
            (None, None) => finding.label("whoever sets it changes nothing").help(format!(
                "take it out, or let the connector read it: #[env(\"{}\"{})]",
                reader.name,
                reader
                    .default
                    .as_ref()
                    .map_or_else(String::new, |default| format!(", default = {default:?}")),
            )),
        }
        .warning(),
    )
}

/// What the readers of one variable do not agree on. Each is compared with the first: the connectors' declarations come first.
fn disagreements(subject: &Subject<'_>, readers: &[&Reader<'_>]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, reader) in readers.iter().enumerate() {
        let before = readers.get(..index).unwrap_or_default();
        let Some(first) = before.first() else { continue };
        if let Some(secret) = before.iter().find(|one| one.kind.shows(reader.kind)) {
            findings.push(shown(subject, reader, secret));
        } else if let Some(other) = before.iter().find(|one| !one.kind.agrees(reader.kind)) {
            findings.push(two_kinds(subject, reader, other));
        } else if reader.default.is_some() {
            // A connector that has no default is an answer; a template that has none leaves it to another.
            let against = match (&first.default, &first.place) {
                (None, Place::Mapping { .. }) => before.iter().copied().find(|one| one.default.is_some()),
                _ => Some(*first),
            };
            findings.extend(against.and_then(|against| two_defaults(subject, reader, against)));
        }
    }
    findings
}

fn two_defaults(subject: &Subject<'_>, reader: &Reader<'_>, first: &Reader<'_>) -> Option<Finding> {
    let own = reader.default.as_ref()?;
    let name = quoted(&reader.name);
    let value = |text: &str| quoted(text);
    let (message, label, help) = match &first.default {
        Some(other) if first.kind.same(other, own) => return None,
        Some(other) => (
            format!("{name} is {} here and {} there when nobody sets it", value(own), value(other)),
            format!("is {} here", value(own)),
            match &reader.place {
                Place::Mapping { .. } => format!("${{{}:-{other}}}", reader.name),
                Place::Source { .. } => format!("default = {other:?}"),
            },
        ),
        None if first.kind.is_secret() => return None,
        None => (
            format!("{name} has a default here, and {} has none for it", first.who()),
            "is never used".to_owned(),
            match &reader.place {
                Place::Mapping { .. } => {
                    format!("${{{}}}    or #[env(\"{}\", default = {own:?})] there", reader.name, reader.name)
                }
                Place::Source { .. } => return None,
            },
        ),
    };
    let finding = reader.finding(subject, codes::TWO_DEFAULTS, message).label(label).help(help).warning();
    Some(first.also(
        subject,
        finding,
        first.default.as_ref().map_or_else(
            || if first.required { "is required".to_owned() } else { "has no default".to_owned() },
            |other| format!("is {} there", value(other)),
        ),
    ))
}

fn two_kinds(subject: &Subject<'_>, reader: &Reader<'_>, other: &Reader<'_>) -> Finding {
    let name = quoted(&reader.name);
    let (own, their) = (reader.kind.phrase(), other.kind.phrase());
    let message = format!("{name} is read as {own} here and as {their} there");
    let finding = reader.finding(subject, codes::TWO_KINDS, message).label(format!("as {own}"));
    let help = match (&reader.place, &other.place) {
        (Place::Mapping { .. }, Place::Source { connector, .. }) => {
            format!("let `{}` read {own} too, or take it out here", connector.name)
        }
        _ => "read it as the same in both, or from two variables".to_owned(),
    };
    other.also(subject, finding, format!("as {their}")).help(help).warning()
}

fn shown(subject: &Subject<'_>, reader: &Reader<'_>, secret: &Reader<'_>) -> Finding {
    let name = quoted(&reader.name);
    let (reader, secret) = if reader.kind.is_secret() { (secret, reader) } else { (reader, secret) };
    let message = format!("the credential {name} is read as plain text");
    let finding =
        reader.finding(subject, codes::SHOWN_SECRET, message).label("would be shown wherever settings are");
    let help = match reader.place {
        Place::Mapping { .. } => "take it out: the connector reads it by itself",
        Place::Source { .. } => "declare it as `Secret` here too",
    };
    secret.also(subject, finding, "is a secret").help(help)
}

impl Reader<'_> {
    fn finding(&self, subject: &Subject<'_>, code: &'static str, message: String) -> Finding {
        match &self.place {
            Place::Mapping { span, pointer, .. } => {
                Finding::error(code, subject.text, span.clone(), message).pointer(pointer.clone())
            }
            Place::Source { connector, span } => {
                Finding::error(code, &connector.source, span.clone(), message)
            }
        }
    }

    fn also(&self, subject: &Subject<'_>, finding: Finding, label: impl Into<String>) -> Finding {
        match &self.place {
            Place::Mapping { span, .. } => finding.also(subject.text, span.clone(), label),
            Place::Source { connector, span } => finding.also(&connector.source, span.clone(), label),
        }
    }

    fn who(&self) -> String {
        match &self.place {
            Place::Mapping { .. } => "the other place".to_owned(),
            Place::Source { connector, .. } => format!("connector `{}`", connector.name),
        }
    }
}

/// The bytes of a variable in a template, from its `$` to the end of its name.
fn variable_span(text: &str, offset: usize, name: &str) -> Range<usize> {
    let start = text.get(offset..).and_then(|rest| rest.find(name)).map_or(offset, |at| offset + at);
    start..start + name.len()
}
