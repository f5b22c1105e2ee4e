//! `emp machine`: what would run on a machine, what runs on it, and running it.

#[cfg(unix)]
mod logs;
#[cfg(unix)]
mod remote;
#[cfg(unix)]
mod up;

use std::path::Path;

use emp_core::Registry;
use emp_core::workers::PlanError;
use emp_machine::{MachinePlan, Service, WorkerProcess};

use crate::args::{Machine, Planned};
use crate::environment::Environment;
use crate::exit::{Exit, Failure};
use crate::machine;
use crate::output::Output;
use crate::runtime;

pub(super) fn run(
    args: &Machine,
    registry: &'static Registry,
    mapping: Option<&Path>,
    out: &Output,
) -> Result<Exit, Failure> {
    match args {
        Machine::Plan { planned } => plan(planned, registry, mapping, out),
        #[cfg(unix)]
        Machine::Up(args) => runtime::block_on(up::run(args, registry, mapping, out)),
        #[cfg(unix)]
        Machine::Status { dir } => runtime::block_on(remote::status(dir, out)),
        #[cfg(unix)]
        Machine::Logs(args) => logs::run(args, out),
        #[cfg(unix)]
        Machine::Restart { name, dir } => runtime::block_on(remote::restart(name.as_deref(), dir, out)),
        #[cfg(unix)]
        Machine::Down { now, dir } => runtime::block_on(remote::down(*now, dir, out)),
        #[cfg(unix)]
        Machine::Exec { parent, command } => up::exec(*parent, command),
        #[cfg(not(unix))]
        _ => Err(Failure::new(Exit::Usage, "E_PLATFORM", "only a Unix can run a machine")
            .help("`emp machine plan` and `emp export` work here too")),
    }
}

/// Shows the plan. One that fits but lacks variables is shown too, and then refused.
fn plan(
    args: &Planned,
    registry: &'static Registry,
    mapping: Option<&Path>,
    out: &Output,
) -> Result<Exit, Failure> {
    let mapping = runtime::mapping(mapping, registry)?;
    let env = Environment::read(registry)?;
    let plan = machine::plan(args, registry, &mapping, &env, out)?;
    show(&plan, out);
    let mut faults = plan.missing();
    // With another number of GPUs the plan is for another machine, whose ports nobody knows here.
    if args.gpus.is_none() {
        faults.extend(machine::taken_ports(&plan));
    }
    if faults.is_empty() { Ok(Exit::Ok) } else { Err(machine::failure(&PlanError(faults))) }
}

fn show(plan: &MachinePlan, out: &Output) {
    if out.is_json() {
        out.json(plan);
        return;
    }
    let host = &plan.machine;
    let cpus = host.cpus.map_or_else(|| "?".to_owned(), |count| count.to_string());
    let memory = host.memory.map_or_else(|| "?".to_owned(), |bytes| format!("{} MiB", bytes >> 20));
    out.note(format!("{} GPUs, {cpus} CPUs, {memory} of memory", host.gpus));
    for install in &plan.installs {
        let command = if install.command.is_empty() {
            "nothing says how".to_owned()
        } else {
            shell_words::join(&install.command)
        };
        out.note(format!("install {} for `{}`: {command}", install.installer, install.worker));
    }
    let services = plan.services.iter().map(service_row);
    let workers = plan.workers.iter().map(worker_row);
    out.table(
        &["process", "what", "binding", "gpu", "ports", "slots", "does"],
        services.chain(workers).collect(),
    );
}

fn service_row(service: &Service) -> Vec<String> {
    let ports: Vec<String> = service.ports.iter().map(u16::to_string).collect();
    vec![
        service.name.clone(),
        "service".to_owned(),
        service.binding.clone(),
        service.gpu.map(|gpu| gpu.to_string()).unwrap_or_default(),
        ports.join(" "),
        String::new(),
        shell_words::join(&service.command),
    ]
}

fn worker_row(process: &WorkerProcess) -> Vec<String> {
    vec![
        process.name.clone(),
        "worker".to_owned(),
        process.binding.clone(),
        String::new(),
        process.metrics_port.map(|port| port.to_string()).unwrap_or_default(),
        process.slots.to_string(),
        process.capabilities.join(" "),
    ]
}
