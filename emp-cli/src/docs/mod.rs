//! The page of a connector, in Markdown, from its declaration alone: pure functions from a spec to a text.

mod life;
mod markdown;
mod payload;
mod protocol;
mod request;

use emp_core::connector::Entry;
use emp_core::spec::{ConnectorSpec, EnvField, Protocol, Settle};

use markdown::{Page, code, table};
pub(crate) use payload::{GUIDE, example};

/// The first line of every page: what may be overwritten and removed, and what may not.
pub(crate) const MARK: &str = "<!-- Written by `emp connector docs`: run it again instead of editing. -->";
/// The file of the list of all pages.
pub(crate) const INDEX: &str = "README.md";

/// The file of a connector's page.
pub(crate) fn file_name(spec: &ConnectorSpec) -> String {
    format!("{}.md", spec.name)
}

/// The list of all pages.
pub(crate) fn index(entries: &[Entry]) -> String {
    let rows = entries.iter().map(|entry| {
        let spec = entry.spec;
        vec![
            format!("[{}]({})", spec.name, file_name(spec)),
            services(spec),
            shape(spec).to_owned(),
            first_line(spec.description),
        ]
    });
    let mut page = Page::new(MARK);
    page.title("Connectors");
    page.block(&table(&["connector", "service", "shape", ""], rows));
    page.text()
}

/// The page of a connector. `root` leads from the page's folder to the one that source paths are relative to.
pub(crate) fn page(spec: &'static ConnectorSpec, root: &str) -> String {
    let mut page = Page::new(MARK);
    page.title(spec.name);
    page.block(spec.description.trim());
    page.block(&table(&["", ""], head(spec, root)));
    page.section("Environment");
    if spec.env.is_empty() {
        page.block("None.");
    } else {
        page.block(&table(&["variable", "", "meaning"], spec.env.iter().map(variable)));
    }
    page.section("Payload");
    payload::describe(&mut page, spec);
    if let Some(http) = spec.http() {
        protocol::describe(&mut page, spec, http);
    }
    page.text()
}

fn head(spec: &'static ConnectorSpec, root: &str) -> Vec<Vec<String>> {
    let source = straight(spec.source.file);
    let row = |name: &str, value: String| vec![name.to_owned(), value];
    let compared = spec.openapi.map(|openapi| {
        let slice = format!("schemas/openapi/{}", openapi.file);
        row(
            "compared by the build with",
            format!("[{slice}]({root}{slice}), a part of the service's own description"),
        )
    });
    let rows = [
        row("service", services(spec)),
        row("version", spec.version.to_owned()),
        row("shape", shape(spec).to_owned()),
        row(
            "declared in",
            format!("[{source}]({root}{source}), whose head says where every name and word comes from"),
        ),
        row("after a lost answer", settle(spec)),
    ];
    rows.into_iter().chain(compared).collect()
}

fn variable(field: &EnvField) -> Vec<String> {
    let need = match (field.required, field.default) {
        (true, _) => "required".to_owned(),
        (false, Some(default)) => format!("default {}", code(default)),
        (false, None) => "optional".to_owned(),
    };
    let secret = if field.secret() { ", secret" } else { "" };
    vec![code(field.variable), format!("{need}{secret}"), field.description.trim().to_owned()]
}

fn services(spec: &ConnectorSpec) -> String {
    spec.services.iter().map(code).collect::<Vec<_>>().join(", ")
}

/// How a connector speaks to its service, in one word.
pub(crate) fn shape(spec: &ConnectorSpec) -> &'static str {
    match spec.http() {
        None => "custom",
        Some(http) if http.polls().next().is_some() => "poll",
        Some(_) => "sync",
    }
}

/// What a lost answer to a submit means, in words.
pub(crate) fn settle(spec: &ConnectorSpec) -> String {
    match &spec.protocol {
        Protocol::Http(http) => {
            let mut rules: Vec<_> = http.submits().map(|submit| rule(&submit.settle)).collect();
            rules.dedup();
            rules.join("; or, by the payload, ")
        }
        _ => "the connector's own code decides; a lost submit is never repeated blindly".to_owned(),
    }
}

fn rule(settle: &Settle) -> &'static str {
    match settle {
        Settle::Idempotent { .. } => {
            "a lost submit is sent again with the same key and bytes: the service merges them"
        }
        Settle::AssignId { .. } => "a lost submit is looked up by the id that we chose",
        Settle::Lookup(_) => "a lost submit is searched for by our tag",
        Settle::AtMostOnce => "a lost submit is never sent again: the job becomes uncertain",
        Settle::AtLeastOnce => "a lost submit is sent again",
        _ => "as declared",
    }
}

/// A path without the steps down and up again that the `#[path]` of a generated module leaves in it.
pub(crate) fn straight(path: &str) -> String {
    let mut steps: Vec<&str> = Vec::new();
    for step in path.split('/') {
        match steps.last() {
            Some(last) if step == ".." && *last != ".." => drop(steps.pop()),
            _ => steps.push(step),
        }
    }
    steps.join("/")
}

/// The first line of a description.
pub(crate) fn first_line(text: &str) -> String {
    text.trim().lines().next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::straight;

    #[test]
    fn a_path_is_shown_as_a_person_writes_it() {
        assert_eq!(straight("src/../connectors/x.rs"), "connectors/x.rs");
        assert_eq!(straight("../../x.rs"), "../../x.rs");
    }
}
