//! From what an operator asks for to the plan of a machine, or to everything that does not fit.

use std::collections::BTreeMap;

use emp_core::Url;
use emp_core::connector::{Entry, Registry};
use emp_core::env::EnvSource;
use emp_core::machine::{Clash, Demand, Instance, Listener, Machine, Misfit, PortPlan};
use emp_core::mapping::{Mapping, Port, Scaling, ServiceType, Template, TemplateError, Words, Worker};
use emp_core::spec::{Base, EnvKind, Protocol};
use emp_core::syntax::nearest;
use emp_core::workers::{ENVIRONMENT, MAPPING, PlanError, PlanFault, WORKERS, WorkerEntry};

use crate::gpus::{Ask, TooFew, share};
use crate::plan::{Install, Link, MachinePlan, SCHEMA_VERSION, Service, WorkerProcess};
use crate::variable::{Source, Variable, of_worker};

/// Code of a fault of the machine: what does not fit on it.
pub const MACHINE: &str = "E_MACHINE";

/// How long an installation may take that does not say.
const INSTALL_SECONDS: u64 = 300;

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

/// A worker that is asked for, with what it needs.
struct Wanted<'a> {
    name: &'a str,
    count: u32,
    worker: &'a Worker,
    connectors: Vec<&'static Entry>,
    capabilities: Vec<String>,
    binding: String,
    /// `None` when all its services are external.
    demand: Option<Demand>,
}

impl<'a> Wanted<'a> {
    fn read(request: &Request<'a>, entry: &'a WorkerEntry) -> Result<Self, Vec<PlanFault>> {
        let mapping = request.mapping;
        let name = entry.name.as_str();
        let Some(worker) = mapping.worker(name) else { return Err(vec![unknown_worker(entry, mapping)]) };
        let mut faults = Vec::new();
        let (mut connectors, mut capabilities): (Vec<&Entry>, Vec<String>) = Default::default();
        for offer in mapping.capabilities().filter(|offer| offer.worker == name) {
            let Some(found) = request.registry.get(offer.connector) else {
                faults.push(unknown_connector(name, offer.connector, request.registry));
                continue;
            };
            if !connectors.iter().any(|known| known.spec.name == found.spec.name) {
                connectors.push(found);
            }
            if !capabilities.iter().any(|known| known == offer.capability) {
                capabilities.push(offer.capability.to_owned());
            }
        }
        if worker.service.is_empty() {
            let message = format!("worker `{name}` offers no service, so it would wait for ever");
            faults.push(PlanFault::new(
                MAPPING,
                message,
                "add an entry to its `service` list in the mapping",
            ));
        }
        let lookup = |variable: &str| request.env.get(variable);
        let demand = Demand::of_worker(mapping, worker, &lookup).unwrap_or_else(|wrong| {
            faults.extend(wrong.into_iter().map(|(field, error)| wrong_field(name, field, &error)));
            None
        });
        let bound = match worker.resource_binding.as_ref().map(|binding| binding.value(&lookup)) {
            Some(Ok(Some(bound))) => bound,
            _ if demand.is_some() => {
                emp_core::machine::default_binding(worker.service_instances_per_gpu.is_some()).to_owned()
            }
            _ => "shared".to_owned(),
        };
        let count = u32::try_from(entry.slots).unwrap_or(u32::MAX);
        if !faults.is_empty() {
            return Err(faults);
        }
        Ok(Self { name, count, worker, connectors, capabilities, binding: bound, demand })
    }

    /// How it is installed; `None` for an external one.
    fn install(&self, request: &Request<'_>, faults: &mut Vec<PlanFault>) -> Option<Install> {
        self.demand.as_ref()?;
        let installer = self.worker.installer.clone()?;
        let lookup = |variable: &str| request.env.get(variable);
        let config = self.worker.installer_config.clone().unwrap_or_default();
        let mut environment = BTreeMap::new();
        let named = [("version", config.version.as_ref())];
        let named = named.into_iter().filter_map(|(key, template)| Some((key.to_owned(), template?)));
        let settings = config.settings.iter().map(|(key, template)| (key.clone(), template));
        for (key, template) in named.chain(settings) {
            match template.value(&lookup) {
                Ok(Some(value)) => {
                    environment.insert(format!("EMP_INSTALL_{}", upper(&key)), value);
                }
                Ok(None) => {}
                Err(error) => faults.push(wrong_field(self.name, &format!("installer_config.{key}"), &error)),
            }
        }
        let timeout = config.install_timeout.as_ref().map(|timeout| timeout.value(&lookup));
        let timeout_seconds = match timeout {
            Some(Ok(Some(timeout))) => timeout.as_secs(),
            Some(Err(error)) => {
                faults.push(wrong_field(self.name, "installer_config.install_timeout", &error));
                INSTALL_SECONDS
            }
            _ => INSTALL_SECONDS,
        };
        let command = self.command("install_command", config.install_command.as_ref(), &lookup, faults);
        let stage = self.worker.build_stage.clone();
        Some(Install {
            worker: self.name.to_owned(),
            installer,
            stage,
            command,
            timeout_seconds,
            environment,
        })
    }

    fn service(&self, request: &Request<'_>, instance: &Instance, faults: &mut Vec<PlanFault>) -> Service {
        let mut environment = BTreeMap::from([
            ("EMP_INSTANCE".to_owned(), instance.index.to_string()),
            // Empty hides every GPU from a service that has none for itself.
            ("CUDA_VISIBLE_DEVICES".to_owned(), instance.gpu.map(|gpu| gpu.to_string()).unwrap_or_default()),
        ]);
        environment.extend(instance.gpu.map(|gpu| ("EMP_GPU".to_owned(), gpu.to_string())));
        environment.extend(instance.ports.iter().enumerate().map(|(index, port)| {
            let name = if index == 0 { "EMP_PORT".to_owned() } else { format!("EMP_PORT_{}", index + 1) };
            (name, port.to_string())
        }));
        let own = environment.clone();
        let lookup = |variable: &str| own.get(variable).cloned().or_else(|| request.env.get(variable));
        let config = self.worker.installer_config.clone().unwrap_or_default();
        let health_path = match config.health_path.as_ref().map(|path| path.value(&lookup)) {
            Some(Ok(Some(path))) if path.starts_with('/') => Some(path),
            Some(Ok(Some(path))) => {
                let error = TemplateError::Value { text: path, expected: "a path that begins with `/`" };
                faults.push(wrong_field(self.name, "installer_config.health_path", &error));
                None
            }
            Some(Err(error)) => {
                faults.push(wrong_field(self.name, "installer_config.health_path", &error));
                None
            }
            Some(Ok(None)) | None => None,
        };
        let demand = self.demand.as_ref();
        Service {
            name: format!("{}-{}-service", self.name, instance.index),
            worker: self.name.to_owned(),
            index: instance.index,
            gpu: instance.gpu,
            ports: instance.ports.clone(),
            command: self.command("start_command", config.start_command.as_ref(), &lookup, faults),
            environment,
            health_path,
            stage: self.worker.build_stage.clone(),
            binding: self.binding.clone(),
            cpus: demand.and_then(|demand| demand.cpus),
            memory: demand.and_then(|demand| demand.memory),
        }
    }

    /// A program with its arguments; empty when the mapping names none.
    fn command(
        &self,
        field: &str,
        template: Option<&Template<Words>>,
        lookup: &dyn Fn(&str) -> Option<String>,
        faults: &mut Vec<PlanFault>,
    ) -> Vec<String> {
        let Some(template) = template else { return Vec::new() };
        let field = format!("installer_config.{field}");
        match template.value(lookup) {
            Ok(text) => shell_words::split(&text.unwrap_or_default()).unwrap_or_else(|_| {
                faults.push(PlanFault::new(
                    MAPPING,
                    format!("worker `{}`: `{field}` has a quote that does not end", self.name),
                    "close it, or write \\\\ before it",
                ));
                Vec::new()
            }),
            Err(error) => {
                faults.push(wrong_field(self.name, &field, &error));
                Vec::new()
            }
        }
    }

    /// Its process: all its slots, or the one that works with an instance.
    fn process(
        &self,
        request: &Request<'_>,
        service: Option<&Service>,
        metrics: Option<u16>,
    ) -> WorkerProcess {
        let lookup = |variable: &str| request.env.get(variable);
        let required: Vec<String> = self
            .worker
            .required_env
            .iter()
            .filter_map(|name| Template::<Words>::new(name.clone()).value(&lookup).ok().flatten())
            .collect();
        let mut variables = of_worker(&self.connectors, &required, request.env);
        let link = service.and_then(|service| self.link(service, &mut variables));
        variables.extend(request.common.iter().cloned());
        if let Some(port) = metrics {
            let listen = format!("127.0.0.1:{port}");
            variables.push(Variable::fixed(
                "EMP_METRICS_LISTEN",
                listen,
                "Where the worker shows its health and metrics",
            ));
        }
        variables.sort_by(|a, b| a.name.cmp(&b.name));
        WorkerProcess {
            name: match service {
                Some(service) => format!("{}-{}", self.name, service.index),
                None => self.name.to_owned(),
            },
            worker: self.name.to_owned(),
            slots: if service.is_some() { 1 } else { self.count },
            capabilities: self.capabilities.clone(),
            connectors: self.connectors.iter().map(|entry| entry.spec.name.to_owned()).collect(),
            link,
            variables,
            stage: self.worker.build_stage.clone(),
            binding: self.binding.clone(),
            metrics_port: metrics,
            description: self.worker.description.clone(),
        }
    }

    /// Points the worker's internal connectors at an instance: the variable of `#[http(base = env.x)]` gets its address.
    fn link(&self, service: &Service, variables: &mut [Variable]) -> Option<Link> {
        let port = *service.ports.first()?;
        let mut address = at_port(None, port)?;
        let internal = self.worker.service.iter().filter(|entry| entry.kind == ServiceType::Internal);
        for entry in internal {
            let connector = self.connectors.iter().find(|known| known.spec.name == entry.connector);
            let Some((variable, default)) = connector.and_then(|known| base_variable(known)) else {
                continue;
            };
            let url = at_port(default, port)?;
            if let Some(found) = variables.iter_mut().find(|one| one.name == variable) {
                found.value = Some(url.to_string());
                found.source = Source::Plan;
            }
            address = url;
        }
        Some(Link { service: service.name.clone(), url: address })
    }
}

/// The variable that says where a connector's service is, with its default.
fn base_variable(entry: &Entry) -> Option<(&'static str, Option<&'static str>)> {
    let Protocol::Http(http) = &entry.spec.protocol else { return None };
    let Base::Env(name) = &http.base else { return None };
    let field = entry.spec.env.iter().find(|field| field.field == *name && field.kind == EnvKind::Url)?;
    Some((field.variable, field.default))
}

/// An address of this machine, with the path of the declared one.
fn at_port(declared: Option<&str>, port: u16) -> Option<Url> {
    let declared = declared.and_then(|text| text.parse::<Url>().ok());
    let path = declared.as_ref().map_or("/", |url| url.path());
    format!("http://127.0.0.1:{port}{path}").parse().ok()
}

/// The instances of each worker; none for an external one and for one that does not fit.
fn place(wanted: &[Wanted<'_>], machine: &Machine, faults: &mut Vec<PlanFault>) -> Vec<Vec<Instance>> {
    let mut fits: Vec<bool> = Vec::new();
    for worker in wanted {
        let misfit =
            worker.demand.as_ref().and_then(|demand| demand.place(machine, Some(worker.count)).err());
        fits.push(misfit.is_none());
        faults.extend(misfit.map(|misfit| does_not_fit(worker, misfit)));
    }
    let fitting = || wanted.iter().zip(&fits).filter(|(_, fits)| **fits).map(|(worker, _)| worker);
    faults.extend(too_much(fitting(), machine));
    let on_gpus: Vec<(&str, Ask)> = fitting()
        .filter_map(|worker| {
            let demand = worker.demand.as_ref()?;
            let computes = demand.binding.scaling == Scaling::PerGpu && !demand.binding.force_cpu;
            let ask =
                Ask { instances: worker.count, per_gpu: demand.per_gpu, exclusive: demand.binding.exclusive };
            computes.then_some((worker.name, ask))
        })
        .collect();
    let asks: Vec<Ask> = on_gpus.iter().map(|(_, ask)| *ask).collect();
    let shares: BTreeMap<&str, Vec<u32>> = match share(machine.gpus, &asks) {
        Ok(shares) => on_gpus.iter().map(|(name, _)| *name).zip(shares).collect(),
        Err(TooFew(needed)) => {
            let names: Vec<String> = on_gpus.iter().map(|(name, _)| format!("`{name}`")).collect();
            faults.push(PlanFault::new(
                MACHINE,
                format!(
                    "workers {} need {needed} GPUs together, because who is bound exclusively shares none; the machine has {}",
                    names.join(", "),
                    machine.gpus
                ),
                "run fewer instances, or let them share with a binding that has `\"exclusive\": false`",
            ));
            return vec![Vec::new(); wanted.len()];
        }
    };
    let place = |(worker, fits): (&Wanted<'_>, &bool)| {
        let Some(demand) = worker.demand.as_ref().filter(|_| *fits) else { return Vec::new() };
        let own = shares.get(worker.name);
        let gpus = own.map_or(machine.gpus, |own| own.len() as u32);
        let placed = demand.place(&Machine { gpus, ..*machine }, Some(worker.count)).map(Iterator::collect);
        let mut instances: Vec<Instance> = placed.unwrap_or_default();
        for instance in &mut instances {
            let gpu = instance.gpu.and_then(|gpu| own?.get(gpu as usize).copied());
            instance.gpu = gpu;
        }
        instances
    };
    wanted.iter().zip(&fits).map(place).collect()
}

/// What all workers together take too much of.
fn too_much<'a>(workers: impl Iterator<Item = &'a Wanted<'a>>, machine: &Machine) -> Vec<PlanFault> {
    let (mut cpus, mut memory, mut names) = (0_u64, 0_u64, Vec::new());
    for worker in workers {
        let Some(demand) = &worker.demand else { continue };
        let together = |each: u64| each.saturating_mul(u64::from(worker.count));
        cpus = cpus.saturating_add(together(demand.cpus.unwrap_or(0).into()));
        memory = memory.saturating_add(together(demand.memory.unwrap_or(0)));
        names.push(format!("`{}`", worker.name));
    }
    let fault = |what: &str, needed: String, available: String| {
        let message = format!(
            "workers {} take {needed} {what} together, and the machine has {available}",
            names.join(", ")
        );
        PlanFault::new(MACHINE, message, "run fewer instances, or a larger machine")
    };
    let mut faults = Vec::new();
    // One worker alone that is too large has been told already.
    if names.len() > 1 {
        if let Some(available) = machine.cpus.filter(|available| cpus > u64::from(*available)) {
            faults.push(fault("CPUs", cpus.to_string(), available.to_string()));
        }
        if let Some(available) = machine.memory.filter(|available| memory > *available) {
            faults.push(fault("MiB of memory", (memory >> 20).to_string(), (available >> 20).to_string()));
        }
    }
    faults
}

/// Ports of our own: the API's, and one for each worker process from the metrics port on.
struct OwnPorts {
    api: Option<u16>,
    metrics: Option<u16>,
    given: u16,
}

impl OwnPorts {
    fn read(request: &Request<'_>, faults: &mut Vec<PlanFault>) -> Self {
        let machine = request.mapping.machine.clone().unwrap_or_default();
        let mut read = |field: &str, template: Option<&Template<Port>>| match template?
            .value(&|variable| request.env.get(variable))
        {
            Ok(port) => port,
            Err(error) => {
                faults.push(PlanFault::new(
                    MAPPING,
                    format!("the machine's `{field}`: {error}"),
                    "write a free port",
                ));
                None
            }
        };
        let api = read("api_port", machine.api_port.as_ref());
        let metrics = read("metrics_port", machine.metrics_port.as_ref());
        Self { api, metrics, given: 0 }
    }

    /// The next worker process's port.
    fn next(&mut self) -> Option<u16> {
        let port = self.metrics?.checked_add(self.given)?;
        self.given += 1;
        Some(port)
    }
}

/// Ports that two want.
fn clashes(plan: &MachinePlan, own: &OwnPorts) -> Vec<PlanFault> {
    let api = own.api.map(|port| ("the API", port));
    let listening: Vec<(&str, u16)> = api.into_iter().chain(plan.listeners()).collect();
    let listeners: Vec<Listener<usize>> = listening
        .iter()
        .enumerate()
        .map(|(owner, (_, port))| Listener {
            owner,
            plan: PortPlan { first: *port, increment: 0, instances: 1 },
        })
        .collect();
    let who = |index: usize| match listening.get(index) {
        Some((name, _)) if name.starts_with("the ") => (*name).to_owned(),
        Some((name, _)) => format!("`{name}`"),
        None => String::new(),
    };
    let fault = |Clash { first, second, port }: Clash<usize>| {
        PlanFault::new(
            MACHINE,
            format!("{} and {} would both listen on port {port}", who(first), who(second)),
            "write other ports, or a `port_increment` of at least 1, into the mapping",
        )
    };
    Listener::clashes(&listeners).into_iter().map(fault).collect()
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

fn does_not_fit(worker: &Wanted<'_>, misfit: Misfit) -> PlanFault {
    let name = worker.name;
    let help = match misfit {
        Misfit::NoGpu => {
            "bind it to `mock_gpu` to simulate one on the CPU, or say how many there are with NUM_GPUS"
                .to_owned()
        }
        Misfit::Room { room: 0, .. } => "raise the number of its instances in the mapping".to_owned(),
        Misfit::Room { room, .. } => {
            format!("`{name}:{room}`, or raise the number of its instances in the mapping")
        }
        Misfit::Cpus { .. } | Misfit::Memory { .. } => "run fewer instances, or a larger machine".to_owned(),
        Misfit::PortRange { .. } => "let its ports begin lower".to_owned(),
    };
    PlanFault::new(MACHINE, format!("worker `{name}` does not fit: {misfit}"), help)
}

fn wrong_field(worker: &str, field: &str, error: &TemplateError) -> PlanFault {
    let (code, help) = match error {
        TemplateError::Syntax(error) => {
            let usual = "write ${NAME}, ${NAME:-default} or ${NAME:?message}";
            (MAPPING, error.help.clone().unwrap_or_else(|| usual.to_owned()))
        }
        TemplateError::Missing(missing) => {
            let names: Vec<&str> = missing.0.iter().map(|one| one.name.as_str()).collect();
            (ENVIRONMENT, format!("set {}", names.join(" and ")))
        }
        TemplateError::Value { expected, .. } => (ENVIRONMENT, format!("give it {expected}")),
    };
    PlanFault::new(code, format!("worker `{worker}`: `{field}`: {error}"), help)
}

fn unknown_worker(entry: &WorkerEntry, mapping: &Mapping) -> PlanFault {
    let names = || mapping.workers.keys().map(String::as_str);
    PlanFault::new(
        WORKERS,
        format!("WORKERS column {}: the mapping has no worker `{}`", entry.column, entry.name),
        match nearest(&entry.name, names()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("it has `{}`", names().collect::<Vec<_>>().join("`, `")),
        },
    )
}

fn unknown_connector(worker: &str, connector: &str, registry: &Registry) -> PlanFault {
    let names = registry.entries().iter().map(|entry| entry.spec.name);
    PlanFault::new(
        MAPPING,
        format!("worker `{worker}` needs connector `{connector}`, which this binary does not have"),
        match nearest(connector, names) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "put its file into `connectors/` and build again".to_owned(),
        },
    )
}

/// A setting's key as the end of a variable's name.
fn upper(key: &str) -> String {
    key.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect()
}
