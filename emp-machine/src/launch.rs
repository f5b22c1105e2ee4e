//! From a plan to what is started on this very machine: commands, and which variables each process gets.

use std::collections::{BTreeMap, BTreeSet};

use emp_core::connector::Registry;

use crate::plan::{Install, MachinePlan};
use crate::secrets;
use crate::supervise::Policy;
use crate::variable::FILE;

/// Where a process of ours says that it lives.
const LIVES: &str = "/livez";

/// A process to start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Launch {
    /// Its name among all processes.
    pub name: String,
    /// What it is.
    pub role: Role,
    /// The worker that it belongs to.
    pub worker: String,
    /// The program and its arguments.
    pub command: Vec<String>,
    /// How its environment differs from the machine's.
    pub environment: Environment,
    /// The process that must answer first.
    pub after: Option<String>,
    /// How it says that it is well; a process that cannot say so is taken for well while it runs.
    pub probe: Option<Probe>,
    /// Where it listens.
    pub ports: Vec<u16>,
    /// The GPU that it computes on.
    pub gpu: Option<u32>,
    /// How many jobs it has at once, when it has jobs.
    pub slots: Option<u32>,
}

/// What a process is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The service of an internal worker.
    Service,
    /// A process of ours.
    Worker,
}

impl Role {
    /// Its word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Worker => "worker",
        }
    }

    /// How it is treated.
    pub fn policy(self) -> Policy {
        match self {
            Self::Service => Policy::SERVICE,
            Self::Worker => Policy::WORKER,
        }
    }
}

/// How an environment differs from the machine's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment {
    /// What is set.
    pub set: BTreeMap<String, String>,
    /// What is kept away: the secrets of others.
    pub unset: BTreeSet<String>,
}

/// How a process is asked whether it is well, on loopback.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// Where.
    pub port: u16,
    /// The path that answers with success; without one it is enough that something listens.
    pub path: Option<String>,
}

/// Everything that a plan starts, services first.
///
/// `program` is ours, and `arguments` stand before its command.
pub fn launches(plan: &MachinePlan, registry: &Registry, program: &str, arguments: &[String]) -> Vec<Launch> {
    let (secrets, every) = (secrets::of_workers(plan, registry), secrets::all(plan, registry));
    let services = plan.services.iter().map(|service| Launch {
        name: service.name.clone(),
        role: Role::Service,
        worker: service.worker.clone(),
        command: service.command.clone(),
        environment: foreign(&service.environment, &every),
        after: None,
        probe: service.ports.first().map(|port| Probe { port: *port, path: service.health_path.clone() }),
        ports: service.ports.clone(),
        gpu: service.gpu,
        slots: None,
    });
    let workers = plan.workers.iter().map(|process| {
        let own: BTreeSet<&str> = process.variables.iter().map(|variable| variable.name.as_str()).collect();
        let mut command = vec![program.to_owned()];
        command.extend(arguments.iter().cloned());
        command.extend(["worker".to_owned(), "--workers".to_owned(), process.workers()]);
        let others = secrets.iter().filter(|secret| !own.contains(secret.as_str()));
        Launch {
            name: process.name.clone(),
            role: Role::Worker,
            worker: process.worker.clone(),
            command,
            environment: Environment {
                set: process.variables.iter().filter_map(secrets::said).collect(),
                unset: with_files(others),
            },
            after: process.link.as_ref().map(|link| link.service.clone()),
            probe: process.metrics_port.map(|port| Probe { port, path: Some(LIVES.to_owned()) }),
            ports: process.metrics_port.into_iter().collect(),
            gpu: None,
            slots: Some(process.slots),
        }
    });
    services.chain(workers).collect()
}

/// What an installer's environment is.
pub fn installer_environment(plan: &MachinePlan, install: &Install, registry: &Registry) -> Environment {
    foreign(&install.environment, &secrets::all(plan, registry))
}

/// The environment of a program that is not ours.
fn foreign(own: &BTreeMap<String, String>, secrets: &BTreeSet<String>) -> Environment {
    let unset = with_files(secrets.iter());
    let unset = unset.into_iter().filter(|name| !own.contains_key(name)).collect();
    Environment { set: own.clone(), unset }
}

/// These variables, and those that name files with their values.
fn with_files<'a>(names: impl Iterator<Item = &'a String>) -> BTreeSet<String> {
    names.flat_map(|name| [name.clone(), format!("{name}{FILE}")]).collect()
}
