//! What internal and external workers have, and that each worker can be started and has something to do.

use emp_core::mapping::{Scaling, Words};

use super::binding::Bindings;
use super::names::quoted;
use super::view::{Locality, WorkerView};
use super::{Subject, shape};
use crate::codes;
use crate::finding::{Finding, Fix};

/// What only a service of this machine has, by the worker's keys.
const INTERNAL_ONLY: [&str; 8] = [
    "installer",
    "installer_config",
    "service_instances_per_gpu",
    "service_instances_per_machine",
    "ports",
    "port_increment",
    "cpus_per_instance",
    "memory_per_instance",
];

/// All workers.
pub(super) fn check(subject: &Subject<'_>, workers: &[WorkerView<'_>]) -> Vec<Finding> {
    let bindings = Bindings::read(subject);
    let mut findings = Vec::new();
    for worker in workers {
        findings.extend(name(subject, worker));
        findings.extend(no_capability(subject, worker));
        match worker.locality() {
            Some(Locality::Internal) => findings.extend(lacks(subject, worker, &bindings)),
            Some(Locality::External) => findings.extend(surplus(subject, worker)),
            None => {}
        }
    }
    findings
}

/// A name that `WORKERS` cannot spell.
fn name(subject: &Subject<'_>, worker: &WorkerView<'_>) -> Option<Finding> {
    let name = worker.name();
    if !name.is_empty() && name.trim() == name && !name.contains([',', ':']) {
        return None;
    }
    let plain: String =
        name.trim().chars().map(|letter| if ",: ".contains(letter) { '-' } else { letter }).collect();
    let plain = if plain.is_empty() { "my-worker" } else { &plain };
    let message = format!("worker {} cannot be named in WORKERS", quoted(name));
    let finding = subject.at_key(codes::WORKER_NAME, &worker.at, message);
    Some(finding.label("no comma, colon or outer blank, and not nothing").help(format!("\"{plain}\": ..")))
}

/// Nothing to do: no services, or a service without a capability.
fn no_capability(subject: &Subject<'_>, worker: &WorkerView<'_>) -> Vec<Finding> {
    let name = quoted(worker.name());
    let list = worker.at.get("service").filter(|list| list.node.is_list() && list.node.entries().is_empty());
    let empty = list.map(|list| {
        subject
            .at_value(codes::NO_CAPABILITY, &list, format!("worker {name} offers no service"))
            .label("is empty")
            .help("[{ \"capability\": \"..\", \"connector\": \"..\", \"type\": \"external\" }]")
    });
    let blank = worker.services.iter().flat_map(|service| {
        let capability = service.at.get("capability");
        let none = capability.filter(|list| list.node.is_list() && list.node.entries().is_empty());
        let blank = |one: &&super::At<'_>| one.node.text().is_some_and(|text| text.trim().is_empty());
        let wrong = none.into_iter().chain(service.capabilities.iter().filter(blank).cloned());
        let known = service.declaration().and_then(|declaration| declaration.spec.services.first());
        let help = known.map_or_else(|| "\"capability\": \"..\"".to_owned(), |name| format!("\"{name}\""));
        wrong
            .map(|at| {
                let message = format!("a service of worker {name} accepts no job");
                subject
                    .at_value(codes::NO_CAPABILITY, &at, message)
                    .label("names no capability")
                    .help(help.clone())
            })
            .collect::<Vec<_>>()
    });
    empty.into_iter().chain(blank).collect()
}

/// What an internal worker lacks, in one finding.
fn lacks(subject: &Subject<'_>, worker: &WorkerView<'_>, bindings: &Bindings<'_>) -> Option<Finding> {
    let has = |key: &str| {
        let given = worker
            .at
            .get(key)
            .is_some_and(|at| subject.is_given(&at) && !(at.node.is_list() && at.node.entries().is_empty()));
        given || shape::misspelt(&worker.at, key)
    };
    let bound = worker.at.get("resource_binding").and_then(|at| subject.default::<Words>(&at));
    let per_gpu =
        bound.and_then(|name| bindings.get(&name)).is_some_and(|one| one.scaling == Scaling::PerGpu);
    let counted = has("service_instances_per_gpu") || has("service_instances_per_machine");
    let parts = [
        (has("installer"), "installer", "\"installer\": \"..\""),
        (has("ports"), "ports", "\"ports\": [8188]"),
        (
            counted,
            "number of instances",
            if per_gpu { "\"service_instances_per_gpu\": 1" } else { "\"service_instances_per_machine\": 1" },
        ),
    ];
    let missing: Vec<_> = parts.iter().filter(|(given, ..)| !given).collect();
    if missing.is_empty() {
        return None;
    }
    let list = |separator: &str, of: fn(&(bool, &'static str, &'static str)) -> &'static str| {
        missing.iter().map(|part| of(part)).collect::<Vec<_>>().join(separator)
    };
    let message =
        format!("internal worker {} has no {}", quoted(worker.name()), list(", no ", |part| part.1));
    let service = worker.services.iter().find(|service| service.kind == Some("internal"));
    let kind = service.and_then(|service| service.at.get("type"));
    let finding = subject.at_key(codes::INTERNAL_LACKS, &worker.at, message).help(list(", ", |part| part.2));
    Some(match kind {
        Some(kind) => finding.also(subject.text, kind.node.span.clone(), "runs on this machine"),
        None => finding,
    })
}

/// What an external worker has and nobody uses.
fn surplus(subject: &Subject<'_>, worker: &WorkerView<'_>) -> Vec<Finding> {
    let given = INTERNAL_ONLY.iter().filter_map(|key| worker.at.get(key)).filter(|at| subject.is_given(at));
    given
        .map(|at| {
            let (name, key) = (quoted(worker.name()), quoted(at.key()));
            let finding = subject.at_key(
                codes::EXTERNAL_HAS,
                &at,
                format!("external worker {name} has {key}, which nobody uses"),
            );
            let fix = Fix::remove(&at);
            finding.label("is for services of this machine").help("take it out").fix(fix).warning()
        })
        .collect()
}
