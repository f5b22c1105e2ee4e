//! Connectors that nobody uses, and connectors that cannot be told apart.

use super::Subject;
use super::names::quoted;
use crate::codes;
use crate::connector::Sources;
use crate::finding::Finding;

/// Connectors of the sources that no worker uses, as warnings.
pub(super) fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let mut used = subject.texts_outside("connectors");
    // A wrong name is reported where it stands; what it was meant for counts as used.
    let wrong =
        subject.used().filter_map(|at| at.node.text()).filter(|name| subject.sources.get(name).is_none());
    let meant: Vec<&str> =
        wrong.filter_map(|name| emp_syntax::nearest(name, subject.sources.names())).collect();
    let slips: Vec<&str> = subject
        .declared()
        .filter(|at| subject.sources.get(at.key()).is_none())
        .filter_map(|at| emp_syntax::nearest(at.key(), subject.sources.names()))
        .collect();
    used.extend(meant);
    used.extend(slips);
    subject
        .sources
        .connectors
        .iter()
        .filter(|connector| !used.contains(connector.name.as_str()))
        .map(|connector| {
            let name = &connector.name;
            let message = format!("no worker uses connector {}", quoted(name));
            let example = format!(
                "let a worker use it: \"service\": [{{ \"capability\": \"..\", \"connector\": \"{name}\", \"type\": \"external\" }}]"
            );
            match subject.declared().find(|at| at.key() == name) {
                Some(declared) => subject.at_key(codes::UNUSED, &declared, message).label("is declared here"),
                None => Finding::error(codes::UNUSED, &connector.source, connector.span.clone(), message)
                    .label("is not declared in the mapping"),
            }
            .help(example)
            .warning()
        })
        .collect()
}

/// Connectors with one name in two files. Those under a condition may exclude one another, which rustc knows.
pub(super) fn same_names(sources: &Sources) -> Vec<Finding> {
    let mut findings = Vec::new();
    for pair in sources.connectors.windows(2) {
        let [first, second] = pair else { continue };
        let conditional = !first.cfgs.is_empty() && !second.cfgs.is_empty();
        if first.name == second.name && first.source.name() != second.source.name() && !conditional {
            let message = format!("two connectors are named {}", quoted(&second.name));
            findings.push(
                Finding::error(codes::SAME_NAME, &second.source, second.span.clone(), message)
                    .label("the second one")
                    .also(&first.source, first.span.clone(), "the first one")
                    .help(format!("pub struct {}2    and use that name in the mapping", second.name)),
            );
        }
    }
    findings
}
