//! Templates where nobody expands one.

use super::super::Subject;
use super::super::names::quoted;
use crate::codes;
use crate::finding::Finding;
use crate::json::At;

/// The values that are names, and so mean what they say.
pub(super) fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let paths = subject.declared().filter_map(|declared| declared.get("path"));
    let all = subject.workers().flat_map(|worker| names_of(&worker)).chain(paths);
    let templates = all.filter(|at| at.node.text().is_some_and(|text| text.contains("${")));
    templates.map(|at| finding(subject, &at)).collect()
}

/// The names in a worker.
fn names_of<'a>(worker: &At<'a>) -> Vec<At<'a>> {
    let services: Vec<_> = worker.get("service").into_iter().flat_map(|list| list.entries()).collect();
    let capabilities = services.iter().filter_map(|service| service.get("capability"));
    let names = capabilities.flat_map(|one| one.entries().chain([one.clone()]).collect::<Vec<_>>());
    let connectors = services.iter().filter_map(|service| service.get("connector"));
    let own = ["installer", "build_stage"].into_iter().filter_map(|key| worker.get(key));
    names.chain(connectors).chain(own).collect()
}

fn finding(subject: &Subject<'_>, at: &At<'_>) -> Finding {
    let text = at.node.text().unwrap_or_default();
    let template = emp_syntax::env_template::EnvTemplate::parse(text).ok();
    let default =
        template.and_then(|template| template.expand(&|_| None).ok()).filter(|default| !default.is_empty());
    let message = format!("{} would stay as it is written: this value is a name", quoted(text));
    subject
        .at_value(codes::NO_TEMPLATE, at, message)
        .label("is not expanded")
        .help(default.map_or_else(|| "write the name itself".to_owned(), |default| format!("\"{default}\"")))
}
