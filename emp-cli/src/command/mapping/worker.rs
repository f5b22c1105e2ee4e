//! Workers of the system replaced.

use serde_json::{Map, Value, json};

use super::migrate::Notes;

/// What a worker of ours takes from a service as it is.
const FROM_SERVICE: [&str; 8] = [
    "installer",
    "build_stage",
    "service_instances_per_gpu",
    "service_instances_per_machine",
    "ports",
    "port_increment",
    "installer_config",
    "description",
];

/// What of `api_config` a worker of ours has.
const API_CONFIG: [&str; 4] = ["base_url", "timeout", "max_retries", "models"];

/// The workers of a mapping of either shape.
pub(super) fn workers(old: &Value, notes: &mut Notes) -> Value {
    let services = old["services"].as_object().cloned().unwrap_or_default();
    let mut new = Map::new();
    let mut used = Vec::new();
    for (name, worker) in old["workers"].as_object().into_iter().flatten() {
        let pointer = format!("/workers/{name}");
        if worker.get("service").is_some() {
            new.insert(name.clone(), earlier(worker, &pointer, notes));
            continue;
        }
        let offered = Offered::read(worker, &services, &pointer, notes);
        used.extend(offered.iter().map(|one| one.service.clone()));
        for (name, parts) in divided(name, offered, &pointer, notes) {
            new.insert(name, later(worker, &parts, &pointer, notes));
        }
    }
    for name in services.keys().filter(|name| !used.contains(*name)) {
        notes.say(format!("/services/{name}"), "no worker offers it, and it is left out");
    }
    Value::Object(new)
}

/// A worker of the earlier shape, which is ours but for what nobody could read.
fn earlier(worker: &Value, pointer: &str, notes: &mut Notes) -> Value {
    let mut new = worker.as_object().cloned().unwrap_or_default();
    if let Some(names) = new.get_mut("required_env").and_then(Value::as_array_mut) {
        for (index, name) in names.iter_mut().enumerate() {
            if let Some(plain) = name.as_str().and_then(plain_name) {
                notes.say(
                    format!("{pointer}/required_env/{index}"),
                    format!("was no name; it is `{plain}` now"),
                );
                *name = json!(plain);
            }
        }
    }
    if let Some(config) = new.get_mut("api_config").and_then(Value::as_object_mut) {
        config.retain(|key, _| known_config(key, &format!("{pointer}/api_config"), notes));
    }
    Value::Object(new)
}

/// `${OPENAI_API_KEY_VAR:-OPENAI_API_KEY}` is the name in its default.
fn plain_name(text: &str) -> Option<&str> {
    let inside = text.strip_prefix("${")?.strip_suffix('}')?;
    Some(inside.split_once(":-").map_or(inside, |(_, default)| default)).filter(|name| !name.is_empty())
}

fn known_config(key: &str, pointer: &str, notes: &mut Notes) -> bool {
    let known = API_CONFIG.contains(&key);
    if !known {
        notes.say(
            format!("{pointer}/{key}"),
            "is no key of `api_config`, and is left out: connectors read their variables by themselves",
        );
    }
    known
}

/// A service that a worker of the later shape offers.
#[derive(Clone)]
struct Offered {
    /// Its name under `services`.
    service: String,
    /// What jobs ask for.
    capabilities: Vec<String>,
    /// Its entry.
    entry: Map<String, Value>,
    internal: bool,
}

impl Offered {
    fn read(worker: &Value, services: &Map<String, Value>, pointer: &str, notes: &mut Notes) -> Vec<Self> {
        let names = worker["services"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let routes: Vec<(&str, &str)> = worker["job_service_required_map"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|route| {
                Some((route["job_service_required"].as_str()?, route["worker_service"].as_str()?))
            })
            .collect();
        for (job, service) in &routes {
            if !names.clone().any(|name| name == *service) {
                notes.say(
                    format!("{pointer}/job_service_required_map"),
                    format!("sends `{job}` to `{service}`, which the worker does not offer; it is left out"),
                );
            }
        }
        let mut offered = Vec::new();
        for name in names {
            let Some(entry) = services.get(name).and_then(Value::as_object) else {
                notes.say(
                    format!("{pointer}/services"),
                    format!("`{name}` is not under `services`, and is left out"),
                );
                continue;
            };
            let own = routes.iter().filter(|(_, service)| *service == name);
            let mut capabilities: Vec<String> = own.map(|(job, _)| (*job).to_owned()).collect();
            if capabilities.is_empty() {
                notes.say(
                    format!("{pointer}/job_service_required_map"),
                    format!("has no job for `{name}`; the worker accepts jobs for `{name}` itself now"),
                );
                capabilities.push(name.to_owned());
            }
            let internal = is_internal(entry, &format!("/services/{name}"), notes);
            offered.push(Self { service: name.to_owned(), capabilities, entry: entry.clone(), internal });
        }
        offered
    }

    fn connector(&self) -> Value {
        self.entry.get("connector").cloned().unwrap_or_else(|| json!(""))
    }
}

/// Whether a service runs on the machine; the types that came later are told by what they have.
fn is_internal(entry: &Map<String, Value>, pointer: &str, notes: &mut Notes) -> bool {
    match entry.get("type").and_then(Value::as_str) {
        Some("internal") => true,
        Some("external") => false,
        other => {
            let internal =
                entry.get("ports").is_some() || entry.get("installer").is_some_and(|one| !one.is_null());
            let kind = if internal { "internal" } else { "external" };
            let was = other.map_or_else(|| "is missing".to_owned(), |other| format!("was `{other}`"));
            notes.say(format!("{pointer}/type"), format!("{was}; it is `{kind}` now"));
            internal
        }
    }
}

/// The workers that one becomes: ours has one installer and one row of ports, so each further internal service gets a worker of its own.
fn divided(
    name: &str,
    offered: Vec<Offered>,
    pointer: &str,
    notes: &mut Notes,
) -> Vec<(String, Vec<Offered>)> {
    let internal = offered.iter().filter(|one| one.internal).count();
    if internal < 2 {
        return vec![(name.to_owned(), offered)];
    }
    let (own, others): (Vec<_>, Vec<_>) = offered.into_iter().partition(|one| one.internal);
    let mut parts: Vec<_> =
        own.into_iter().map(|one| (format!("{name}-{}", one.service), vec![one])).collect();
    if !others.is_empty() {
        parts.push((name.to_owned(), others));
    }
    let names: Vec<_> = parts.iter().map(|(name, _)| format!("{name}:1")).collect();
    notes.say(
        pointer,
        format!(
            "installs {internal} services, which are workers of their own now: WORKERS=\"{}\"",
            names.join(",")
        ),
    );
    parts
}

/// A worker of ours out of the services that it offers.
fn later(worker: &Value, parts: &[Offered], pointer: &str, notes: &mut Notes) -> Value {
    let mut new = Map::new();
    new.insert("service".to_owned(), Value::Array(parts.iter().map(entry).collect()));
    // What describes the machine is the internal service's; for external ones it is the same for all of them.
    let main = parts.iter().find(|one| one.internal).or(parts.first());
    for key in FROM_SERVICE {
        if let Some(value) = main.and_then(|one| one.entry.get(key)) {
            new.insert(key.to_owned(), value.clone());
        }
    }
    if let Some(main) = main {
        new.insert("resource_binding".to_owned(), json!(binding(worker, main, notes)));
    }
    let mut required: Vec<Value> = Vec::new();
    let lists =
        parts.iter().filter_map(|one| one.entry.get("required_env")).chain(worker.get("required_env"));
    for name in lists.filter_map(Value::as_array).flatten() {
        if !required.contains(name) {
            required.push(name.clone());
        }
    }
    if !required.is_empty() {
        new.insert("required_env".to_owned(), Value::Array(required));
    }
    let config = api_config(parts, notes);
    if !config.is_empty() {
        new.insert("api_config".to_owned(), Value::Object(config));
    }
    left_out(worker, parts, pointer, notes);
    Value::Object(new)
}

fn entry(one: &Offered) -> Value {
    let capability = match one.capabilities.as_slice() {
        [only] => json!(only),
        many => json!(many),
    };
    let kind = if one.internal { "internal" } else { "external" };
    json!({ "capability": capability, "connector": one.connector(), "type": kind })
}

fn binding(worker: &Value, main: &Offered, notes: &mut Notes) -> &'static str {
    let says = |value: Option<&Value>| value.and_then(Value::as_bool).unwrap_or_default();
    let gpu = says(worker.get("is_gpu_bound")) || says(main.entry.get("is_gpu_bound"));
    let per_machine = main.entry.contains_key("service_instances_per_machine");
    let pointer = format!("/services/{}/is_gpu_bound", main.service);
    match (main.internal, gpu) {
        (false, true) => {
            notes.say(pointer, "its service runs elsewhere, so it is bound to nothing: `shared`");
            "shared"
        }
        (false, false) => "shared",
        (true, true) if per_machine => {
            notes.say(
                pointer,
                "counts its instances per machine, so it is bound to `cpu`; for a GPU count them per GPU",
            );
            "cpu"
        }
        (true, true) => "gpu",
        (true, false) => "cpu",
    }
}

/// The settings of all services of a worker; of two for one key the first is kept.
fn api_config(parts: &[Offered], notes: &mut Notes) -> Map<String, Value> {
    let mut merged = Map::new();
    for one in parts {
        let pointer = format!("/services/{}/api_config", one.service);
        for (key, value) in one.entry.get("api_config").and_then(Value::as_object).into_iter().flatten() {
            if !known_config(key, &pointer, notes) {
                continue;
            }
            match merged.get(key) {
                None => drop(merged.insert(key.clone(), value.clone())),
                Some(first) if first == value => {}
                Some(first) => {
                    notes.say(format!("{pointer}/{key}"), format!("the worker has {first} for it already"));
                }
            }
        }
    }
    merged
}

/// What neither a worker nor a service of ours has.
fn left_out(worker: &Value, parts: &[Offered], pointer: &str, notes: &mut Notes) {
    const WORKER: [&str; 4] = ["services", "is_gpu_bound", "job_service_required_map", "required_env"];
    const SERVICE: [&str; 5] = ["connector", "type", "is_gpu_bound", "required_env", "api_config"];
    let strange = worker.as_object().into_iter().flatten().filter(|(key, _)| !WORKER.contains(&key.as_str()));
    for (key, _) in strange {
        notes.say(format!("{pointer}/{key}"), "is no key of a worker, and is left out");
    }
    for one in parts {
        for (key, value) in &one.entry {
            let at = format!("/services/{}/{key}", one.service);
            match key.as_str() {
                key if SERVICE.contains(&key) || FROM_SERVICE.contains(&key) => {}
                _ if value.is_null() => {}
                "installer_filename" => notes.say(at, "is left out: installers are found by their names"),
                "telemetry_logs" => notes.say(at, "is left out: nobody reads it"),
                _ => notes.say(at, "is no key of a worker, and is left out"),
            }
        }
        if one.internal && one.entry.get("installer").is_none_or(Value::is_null) {
            notes.say(
                format!("/services/{}/installer", one.service),
                "an internal service needs one: name it",
            );
        }
    }
}
