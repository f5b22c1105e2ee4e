//! One worker that is asked for: what it needs, and the processes that it becomes.

use std::collections::BTreeMap;

use emp_core::Url;
use emp_core::connector::{Entry, Registry};
use emp_core::machine::{Demand, Instance};
use emp_core::mapping::{ServiceType, Template, TemplateError, Words, Worker};
use emp_core::spec::{Base, EnvKind, Protocol};
use emp_core::workers::{ENVIRONMENT, MAPPING, PlanFault, WorkerEntry};

use super::Request;
use crate::plan::{Install, Link, Service, WorkerProcess};
use crate::secrets::is_secret;
use crate::variable::{FILE, Source, Variable, of_worker};

/// How long an installation may take that does not say.
const INSTALL_SECONDS: u64 = 300;

/// A worker that is asked for, with what it needs.
pub(super) struct Wanted<'a> {
    pub(super) name: &'a str,
    pub(super) count: u32,
    worker: &'a Worker,
    connectors: Vec<&'static Entry>,
    capabilities: Vec<String>,
    binding: String,
    /// `None` when all its services are external.
    pub(super) demand: Option<Demand>,
}

impl<'a> Wanted<'a> {
    pub(super) fn read(request: &Request<'a>, entry: &'a WorkerEntry) -> Result<Self, Vec<PlanFault>> {
        let mapping = request.mapping;
        let name = entry.name.as_str();
        let Some(worker) = mapping.worker(name) else {
            return Err(vec![PlanFault::unknown_worker(entry, mapping)]);
        };
        let mut faults = Vec::new();
        let (mut connectors, mut capabilities): (Vec<&Entry>, Vec<String>) = Default::default();
        for offer in mapping.capabilities().filter(|offer| offer.worker == name) {
            let Some(found) = request.registry.get(offer.connector) else {
                faults.push(PlanFault::unknown_connector(name, offer.connector, request.registry));
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
            faults.push(PlanFault::no_service(name));
        }
        // Before anything is expanded: a message about a value would show it.
        faults.extend(secrets_in_settings(name, worker, request.registry));
        if !faults.is_empty() {
            return Err(faults);
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
    pub(super) fn install(&self, request: &Request<'_>, faults: &mut Vec<PlanFault>) -> Option<Install> {
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

    pub(super) fn service(
        &self,
        request: &Request<'_>,
        instance: &Instance,
        faults: &mut Vec<PlanFault>,
    ) -> Service {
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
    pub(super) fn process(
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

/// Settings that would hold a secret: what a plan says stands in files, and in command lines that everybody on the machine can read.
fn secrets_in_settings(name: &str, worker: &Worker, registry: &Registry) -> Vec<PlanFault> {
    let fault = |field: &str, variable: &str| {
        PlanFault::new(
            MAPPING,
            format!(
                "worker `{name}`: `{field}` would put the secret {variable} into plain files and command lines"
            ),
            format!("write `${{{variable}{FILE}}}`, and let the program read the file that it names"),
        )
    };
    let faults = worker.settings().into_iter().flat_map(|setting| {
        let variables =
            setting.variables().into_iter().filter(|variable| is_secret(&variable.name, registry));
        variables.map(|variable| fault(&setting.field, &variable.name)).collect::<Vec<_>>()
    });
    faults.collect()
}

/// A setting's key as the end of a variable's name.
fn upper(key: &str) -> String {
    key.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect()
}
