//! A file for Docker Compose. Compose expands `${X}` and reads `$$` as a dollar sign in every text, so every text goes through
//! [`literal`] or is one of the references that are made here.
//!
//! A worker of an internal service shares the network of its instance, so the instance's address is the same as on a machine. A secret
//! is a file, whose path is asked for with our sentence.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::{Conduct, MAPPING_PATH, Names, secret_name, service_check, yaml};
use crate::plan::{MachinePlan, Service, WorkerProcess};
use crate::variable::{FILE, Source, Variable};

/// Where a container keeps its jobs, when they are in files.
const DATA: &str = "/var/lib/emp";
/// How long a service may take to load its models.
const SERVICE_START: &str = "600s";
/// The name of the mapping among the configs.
const MAPPING: &str = "emp-mapping";

pub(super) fn write(plan: &MachinePlan, conduct: &Conduct<'_>) -> String {
    let mut names = Names::default();
    let mut containers = Map::new();
    for service in &plan.services {
        containers.insert(names.of(&service.name), instance(service, conduct));
    }
    let mut secrets: BTreeMap<String, &Variable> = BTreeMap::new();
    for process in &plan.workers {
        let container = worker(plan, process, conduct, &mut names);
        containers.insert(names.of(&process.name), container);
        let own = process.variables.iter().filter(|variable| is_mounted(variable));
        secrets.extend(own.map(|variable| (secret_name(&variable.name), variable)));
    }
    let mut file = json!({ "name": "emp", "services": containers, "volumes": { "emp-data": {} } });
    if let Some(mapping) = conduct.mapping {
        file["configs"] = json!({ MAPPING: { "file": literal(mapping.path) } });
    }
    if !secrets.is_empty() {
        let files = secrets.into_iter().map(|(name, variable)| (name, json!({ "file": path(variable) })));
        file["secrets"] = Value::Object(files.collect());
    }
    format!(
        "# Written by `emp export compose`. Start with `docker compose --profile WORKER up`.\n{}",
        yaml::document(&file)
    )
}

/// What every container has.
fn container(stage: Option<&str>, profile: &str, conduct: &Conduct<'_>) -> Map<String, Value> {
    let stage = stage.unwrap_or("base");
    let common = json!({
        "image": literal(&format!("{}:{stage}", conduct.image)),
        "build": { "context": ".", "target": literal(stage) },
        "profiles": [literal(profile)],
        "init": true,
        "restart": "unless-stopped",
        "security_opt": ["no-new-privileges:true"],
        "cap_drop": ["ALL"],
    });
    match common {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

fn instance(service: &Service, conduct: &Conduct<'_>) -> Value {
    let mut it = container(service.stage.as_deref(), &service.worker, conduct);
    let words = |words: &[String]| words.iter().map(|word| literal(word)).collect::<Vec<_>>();
    it.insert("entrypoint".to_owned(), json!(words(&service.command)));
    it.insert("command".to_owned(), json!([]));
    let environment = service
        .environment
        .iter()
        .filter(|(name, _)| *name != "CUDA_VISIBLE_DEVICES" || service.gpu.is_none());
    let environment: Map<String, Value> =
        environment.map(|(name, value)| (name.clone(), json!(literal(value)))).collect();
    it.insert("environment".to_owned(), Value::Object(environment));
    it.insert("stop_grace_period".to_owned(), json!("10s"));
    let check: Vec<String> = service_check(service).iter().map(|word| literal(word)).collect();
    if !check.is_empty() {
        it.insert("healthcheck".to_owned(), health(&check, SERVICE_START));
    }
    let mut resources = Map::new();
    if let Some(gpu) = service.gpu {
        let device = json!({ "driver": "nvidia", "device_ids": [gpu.to_string()], "capabilities": ["gpu"] });
        resources.insert("reservations".to_owned(), json!({ "devices": [device] }));
    }
    let mut limits = Map::new();
    limits.extend(service.cpus.map(|cpus| ("cpus".to_owned(), json!(cpus.to_string()))));
    limits.extend(service.memory.map(|bytes| ("memory".to_owned(), json!(bytes.to_string()))));
    if !limits.is_empty() {
        resources.insert("limits".to_owned(), Value::Object(limits));
    }
    if !resources.is_empty() {
        it.insert("deploy".to_owned(), json!({ "resources": resources }));
    }
    Value::Object(it)
}

fn worker(plan: &MachinePlan, process: &WorkerProcess, conduct: &Conduct<'_>, names: &mut Names) -> Value {
    let mut it = container(process.stage.as_deref(), &process.worker, conduct);
    let command: Vec<String> =
        conduct.worker(process, MAPPING_PATH).iter().map(|word| literal(word)).collect();
    it.insert("command".to_owned(), json!(command));
    if conduct.mapping.is_some() {
        it.insert("configs".to_owned(), json!([{ "source": MAPPING, "target": MAPPING_PATH }]));
    }
    it.insert("stop_grace_period".to_owned(), json!(format!("{}s", conduct.drain.as_secs())));
    let mut environment: Map<String, Value> =
        process.variables.iter().flat_map(|variable| entry(variable, conduct)).collect();
    let listen = format!("127.0.0.1:{}", conduct.metrics_port);
    environment.insert("EMP_METRICS_LISTEN".to_owned(), json!(listen));
    it.insert("environment".to_owned(), Value::Object(environment));
    let secrets: BTreeSet<String> =
        process.variables.iter().filter(|one| is_mounted(one)).map(|one| secret_name(&one.name)).collect();
    if !secrets.is_empty() {
        it.insert("secrets".to_owned(), json!(secrets));
    }
    it.insert("volumes".to_owned(), json!([format!("emp-data:{DATA}")]));
    it.insert("healthcheck".to_owned(), health(&["emp".to_owned(), "health".to_owned()], "30s"));
    if let Some(service) = plan.service_of(process) {
        let name = names.of(&service.name);
        let condition = if service.ports.is_empty() { "service_started" } else { "service_healthy" };
        it.insert("network_mode".to_owned(), json!(format!("service:{name}")));
        it.insert("depends_on".to_owned(), json!({ name: { "condition": condition } }));
    }
    Value::Object(it)
}

/// A command that is repeated; `start` is how long it may fail at first.
fn health(command: &[String], start: &str) -> Value {
    let test: Vec<&str> = std::iter::once("CMD").chain(command.iter().map(String::as_str)).collect();
    json!({ "test": test, "interval": "10s", "timeout": "5s", "start_period": start, "retries": 3 })
}

/// Comes as a file: a required secret, and one that somebody sets.
fn is_mounted(variable: &Variable) -> bool {
    variable.secret && (variable.required || variable.source != Source::Unset)
}

/// What the environment says of a variable.
fn entry(variable: &Variable, conduct: &Conduct<'_>) -> Vec<(String, Value)> {
    let name = variable.name.clone();
    if variable.secret {
        let file = format!("/run/secrets/{}", secret_name(&name));
        return if is_mounted(variable) { vec![(format!("{name}{FILE}"), json!(file))] } else { Vec::new() };
    }
    let value = match (variable.source, &variable.default) {
        (Source::Plan, _) => {
            // Each container has its own loopback, so the port of a worker's metrics needs no number of its own.
            if name == "EMP_METRICS_LISTEN" {
                json!(format!("127.0.0.1:{}", conduct.metrics_port))
            } else {
                json!(literal(variable.value.as_deref().unwrap_or_default()))
            }
        }
        _ if variable.required => json!(format!("${{{name}:?{}}}", message(variable))),
        (_, Some(default)) if is_plain(default) => json!(format!("${{{name}:-{default}}}")),
        // Handed on from the shell when it is set there; the process has its own default.
        _ => Value::Null,
    };
    vec![(name, value)]
}

/// The path of a secret's file, asked for.
fn path(variable: &Variable) -> String {
    format!(
        "${{{}{FILE}:?{}}}",
        variable.name,
        message(variable).replacen(&variable.name, &format!("{}{FILE} to a file", variable.name), 1)
    )
}

/// Our sentence without what would end the reference.
fn message(variable: &Variable) -> String {
    variable
        .sentence()
        .chars()
        .map(|c| if matches!(c, '$' | '{' | '}') || c.is_control() { ' ' } else { c })
        .collect()
}

/// What can stand as a default: nothing that Compose would read as a part of the reference.
fn is_plain(text: &str) -> bool {
    !text.contains(['$', '{', '}']) && !text.chars().any(char::is_control)
}

/// A text that Compose takes as it is.
fn literal(text: &str) -> String {
    text.replace('$', "$$")
}
