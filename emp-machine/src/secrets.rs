//! Which variables are secrets, and what may be said of a process's variables.

use std::collections::BTreeSet;

use emp_core::connector::Registry;
use emp_core::secret::names_credential;

use crate::plan::MachinePlan;
use crate::variable::{FILE, Source, Variable};

/// Secrets that are no connector's and no output store's: of our own processes, which no service and no installer needs.
pub const OURS: [&str; 3] = ["EMP_API_TOKEN", "EMP_STORE", "EMP_WEBHOOK_KEY"];

/// Whether the value of a variable would show a secret.
pub(crate) fn is_secret(variable: &str, registry: &Registry) -> bool {
    OURS.contains(&variable)
        || declared(registry).any(|name| name == variable)
        || names_credential(variable) && !variable.ends_with(FILE)
}

/// Every secret that a connector of this binary or a process of this plan reads.
pub(crate) fn of_workers(plan: &MachinePlan, registry: &Registry) -> BTreeSet<String> {
    let planned = plan.workers.iter().flat_map(|process| &process.variables);
    let planned = planned.filter(|variable| variable.secret).map(|variable| variable.name.clone());
    declared(registry).map(str::to_owned).chain(planned).collect()
}

/// Every secret that a program which is not ours is not given.
pub(crate) fn all(plan: &MachinePlan, registry: &Registry) -> BTreeSet<String> {
    let mut all = of_workers(plan, registry);
    all.extend(OURS.map(str::to_owned));
    all
}

/// What a process is told of a variable; a secret is inherited.
pub(crate) fn said(variable: &Variable) -> Option<(String, String)> {
    let value = variable.value.clone()?;
    match variable.source {
        Source::File => Some((format!("{}{FILE}", variable.name), value)),
        _ if variable.secret => None,
        _ => Some((variable.name.clone(), value)),
    }
}

fn declared(registry: &Registry) -> impl Iterator<Item = &'static str> {
    let fields = registry.entries().iter().flat_map(|entry| entry.spec.env);
    fields.filter(|field| field.secret()).map(|field| field.variable)
}
