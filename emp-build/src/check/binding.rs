//! Resource bindings: known, of the scaling that the worker counts in, and used.

use std::collections::{BTreeMap, BTreeSet};

use emp_core::mapping::{BUILT_IN_BINDINGS, Count, ResourceBinding, Scaling, Words};
use emp_syntax::env_template::EnvTemplate;
use emp_syntax::nearest;

use super::Subject;
use super::names::quoted;
use super::view::{Locality, WorkerView};
use crate::codes;
use crate::finding::{Finding, Fix};
use crate::json::At;

/// The bindings that a mapping has.
pub(super) struct Bindings<'a> {
    /// Those of its section, with their places; `None` for one that is not of the right shape.
    declared: BTreeMap<&'a str, (At<'a>, Option<ResourceBinding>)>,
}

impl<'a> Bindings<'a> {
    /// Reads the section.
    pub(super) fn read(subject: &Subject<'a>) -> Self {
        let members = subject.section("resource_bindings").into_iter().flat_map(|section| section.members());
        let declared = members.map(|at| {
            let binding = read(subject, &at);
            (at.key(), (at, binding))
        });
        Self { declared: declared.collect() }
    }

    /// The binding with a name. One that the mapping declares counts before one that is built in.
    pub(super) fn get(&self, name: &str) -> Option<ResourceBinding> {
        match self.declared.get(name) {
            Some((_, binding)) => binding.clone(),
            None => ResourceBinding::built_in(name),
        }
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        let own = self.declared.keys().copied().filter(|name| !BUILT_IN_BINDINGS.contains(name));
        BUILT_IN_BINDINGS.into_iter().chain(own)
    }
}

/// A declared binding, as far as it is of the right shape; `None` when nobody can say how it scales.
fn read(subject: &Subject<'_>, at: &At<'_>) -> Option<ResourceBinding> {
    let says = |key: &str| at.get(key).is_some_and(|value| subject.raw(&value) == "true");
    let scaling = serde_json::from_str(subject.raw(&at.get("scaling")?)).ok()?;
    Some(ResourceBinding {
        description: None,
        scaling,
        exclusive: says("exclusive"),
        force_cpu: says("force_cpu"),
    })
}

/// All workers, and the section.
pub(super) fn check(subject: &Subject<'_>, workers: &[WorkerView<'_>]) -> Vec<Finding> {
    let bindings = Bindings::read(subject);
    let mut findings = Vec::new();
    let mut used: BTreeSet<String> =
        subject.texts_outside("resource_bindings").into_iter().map(str::to_owned).collect();
    // A variable may choose any of them.
    let mut chosen = false;
    for worker in workers {
        let Some(at) = worker.at.get("resource_binding") else { continue };
        chosen |= at.node.text().is_some_and(is_variable);
        let Some(name) = subject.default::<Words>(&at) else { continue };
        if at.node.text().is_some_and(is_variable) {
            findings.push(variable(subject, worker, &at, &name, &bindings));
        }
        if bindings.declared.contains_key(name.as_str()) || ResourceBinding::built_in(&name).is_some() {
            findings
                .extend(bindings.get(&name).and_then(|binding| unfit(subject, worker, &at, &name, &binding)));
        } else {
            findings.push(unknown(subject, &at, &name, &bindings));
            // A slip of the pen uses what was meant.
            used.extend(nearest(&name, bindings.names()).map(str::to_owned));
        }
        used.insert(name);
    }
    findings.extend(bindings.declared.iter().filter_map(|(name, (at, _))| {
        let unused = !used.contains(*name) && ResourceBinding::built_in(name).is_none();
        unused.then(|| {
            let message = format!("no worker is bound to {}", quoted(name));
            let finding = subject.at_key(codes::UNUSED_BINDING, at, message).label("is declared here");
            let finding = finding.help(format!("\"resource_binding\": \"{name}\"    or take this one out"));
            if chosen { finding.warning() } else { finding.fix(Fix::remove(at)).warning() }
        })
    }));
    findings
}

fn is_variable(text: &str) -> bool {
    EnvTemplate::parse(text).is_ok_and(|template| template.as_literal().is_none())
}

/// A binding that the environment can change: what else is checked holds for the default only.
fn variable(
    subject: &Subject<'_>,
    worker: &WorkerView<'_>,
    at: &At<'_>,
    name: &str,
    bindings: &Bindings<'_>,
) -> Finding {
    let message = format!("what worker {} is bound to depends on a variable", quoted(worker.name()));
    let fix = format!("\"resource_binding\": \"{name}\"");
    subject
        .at_value(codes::VARIABLE_BINDING, at, message)
        .label(format!("instances, ports and GPUs are checked for {} only", quoted(name)))
        .help(if bindings.get(name).is_some() { fix } else { "\"resource_binding\": \"gpu\"".to_owned() })
        .warning()
}

fn unknown(subject: &Subject<'_>, at: &At<'_>, name: &str, bindings: &Bindings<'_>) -> Finding {
    let finding = subject.at_value(
        codes::UNKNOWN_BINDING,
        at,
        format!("there is no resource binding {}", quoted(name)),
    );
    if let Some(near) = nearest(name, bindings.names()) {
        let finding = finding.label(format!("did you mean `{near}`?")).help(format!("\"{near}\""));
        match bindings.declared.get(near) {
            Some((declared, _)) => {
                let span = declared.member.map_or(0..0, |member| member.span.clone());
                finding.also(subject.text, span, "this one")
            }
            None => finding,
        }
    } else {
        let names: Vec<_> = bindings.names().collect();
        finding.label("is declared nowhere").help(format!(
                "write one of `{}`, or declare it: \"resource_bindings\": {{ {}: {{ \"scaling\": \"per_gpu\" }} }}",
                names.join("`, `"),
                serde_json::Value::from(name),
            ))
    }
}

/// A binding that is not of the worker's type, or does not scale as the worker counts.
fn unfit(
    subject: &Subject<'_>,
    worker: &WorkerView<'_>,
    at: &At<'_>,
    name: &str,
    binding: &ResourceBinding,
) -> Option<Finding> {
    let (key, other) = match binding.scaling {
        Scaling::PerGpu => ("service_instances_per_gpu", "service_instances_per_machine"),
        Scaling::PerMachine => ("service_instances_per_machine", "service_instances_per_gpu"),
        Scaling::Unlimited => ("", ""),
    };
    let problem = |message: String| subject.at_value(codes::WRONG_BINDING, at, message);
    let shown = quoted(name);
    match (worker.locality()?, binding.scaling) {
        (Locality::External, Scaling::Unlimited) => None,
        (Locality::External, scaling) => {
            let what = if scaling == Scaling::PerGpu { "a GPU" } else { "the machine" };
            let message = format!("external worker {} is bound to {what} by {shown}", quoted(worker.name()));
            Some(
                problem(message).label("its service runs elsewhere").help("\"resource_binding\": \"shared\""),
            )
        }
        (Locality::Internal, Scaling::Unlimited) => {
            let message =
                format!("internal worker {} is bound to {shown}, which has no limit", quoted(worker.name()));
            Some(
                problem(message)
                    .label("a service of this machine takes some of it")
                    .help("\"resource_binding\": \"cpu\"    or \"gpu\""),
            )
        }
        (Locality::Internal, _) => {
            let counted = worker.at.get(other).filter(|at| subject.is_given(at))?;
            // Both counts: the binding picks one, and the variable may pick the other.
            if worker.at.get(key).is_some() {
                return None;
            }
            let count =
                subject.default::<Count>(&counted).map_or_else(|| "1".to_owned(), |count| count.to_string());
            let message = format!("{shown} scales otherwise than worker {} counts", quoted(worker.name()));
            let span = counted.member.map_or(0..0, |member| member.span.clone());
            Some(
                problem(message)
                    .label(format!("needs {}", quoted(key)))
                    .also(subject.text, span, "counts another thing")
                    .help(format!("\"{key}\": {count}    instead of \"{other}\"")),
            )
        }
    }
}
