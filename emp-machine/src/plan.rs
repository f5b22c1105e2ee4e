//! The plan of a machine: what runs on it, and on what.

use std::collections::BTreeMap;
use std::time::Duration;

use emp_core::Url;
use emp_core::machine::Machine;
use emp_core::workers::{ENVIRONMENT, MAPPING, PlanError, PlanFault};
use schemars::JsonSchema;
use serde::Serialize;

use crate::variable::Variable;

/// The version of [`MachinePlan`]'s shape: adding a field leaves it, taking one away raises it.
pub(crate) const SCHEMA_VERSION: u32 = 1;

/// Everything that runs on a machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(title = "EMP machine plan")]
pub struct MachinePlan {
    /// The version of this shape.
    pub schema_version: u32,
    /// The machine.
    pub machine: Host,
    /// What must be installed before anything starts, each once.
    pub installs: Vec<Install>,
    /// The instances of internal services, which start first.
    pub services: Vec<Service>,
    /// The workers' processes.
    pub workers: Vec<WorkerProcess>,
}

/// The machine that a plan is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Host {
    /// How many GPUs it has.
    pub gpus: u32,
    /// How many CPUs it has, when known.
    pub cpus: Option<u32>,
    /// How much memory it has in bytes, when known.
    pub memory: Option<u64>,
}

/// What installs the service of an internal worker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Install {
    /// The worker.
    pub worker: String,
    /// The installer's name in the mapping.
    pub installer: String,
    /// The build stage that has the service installed already, in an image.
    pub stage: Option<String>,
    /// The program and its arguments; empty when the mapping names none, because an image brings the service along.
    pub command: Vec<String>,
    /// How long it may take, in seconds.
    pub timeout_seconds: u64,
    /// What it is told, as variables of its environment.
    pub environment: BTreeMap<String, String>,
}

/// One running copy of an internal worker's service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Service {
    /// Its name among all processes.
    pub name: String,
    /// The worker that it belongs to.
    pub worker: String,
    /// Its number among the worker's instances, from 0.
    pub index: u32,
    /// The GPU that it computes on.
    pub gpu: Option<u32>,
    /// Where it listens.
    pub ports: Vec<u16>,
    /// The program and its arguments; empty when the mapping does not say how it is started.
    pub command: Vec<String>,
    /// What its environment has beside the machine's own.
    pub environment: BTreeMap<String, String>,
    /// The path that answers with success once it is ready; its first port is tried when there is none.
    pub health_path: Option<String>,
    /// The build stage that has it installed.
    pub stage: Option<String>,
    /// What it is bound to, by the binding's name.
    pub binding: String,
    /// The CPUs that it takes.
    pub cpus: Option<u32>,
    /// The memory that it takes, in bytes.
    pub memory: Option<u64>,
}

/// A process of workers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct WorkerProcess {
    /// Its name among all processes.
    pub name: String,
    /// The worker.
    pub worker: String,
    /// How many jobs it has at once.
    pub slots: u32,
    /// What jobs ask for.
    pub capabilities: Vec<String>,
    /// What does them, by type name.
    pub connectors: Vec<String>,
    /// The instance of the internal service that it works with.
    pub link: Option<Link>,
    /// Every variable that it reads.
    pub variables: Vec<Variable>,
    /// The build stage of its image.
    pub stage: Option<String>,
    /// What it is bound to, by the binding's name.
    pub binding: String,
    /// Where it shows its health and metrics on loopback.
    pub metrics_port: Option<u16>,
    /// What the worker is for.
    pub description: Option<String>,
}

/// How a worker's process reaches the instance that it works with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Link {
    /// The instance's name.
    pub service: String,
    /// Its address, with the path that the connector declares.
    pub url: Url,
}

impl MachinePlan {
    /// The required variables that nothing sets, as faults: one for each process that needs it.
    pub fn missing(&self) -> Vec<PlanFault> {
        let missing = self.workers.iter().flat_map(|process| {
            process.variables.iter().filter(|variable| variable.is_missing()).map(|variable| {
                PlanFault::new(
                    ENVIRONMENT,
                    format!("worker `{}` needs {}, which is not set", process.name, variable.name),
                    variable.sentence(),
                )
            })
        });
        let mut faults: Vec<PlanFault> = Vec::new();
        for fault in missing {
            if !faults.contains(&fault) {
                faults.push(fault);
            }
        }
        faults
    }

    /// Says whether every service of this machine can be started.
    ///
    /// # Errors
    /// The workers of which the mapping does not say how their service is started.
    pub fn startable(&self) -> Result<(), PlanError> {
        let silent = self.services.iter().filter(|service| service.command.is_empty() && service.index == 0);
        let faults: Vec<PlanFault> = silent
            .map(|service| {
                PlanFault::new(
                    MAPPING,
                    format!("nothing says how the service of worker `{}` is started", service.worker),
                    "\"installer_config\": { \"start_command\": \"my-service --port ${EMP_PORT}\" }",
                )
            })
            .collect();
        if faults.is_empty() { Ok(()) } else { Err(PlanError(faults)) }
    }

    /// Everybody who listens, by process, in the order of their start.
    pub fn listeners(&self) -> impl Iterator<Item = (&str, u16)> {
        let services =
            self.services.iter().flat_map(|one| one.ports.iter().map(|port| (one.name.as_str(), *port)));
        let workers = self.workers.iter().filter_map(|one| Some((one.name.as_str(), one.metrics_port?)));
        services.chain(workers)
    }

    /// The instance that a worker's process works with.
    pub fn service_of(&self, process: &WorkerProcess) -> Option<&Service> {
        let link = process.link.as_ref()?;
        self.services.iter().find(|service| service.name == link.service)
    }
}

impl WorkerProcess {
    /// What `WORKERS` is for this process.
    pub fn workers(&self) -> String {
        format!("{}:{}", self.worker, self.slots)
    }
}

impl Install {
    /// How long it may take.
    pub fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout_seconds)
    }
}

impl From<Machine> for Host {
    fn from(machine: Machine) -> Self {
        Self { gpus: machine.gpus, cpus: machine.cpus, memory: machine.memory }
    }
}
