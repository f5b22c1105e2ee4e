//! This machine: what it has, and what an operator says that it has.

use std::net::{Ipv4Addr, TcpListener};

use emp_core::Registry;
use emp_core::env::EnvSource;
use emp_core::machine::Machine;
use emp_core::mapping::{Kind, Mapping, Template};
use emp_core::workers::{self, PlanError, PlanFault};
use emp_machine::{MachinePlan, Request, Variable};
use emp_worker::WorkerOptions;
use nvml_wrapper::Nvml;
use nvml_wrapper::error::NvmlError;

use crate::args::{Planned, STORE};
use crate::exit::{Exit, Failure};
use crate::output::Output;

/// The plan that an operator asks for.
pub(crate) fn plan(
    args: &Planned,
    registry: &Registry,
    mapping: &Mapping,
    env: &dyn EnvSource,
    out: &Output,
) -> Result<MachinePlan, Failure> {
    let entries = workers::parse(args.workers.as_deref().unwrap_or_default())
        .map_err(|faults| failure(&PlanError(faults)))?;
    let machine = describe(args, mapping, env, out)?;
    let common = common(env);
    let request = Request { mapping, registry, workers: &entries, machine, env, common: &common };
    emp_machine::plan(&request).map_err(|error| failure(&error))
}

/// Every fault of a plan, under one code when all have the same.
pub(crate) fn failure(error: &PlanError) -> Failure {
    let codes = || error.0.iter().map(|fault| fault.code);
    let code = codes().next().filter(|first| codes().all(|code| code == *first)).unwrap_or("E_PLAN");
    let line = |fault: &PlanFault| format!("{}\n  help: {}", fault.message, fault.help);
    let message: Vec<String> = error.0.iter().map(line).collect();
    Failure::new(Exit::Config, code, message.join("\n"))
}

/// Ports of a plan that something on this machine listens on already.
pub(crate) fn taken_ports(plan: &MachinePlan) -> Vec<PlanFault> {
    let taken =
        plan.listeners().filter(|(_, port)| TcpListener::bind((Ipv4Addr::UNSPECIFIED, *port)).is_err());
    taken
        .map(|(name, port)| {
            PlanFault::new(
                emp_machine::MACHINE,
                format!("`{name}` would listen on port {port}, which is taken on this machine"),
                format!(
                    "stop what listens there (`ss -ltnp 'sport = :{port}'`), or move the port in the mapping"
                ),
            )
        })
        .collect()
}

/// Variables of our own that every worker process reads.
fn common(env: &dyn EnvSource) -> Vec<Variable> {
    let read = |name, about, default| Variable::read(name, about, false, default, env);
    let given = |name: &str| env.get(name).filter(|text| !text.trim().is_empty());
    let is_secret = given("EMP_STORE_FILE").is_some()
        || given("EMP_STORE").is_some_and(|store| emp_store::has_password(&store));
    let mut store_variable = read("EMP_STORE", "Where jobs live", Some(STORE));
    if is_secret {
        store_variable = Variable::read("EMP_STORE", "Where jobs live, with its password", true, None, env);
        store_variable.required = true;
    }
    let outputs = given("EMP_OUTPUTS").unwrap_or_default();
    let of_outputs = emp_outputs::settings(&outputs).iter();
    let of_outputs =
        of_outputs.map(|setting| Variable::read(setting.name, setting.about, setting.secret, None, env));
    let ours = [
        store_variable,
        read("EMP_LEASE", "For how long a worker may be silent before its jobs go to another", None),
        read("EMP_STORE_REPLICAS", "How many replicas must have what a client is told", None),
        read("EMP_MAX_QUEUED", "How many jobs of a service may wait", None),
        read("EMP_KEEP_SUCCEEDED", "For how long a job is kept that succeeded", None),
        read("EMP_KEEP_FAILED", "For how long a job is kept that failed or was cancelled", None),
        read("EMP_KEEP_QUARANTINED", "For how long a job is kept that ends its workers", None),
        read("EMP_OUTPUTS", "Where the files of results go", None),
        read("EMP_OUTPUTS_KEEP", "For how long they are kept", None),
        read("EMP_PUBLIC_URL", "Where services on the internet reach the API", None),
        Variable::read("EMP_WEBHOOK_KEY", "The key of the URLs that services call", true, None, env),
    ];
    ours.into_iter().chain(of_outputs).collect()
}

/// The longest time in which a worker process ends that is told to stop.
pub(crate) fn stops_within() -> std::time::Duration {
    WorkerOptions::default().stops_within()
}

/// The machine: what the operator says, then what the mapping says, then what is found here.
fn describe(
    args: &Planned,
    mapping: &Mapping,
    env: &dyn EnvSource,
    out: &Output,
) -> Result<Machine, Failure> {
    let declared = mapping.machine.clone().unwrap_or_default();
    let lookup = |name: &str| env.get(name);
    let gpus = match (args.gpus, given(env, "NUM_GPUS")?, value(declared.gpus.as_ref(), "gpus", &lookup)?) {
        (Some(gpus), ..) | (None, Some(gpus), _) | (None, None, Some(gpus)) => gpus,
        (None, None, None) => found_gpus(out),
    };
    let cpus = value(declared.cpus.as_ref(), "cpus", &lookup)?.or_else(|| {
        std::thread::available_parallelism().ok().and_then(|count| u32::try_from(count.get()).ok())
    });
    let memory = value(declared.memory.as_ref(), "memory", &lookup)?.or_else(found_memory);
    Ok(Machine { gpus, cpus, memory })
}

fn given(env: &dyn EnvSource, name: &str) -> Result<Option<u32>, Failure> {
    let Some(text) = env.get(name).filter(|text| !text.trim().is_empty()) else { return Ok(None) };
    text.trim().parse().map(Some).map_err(|_| {
        Failure::new(
            Exit::Config,
            "E_ENVIRONMENT",
            format!("{name} is `{text}`, which is not a whole number"),
        )
        .help(format!("{name}=2"))
    })
}

fn value<K: Kind>(
    template: Option<&Template<K>>,
    field: &str,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Result<Option<K::Value>, Failure> {
    template.map_or(Ok(None), |template| template.value(lookup)).map_err(|error| {
        Failure::new(Exit::Config, "E_MAPPING", format!("the machine's `{field}`: {error}"))
            .help(format!("give it {}", K::EXPECTED))
    })
}

/// How many GPUs the driver shows; none where there is no driver.
fn found_gpus(out: &Output) -> u32 {
    match Nvml::init().and_then(|nvml| nvml.device_count()) {
        Ok(count) => count,
        Err(NvmlError::LibloadingError(_) | NvmlError::LibraryNotFound | NvmlError::DriverNotLoaded) => 0,
        Err(error) => {
            out.note(format!("warning: the GPUs cannot be counted ({error}), so this machine is taken to have none; say how many with --gpus"));
            0
        }
    }
}

fn found_memory() -> Option<u64> {
    let system = sysinfo::System::new_with_specifics(
        sysinfo::RefreshKind::nothing().with_memory(sysinfo::MemoryRefreshKind::nothing().with_ram()),
    );
    system.ok().map(|system| system.total_memory()).filter(|bytes| *bytes > 0)
}
