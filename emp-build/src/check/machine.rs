//! Ports and instances on the mapping's machine, by the defaults of its templates.

use std::collections::BTreeSet;

use emp_core::machine::{Clash, Demand, Listener, Machine, Misfit, PortPlan, default_binding};
use emp_core::mapping::{API_PORT, Bytes, Count, Port, Scaling, Words};
use emp_syntax::env_template::EnvTemplate;

use super::Subject;
use super::binding::Bindings;
use super::names::quoted;
use super::view::{Locality, WorkerView};
use crate::codes;
use crate::finding::Finding;
use crate::json::At;

/// Ports below need privileges.
const FIRST_UNPRIVILEGED: u16 = 1024;

/// Where nobody says how many GPUs there are, port clashes are looked for on machines with up to so many.
const MOST_GPUS: u32 = 16;

/// All workers, on the machine of the mapping.
pub(super) fn check(subject: &Subject<'_>, workers: &[WorkerView<'_>]) -> Vec<Finding> {
    let host = Host::read(subject);
    let bindings = Bindings::read(subject);
    let services: Vec<_> =
        workers.iter().filter_map(|worker| Service::read(subject, worker, &bindings)).collect();
    let mut findings = Vec::new();
    for own in &host.listeners {
        findings.extend(own.at.as_ref().and_then(|at| privileged(subject, at, own.port)));
    }
    for service in &services {
        findings.extend(service.ports.iter().filter_map(|(at, port)| privileged(subject, at, *port)));
        findings.extend(service.still(subject, &host));
        findings.extend(service.misfit(subject, &host));
    }
    findings.extend(clashes(subject, &host, &services));
    findings
}

/// The machine, and what of ours listens on it.
struct Host<'a> {
    machine: Machine,
    /// Where the number of GPUs stands, when it is given.
    gpus: Option<At<'a>>,
    section: Option<At<'a>>,
    listeners: Vec<Own<'a>>,
}

/// A port of ours.
struct Own<'a> {
    what: &'static str,
    key: &'static str,
    port: u16,
    /// Where the mapping says so.
    at: Option<At<'a>>,
}

impl<'a> Host<'a> {
    fn read(subject: &Subject<'a>) -> Self {
        let section = subject.section("machine");
        let get = |key: &str| section.as_ref().and_then(|section| section.get(key));
        let gpus = get("gpus").filter(|at| subject.default::<Count>(at).is_some());
        let machine = Machine {
            gpus: gpus.as_ref().and_then(|at| subject.default::<Count>(at)).unwrap_or(1),
            cpus: get("cpus").and_then(|at| subject.default::<Count>(&at)),
            memory: get("memory").and_then(|at| subject.default::<Bytes>(&at)),
        };
        let api = match get("api_port") {
            None => Some(Own { what: "the API", key: "api_port", port: API_PORT, at: None }),
            at => Self::own(subject, "the API", "api_port", at),
        };
        let metrics = Self::own(subject, "the metrics of the workers", "metrics_port", get("metrics_port"));
        Self { machine, gpus, section, listeners: api.into_iter().chain(metrics).collect() }
    }

    fn own(
        subject: &Subject<'a>,
        what: &'static str,
        key: &'static str,
        at: Option<At<'a>>,
    ) -> Option<Own<'a>> {
        let port = at.as_ref().and_then(|at| subject.default::<Port>(at))?;
        Some(Own { what, key, port, at })
    }
}

/// A worker's service of this machine, with the defaults of its templates.
struct Service<'v, 'a> {
    worker: &'v WorkerView<'a>,
    demand: Demand,
    /// The ports that are known, each with its place; those of `demand` in the same order.
    ports: Vec<(At<'a>, u16)>,
    /// Where the number of instances stands.
    count: Option<At<'a>>,
    increment: Option<At<'a>>,
}

impl<'v, 'a> Service<'v, 'a> {
    /// `None` for an external worker, and for one whose binding is wrong.
    fn read(subject: &Subject<'a>, worker: &'v WorkerView<'a>, bindings: &Bindings<'_>) -> Option<Self> {
        if worker.locality()? != Locality::Internal {
            return None;
        }
        let get = |key: &str| worker.at.get(key);
        let name = match get("resource_binding") {
            Some(at) => subject.default::<Words>(&at)?,
            None => default_binding(get("service_instances_per_gpu").is_some()).to_owned(),
        };
        let binding = bindings.get(&name)?;
        let count = match binding.scaling {
            Scaling::PerGpu => get("service_instances_per_gpu"),
            Scaling::PerMachine => get("service_instances_per_machine"),
            Scaling::Unlimited => None,
        };
        let instances = count.as_ref().and_then(|at| subject.default::<Count>(at)).unwrap_or(1);
        let list = get("ports").into_iter().flat_map(|list| list.entries());
        let ports: Vec<(At<'a>, u16)> =
            list.filter_map(|at| subject.default::<Port>(&at).map(|port| (at, port))).collect();
        let increment = get("port_increment");
        let demand = Demand {
            per_gpu: instances,
            per_machine: instances,
            ports: ports.iter().map(|(_, port)| *port).collect(),
            port_increment: increment.as_ref().and_then(|at| subject.default::<Count>(at)).unwrap_or(1),
            cpus: get("cpus_per_instance").and_then(|at| subject.default::<Count>(&at)),
            memory: get("memory_per_instance").and_then(|at| subject.default::<Bytes>(&at)),
            ..Demand::of(binding)
        };
        Some(Self { worker, demand, ports, count, increment })
    }

    fn instances(&self, machine: &Machine) -> u32 {
        self.demand.room(machine).unwrap_or(1)
    }

    /// Whether its instances do not move from the first one's port.
    fn stands_still(&self) -> bool {
        self.demand.port_increment == 0 && !self.ports.is_empty()
    }

    /// All instances on one port: an error when there are several, a warning when a variable can make it several.
    fn still(&self, subject: &Subject<'_>, host: &Host<'_>) -> Option<Finding> {
        let increment = self.increment.as_ref().filter(|_| self.stands_still())?;
        let name = quoted(self.worker.name());
        let instances = self.instances(&host.machine);
        let grows = self.count.as_ref().is_some_and(|at| varies(at)) || self.grows_with_gpus(host);
        let (message, several) = match instances {
            2.. => (format!("all {instances} instances of worker {name} would listen on one port"), true),
            _ if grows => {
                (format!("a second instance of worker {name} would listen on the port of the first"), false)
            }
            _ => return None,
        };
        let finding = subject.at_value(codes::NO_INCREMENT, increment, message).label("adds nothing").help(
            match increment.node.text().and_then(EnvParts::of) {
                Some(parts) => format!("\"port_increment\": \"${{{}:-1}}\"", parts.name),
                None => "\"port_increment\": 1".to_owned(),
            },
        );
        let finding = match &self.count {
            Some(count) => finding.also(
                subject.text,
                count.node.span.clone(),
                if several { "says how many" } else { "can be raised" },
            ),
            None => finding,
        };
        Some(if several { finding } else { finding.warning() })
    }

    /// Whether a machine with more GPUs has more instances.
    fn grows_with_gpus(&self, host: &Host<'_>) -> bool {
        self.demand.binding.scaling == Scaling::PerGpu && host.gpus.as_ref().is_none_or(varies)
    }

    /// What the machine has too little of.
    fn misfit(&self, subject: &Subject<'_>, host: &Host<'_>) -> Option<Finding> {
        let name = quoted(self.worker.name());
        if let Some(count) = self.count.as_ref().filter(|_| self.demand.per_gpu == 0) {
            let message = format!("worker {name} has no instance");
            return Some(
                subject
                    .at_value(codes::MISFIT, count, message)
                    .label("is 0")
                    .help("write 1, or take the worker out"),
            );
        }
        let misfit = self.demand.place(&host.machine, None).err()?;
        let message = format!("worker {name} does not fit: {misfit}");
        let of_machine = |key: &str| host.section.as_ref().and_then(|section| section.get(key));
        let own = |key: &str| self.worker.at.get(key);
        Some(match misfit {
            Misfit::PortRange { .. } => {
                let (at, _) = self.ports.iter().find(|(_, port)| {
                    let plan = PortPlan {
                        first: *port,
                        increment: self.demand.port_increment,
                        instances: self.instances(&host.machine),
                    };
                    plan.overflow().is_some()
                })?;
                subject
                    .at_value(codes::PORT_RANGE, at, message)
                    .label("is too high for all of them")
                    .help("start lower, or have fewer instances")
            }
            Misfit::NoGpu => {
                let at = own("resource_binding").unwrap_or_else(|| self.worker.at.clone());
                let finding = subject.at_value(codes::MISFIT, &at, message).label("needs a GPU");
                pointed(subject, finding, host.gpus.clone())
                    .help("\"resource_binding\": \"mock_gpu\"    to simulate one on the CPU")
            }
            Misfit::Cpus { .. } => {
                let at = own("cpus_per_instance").unwrap_or_else(|| self.worker.at.clone());
                let finding = subject.at_value(codes::MISFIT, &at, message).label("for each instance");
                pointed(subject, finding, of_machine("cpus"))
                    .help("have fewer instances, or say that they take less")
            }
            Misfit::Memory { .. } | Misfit::Room { .. } => {
                let at = own("memory_per_instance").unwrap_or_else(|| self.worker.at.clone());
                let finding = subject.at_value(codes::MISFIT, &at, message).label("for each instance");
                pointed(subject, finding, of_machine("memory"))
                    .help("have fewer instances, or say that they take less")
            }
        })
    }
}

/// Adds the place in the machine that a finding is about.
fn pointed(subject: &Subject<'_>, finding: Finding, at: Option<At<'_>>) -> Finding {
    match at {
        Some(at) => finding.also(subject.text, at.node.span.clone(), "is what there is"),
        None => finding,
    }
}

/// A value that is one variable.
struct EnvParts {
    name: String,
}

impl EnvParts {
    fn of(text: &str) -> Option<Self> {
        let template = EnvTemplate::parse(text).ok()?;
        Some(Self { name: template.as_variable()?.name.clone() })
    }
}

/// Whether a value depends on a variable.
fn varies(at: &At<'_>) -> bool {
    at.node.text().is_some_and(|text| EnvTemplate::parse(text).is_ok_and(|one| one.as_literal().is_none()))
}

fn privileged(subject: &Subject<'_>, at: &At<'_>, port: u16) -> Option<Finding> {
    (port < FIRST_UNPRIVILEGED).then(|| {
        let message =
            format!("port {port} is below {FIRST_UNPRIVILEGED}, so an ordinary user may not listen on it");
        let better = u32::from(port) + 8000;
        subject
            .at_value(codes::PRIVILEGED, at, message)
            .label("is privileged")
            .help(format!("write a higher one, such as {better}"))
            .warning()
    })
}

/// Who listens: one of ours, or a port of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Owner {
    Own(usize),
    Service { service: usize, port: usize },
}

/// Ports that two want. Where the number of GPUs is nobody's, the smallest machine on which they meet is looked for.
fn clashes(subject: &Subject<'_>, host: &Host<'_>, services: &[Service<'_, '_>]) -> Vec<Finding> {
    let grows = host.gpus.is_none() && services.iter().any(|one| one.grows_with_gpus(host));
    let most = if grows { MOST_GPUS } else { host.machine.gpus };
    let mut said = BTreeSet::new();
    let mut findings = Vec::new();
    for gpus in host.machine.gpus..=most {
        let listeners = listeners(host, services, gpus);
        let found = Listener::clashes(&listeners);
        let fresh: Vec<_> =
            found.into_iter().filter(|clash| said.insert((clash.first, clash.second))).collect();
        if !fresh.is_empty() {
            let room = Room::beside(&listeners);
            let shown =
                fresh.iter().filter_map(|clash| clash_finding(subject, host, services, clash, gpus, &room));
            findings.extend(shown);
        }
    }
    findings
}

fn listeners(host: &Host<'_>, services: &[Service<'_, '_>], gpus: u32) -> Vec<Listener<Owner>> {
    let machine = Machine { gpus, ..host.machine };
    let own = host.listeners.iter().enumerate().map(|(index, own)| Listener {
        owner: Owner::Own(index),
        plan: PortPlan { first: own.port, increment: 0, instances: 1 },
    });
    let theirs = services.iter().enumerate().flat_map(|(service, one)| {
        // Instances that stand still have a finding of their own.
        let instances = if one.stands_still() { 1 } else { one.instances(&machine) };
        let plans = one.demand.port_plans(instances).enumerate();
        plans.map(move |(port, plan)| Listener { owner: Owner::Service { service, port }, plan })
    });
    own.chain(theirs).collect()
}

fn clash_finding(
    subject: &Subject<'_>,
    host: &Host<'_>,
    services: &[Service<'_, '_>],
    clash: &Clash<Owner>,
    gpus: u32,
    room: &Room,
) -> Option<Finding> {
    let port = clash.port;
    let at = |owner: Owner| match owner {
        Owner::Own(index) => host.listeners.get(index).and_then(|own| own.at.clone()),
        Owner::Service { service, port } => services.get(service)?.ports.get(port).map(|(at, _)| at.clone()),
    };
    let who = |owner: Owner| match owner {
        Owner::Own(index) => host.listeners.get(index).map(|own| own.what.to_owned()),
        Owner::Service { service, .. } => {
            services.get(service).map(|one| format!("worker {}", quoted(one.worker.name())))
        }
    };
    let second = at(clash.second)?;
    let more =
        if gpus > host.machine.gpus { format!(" on a machine with {gpus} GPUs") } else { String::new() };
    let free = room.above(port);
    let finding = match clash.first {
        Owner::Own(index) => {
            let own = host.listeners.get(index)?;
            let message =
                format!("{} and {} would both listen on port {port}{more}", own.what, who(clash.second)?);
            let elsewhere = format!(
                "write a free port, such as {free}; or \"machine\": {{ \"{}\": null }} if that is on another machine",
                own.key
            );
            subject.at_value(codes::OWN_PORT, &second, message).label("reaches it").help(elsewhere)
        }
        Owner::Service { service, .. } => {
            let same = matches!(clash.second, Owner::Service { service: other, .. } if other == service);
            let message = if same {
                format!("two ports of {} meet on {port}{more}", who(clash.first)?)
            } else {
                format!(
                    "{} and {} would both listen on port {port}{more}",
                    who(clash.first)?,
                    who(clash.second)?
                )
            };
            subject
                .at_value(codes::CLASH, &second, message)
                .label("reaches it")
                .help(format!("write a free port, such as {free}"))
        }
    };
    let finding = match at(clash.first) {
        Some(first) => finding.also(subject.text, first.node.span.clone(), "reaches it too"),
        None => finding,
    };
    Some(if more.is_empty() { finding } else { finding.warning() })
}

/// The ports that nobody takes.
struct Room {
    taken: Vec<bool>,
}

impl Room {
    /// How many ports in a row are looked for, so that further instances have room too.
    const STEP: usize = 100;

    fn beside(listeners: &[Listener<Owner>]) -> Self {
        let mut taken = vec![false; usize::from(u16::MAX) + 1];
        for port in listeners.iter().flat_map(|listener| listener.plan.ports()) {
            if let Some(place) = taken.get_mut(usize::from(port)) {
                *place = true;
            }
        }
        Self { taken }
    }

    /// A port above one, with room behind it.
    fn above(&self, port: u16) -> u16 {
        let starts = (usize::from(port)..self.taken.len()).step_by(Self::STEP).skip(1);
        let free = |start: &usize| {
            self.taken.get(*start..*start + Self::STEP).is_some_and(|row| !row.contains(&true))
        };
        starts.into_iter().find(free).and_then(|port| u16::try_from(port).ok()).unwrap_or(10_000)
    }
}
