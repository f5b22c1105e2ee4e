//! From what an operator asks for to the plan of a machine, or to everything that does not fit.

mod place;
mod ports;
mod wanted;

use std::collections::BTreeMap;

use emp_core::connector::Registry;
use emp_core::env::EnvSource;
use emp_core::machine::Machine;
use emp_core::mapping::Mapping;
use emp_core::workers::{MAPPING, PlanError, PlanFault, WorkerEntry};

use self::place::place;
use self::ports::{OwnPorts, clashes};
use self::wanted::Wanted;
use crate::plan::{MachinePlan, SCHEMA_VERSION};
use crate::variable::Variable;

/// Code of a fault of the machine: what does not fit on it.
pub const MACHINE: &str = "E_MACHINE";

/// What is asked for, and of what.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// The mapping.
    pub mapping: &'a Mapping,
    /// The connectors of this binary.
    pub registry: &'a Registry,
    /// Which workers: slots of an external one, instances of an internal one.
    pub workers: &'a [WorkerEntry],
    /// The machine.
    pub machine: Machine,
    /// The machine's environment.
    pub env: &'a dyn EnvSource,
    /// Variables of our own that every process reads.
    pub common: &'a [Variable],
}

/// Plans the processes of a machine.
///
/// A required variable that is unset is no fault here, because a plan is also made where the secrets are not:
/// [`MachinePlan::missing`] has those.
///
/// # Errors
/// Everything that does not fit, with reasons.
pub fn plan(request: &Request<'_>) -> Result<MachinePlan, PlanError> {
    let mut faults = Vec::new();
    let mut wanted = Vec::new();
    for entry in request.workers {
        match Wanted::read(request, entry) {
            Ok(worker) => wanted.push(worker),
            Err(found) => faults.extend(found),
        }
    }
    let placed = place(&wanted, &request.machine, &mut faults);
    let mut plan = MachinePlan {
        schema_version: SCHEMA_VERSION,
        machine: request.machine.into(),
        installs: Vec::new(),
        services: Vec::new(),
        workers: Vec::new(),
    };
    let mut own_ports = OwnPorts::read(request, &mut faults);
    for (worker, instances) in wanted.iter().zip(placed) {
        plan.installs.extend(worker.install(request, &mut faults));
        if worker.demand.is_none() {
            plan.workers.push(worker.process(request, None, own_ports.next()));
        }
        for instance in instances {
            let service = worker.service(request, &instance, &mut faults);
            plan.workers.push(worker.process(request, Some(&service), own_ports.next()));
            plan.services.push(service);
        }
    }
    faults.extend(clashes(&plan, &own_ports));
    faults.extend(same_names(&plan));
    faults.dedup();
    if faults.is_empty() { Ok(plan) } else { Err(PlanError(faults)) }
}

/// Two processes with one name, as a worker `a-0` beside the first instance of `a`.
fn same_names(plan: &MachinePlan) -> Vec<PlanFault> {
    let services = plan.services.iter().map(|service| (&service.name, &service.worker));
    let workers = plan.workers.iter().map(|process| (&process.name, &process.worker));
    let mut seen: BTreeMap<&String, &String> = BTreeMap::new();
    let twice = |(name, worker)| {
        let first = seen.insert(name, worker)?;
        Some(PlanFault::new(
            MAPPING,
            format!("a process of worker `{worker}` would be called `{name}`, as one of worker `{first}` is"),
            "give one of the two workers another name",
        ))
    };
    services.chain(workers).filter_map(twice).collect()
}
