//! Capabilities: each done by one connector, or one of them preferred, and each among what the connector declares.

use std::collections::BTreeMap;

use super::Subject;
use super::names::quoted;
use super::view::{ServiceView, WorkerView};
use crate::codes;
use crate::finding::Finding;
use crate::json::At;
use crate::texts::Spot;

/// All workers.
pub(super) fn check(subject: &Subject<'_>, workers: &[WorkerView<'_>]) -> Vec<Finding> {
    let services =
        || workers.iter().flat_map(|worker| worker.services.iter().map(move |service| (worker, service)));
    let other = services().flat_map(|(worker, service)| other_service(subject, worker, service));
    let mut offers: BTreeMap<&str, Vec<Offer<'_, '_>>> = BTreeMap::new();
    for (worker, service) in services() {
        let Some(connector) = connector(service) else { continue };
        for at in &service.capabilities {
            let name = at.node.text().unwrap_or_default();
            offers.entry(name).or_default().push(Offer { worker, service, at, connector });
        }
    }
    let several = offers.iter().filter_map(|(name, offers)| several(subject, name, offers));
    other.chain(several).collect()
}

/// A capability that a connector does in a worker.
struct Offer<'v, 'a> {
    worker: &'v WorkerView<'a>,
    service: &'v ServiceView<'a>,
    at: &'v At<'a>,
    connector: &'a str,
}

/// The connector that is meant, by its name.
fn connector<'a>(service: &ServiceView<'a>) -> Option<&'a str> {
    let written = service.connector.as_ref()?.node.text()?;
    Some(service.source.map_or(written, |source| source.name.as_str()))
}

/// A capability that several connectors do, and none or several of them preferred.
fn several(subject: &Subject<'_>, name: &str, offers: &[Offer<'_, '_>]) -> Option<Finding> {
    let first = offers.first()?;
    let second = offers.iter().find(|offer| offer.connector != first.connector)?;
    let mut preferred = offers.iter().filter(|offer| offer.service.preferred);
    let chosen = preferred.next();
    let rival = chosen.and_then(|chosen| preferred.find(|offer| offer.connector != chosen.connector));
    let mut connectors: Vec<&str> = offers.iter().map(|offer| offer.connector).collect();
    connectors.sort_unstable();
    connectors.dedup();
    let list = connectors.join("`, `");
    match (chosen, rival) {
        (Some(_), None) => None,
        (Some(chosen), Some(rival)) => {
            let message = format!("two connectors are preferred for capability {}", quoted(name));
            Some(
                subject
                    .at_value(codes::SEVERAL_CONNECTORS, rival.at, message)
                    .label(format!("`{}` is preferred", rival.connector))
                    .also(
                        subject.text,
                        chosen.at.node.span.clone(),
                        format!("`{}` is preferred too", chosen.connector),
                    )
                    .help(format!("take \"preferred\": true out of worker {}", quoted(rival.worker.name()))),
            )
        }
        (None, _) => {
            let message = format!("capability {} is done by several connectors: `{list}`", quoted(name));
            Some(
                subject
                    .at_value(codes::SEVERAL_CONNECTORS, second.at, message)
                    .label(format!("by `{}` here", second.connector))
                    .also(subject.text, first.at.node.span.clone(), format!("by `{}` here", first.connector))
                    .help(format!(
                        "say which one does a job that can go to either: \"connector\": \"{}\", \"preferred\": true",
                        first.connector
                    )),
            )
        }
    }
}

/// A capability that the connector does not declare as a service of its own.
fn other_service(subject: &Subject<'_>, worker: &WorkerView<'_>, service: &ServiceView<'_>) -> Vec<Finding> {
    let (Some(source), Some(declaration)) = (service.source, service.declaration()) else {
        return Vec::new();
    };
    let declared: Vec<&str> = declaration.spec.services.iter().map(String::as_str).collect();
    let strange = service.capabilities.iter().filter_map(|at| {
        let name = at.node.text()?;
        // A blank one and a template are reported as what they are.
        (!declared.contains(&name) && !name.trim().is_empty() && !name.contains("${")).then_some((at, name))
    });
    strange
        .map(|(at, name)| {
            let message = format!("connector `{}` does not serve {}", source.name, quoted(name));
            let written = |text: &str| declared.contains(&text);
            let span = declaration.texts.literal(Spot::all("connector"), written);
            let span = span.unwrap_or_else(|| source.span.clone());
            let finding = subject.at_value(codes::OTHER_SERVICE, at, message).also(
                &source.source,
                span,
                format!("serves `{}`", declared.join("`, `")),
            );
            if let Some(near) = emp_syntax::nearest(name, declared.iter().copied()) {
                finding.label(format!("did you mean `{near}`?")).help(format!("\"{near}\""))
            } else {
                let all: Vec<String> = declared
                    .iter()
                    .chain([&name])
                    .map(|one| serde_json::Value::from(*one).to_string())
                    .collect();
                finding.label(format!("worker {} accepts jobs for it", quoted(worker.name()))).help(
                    match declared.as_slice() {
                        [only] => {
                            format!("\"{only}\"    or in the connector: service = [{}]", all.join(", "))
                        }
                        _ => format!("service = [{}]    in the connector", all.join(", ")),
                    },
                )
            }
        })
        .collect()
}
