//! Workers of the system replaced.

use std::collections::BTreeSet;

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
    let services: Map<String, Value> = notes
        .members(old.get("services"), "/services")
        .map(|(name, entry)| (name.clone(), entry.clone()))
        .collect();
    let old: Vec<_> = notes.members(old.get("workers"), "/workers").collect();
    // A worker that becomes several takes no name that another one has.
    let mut taken: BTreeSet<String> = old.iter().map(|(name, _)| (*name).clone()).collect();
    let mut new = Map::new();
    let mut used = Vec::new();
    for (name, worker) in old {
        let pointer = format!("/workers/{name}");
        if !worker.is_object() {
            notes.say(pointer, "is no object, and is left out");
            continue;
        }
        if worker.get("service").is_some() {
            new.insert(name.clone(), earlier(worker, &pointer, notes));
            continue;
        }
        let offered = Offered::read(worker, &services, &pointer, notes);
        used.extend(offered.iter().map(|one| one.service.clone()));
        for (name, parts) in divided(name, offered, &mut taken, &pointer, notes) {
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
    if new.contains_key("required_env") {
        let names = required_env(worker, pointer, notes);
        new.insert("required_env".to_owned(), json!(names));
    }
    if let Some(config) = new.get_mut("api_config").and_then(Value::as_object_mut) {
        config.retain(|key, _| known_config(key, &format!("{pointer}/api_config"), notes));
    }
    Value::Object(new)
}

/// The names of the variables that a worker or a service requires.
fn required_env(owner: &Value, pointer: &str, notes: &mut Notes) -> Vec<String> {
    let pointer = format!("{pointer}/required_env");
    let texts = notes.texts(owner.get("required_env"), &pointer);
    let name = |(index, text): (usize, &str)| match plain_name(text) {
        Some(plain) => {
            notes.say(format!("{pointer}/{index}"), format!("was no name; it is `{plain}` now"));
            plain.to_owned()
        }
        None => text.to_owned(),
    };
    texts.into_iter().map(name).collect()
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
        let mut names: Vec<&str> = Vec::new();
        for (index, name) in notes.texts(worker.get("services"), &format!("{pointer}/services")) {
            if names.contains(&name) {
                notes.say(format!("{pointer}/services/{index}"), "stands twice, and counts once");
            } else {
                names.push(name);
            }
        }
        let routes = routes(worker, &format!("{pointer}/job_service_required_map"), notes);
        for (job, service) in &routes {
            if !names.contains(service) {
                notes.say(
                    format!("{pointer}/job_service_required_map"),
                    format!("sends `{job}` to `{service}`, which the worker does not offer; it is left out"),
                );
            }
        }
        let mut offered = Vec::new();
        for name in names {
            let Some(value) = services.get(name) else {
                notes.say(
                    format!("{pointer}/services"),
                    format!("`{name}` is not under `services`, and is left out"),
                );
                continue;
            };
            let Some(entry) = value.as_object() else {
                notes.say(format!("/services/{name}"), "is no object, and is left out");
                continue;
            };
            if entry.get("connector").and_then(Value::as_str).is_none_or(str::is_empty) {
                notes.say(format!("/services/{name}/connector"), "names no connector: name one");
            }
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

    fn connector(&self) -> &str {
        self.entry.get("connector").and_then(Value::as_str).unwrap_or_default()
    }
}

/// Which job goes to which service.
fn routes<'v>(worker: &'v Value, pointer: &str, notes: &mut Notes) -> Vec<(&'v str, &'v str)> {
    const ENDS: [&str; 2] = ["job_service_required", "worker_service"];
    let mut routes = Vec::new();
    for (index, route) in notes.entries(worker.get("job_service_required_map"), pointer).iter().enumerate() {
        let pointer = format!("{pointer}/{index}");
        let strange = notes.members(Some(route), &pointer).filter(|(key, _)| !ENDS.contains(&key.as_str()));
        for (key, _) in strange {
            notes.say(format!("{pointer}/{key}"), "is no key of a route, and is left out");
        }
        match ENDS.map(|end| route.get(end).and_then(Value::as_str)) {
            [Some(job), Some(service)] => routes.push((job, service)),
            _ => notes.say(pointer, "does not say which job goes to which service, and is left out"),
        }
    }
    routes
}

/// Whether a service runs on the machine; the types that came later are told by what they have.
fn is_internal(entry: &Map<String, Value>, pointer: &str, notes: &mut Notes) -> bool {
    match entry.get("type").and_then(Value::as_str) {
        Some("internal") => true,
        Some("external") => false,
        _ => {
            let internal =
                entry.get("ports").is_some() || entry.get("installer").is_some_and(|one| !one.is_null());
            let kind = if internal { "internal" } else { "external" };
            let was = match entry.get("type") {
                Some(Value::String(other)) => format!("was `{other}`"),
                Some(other) => format!("was {other}"),
                None => "is missing".to_owned(),
            };
            notes.say(format!("{pointer}/type"), format!("{was}; it is `{kind}` now"));
            internal
        }
    }
}

/// The workers that one becomes: ours has one installer and one row of ports, so each further internal service gets a worker of its own.
fn divided(
    name: &str,
    offered: Vec<Offered>,
    taken: &mut BTreeSet<String>,
    pointer: &str,
    notes: &mut Notes,
) -> Vec<(String, Vec<Offered>)> {
    let internal = offered.iter().filter(|one| one.internal).count();
    if internal < 2 {
        return vec![(name.to_owned(), offered)];
    }
    let (own, others): (Vec<_>, Vec<_>) = offered.into_iter().partition(|one| one.internal);
    let mut free = |service: &str| {
        let plain = format!("{name}-{service}");
        let numbered = (2..).map(|number| format!("{plain}-{number}"));
        let found = std::iter::once(plain.clone()).chain(numbered).find(|name| !taken.contains(name));
        let found = found.unwrap_or_default();
        taken.insert(found.clone());
        found
    };
    let mut parts: Vec<_> = own.into_iter().map(|one| (free(&one.service), vec![one])).collect();
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
    for one in parts.iter().filter(|one| main.is_some_and(|main| main.service != one.service)) {
        for key in FROM_SERVICE {
            let (own, kept) = (one.entry.get(key).filter(|own| !own.is_null()), new.get(key));
            if own.is_some() && own != kept {
                let has = kept.map_or_else(|| "nothing".to_owned(), Value::to_string);
                notes.say(
                    format!("/services/{}/{key}", one.service),
                    format!("is left out: a worker has one for all its services, and here it has {has}"),
                );
            }
        }
    }
    if let Some(main) = main {
        new.insert("resource_binding".to_owned(), json!(binding(worker, pointer, main, notes)));
        for one in parts.iter().filter(|one| one.service != main.service) {
            let at = format!("/services/{}/is_gpu_bound", one.service);
            if notes.switch(one.entry.get("is_gpu_bound"), &at) {
                notes.say(at, "is left out: a worker is bound to one thing for all its services");
            }
        }
    }
    let mut required: Vec<String> = Vec::new();
    for one in parts {
        let entry = Value::Object(one.entry.clone());
        required.extend(required_env(&entry, &format!("/services/{}", one.service), notes));
    }
    required.extend(required_env(worker, pointer, notes));
    let mut seen = BTreeSet::new();
    required.retain(|name| seen.insert(name.clone()));
    if !required.is_empty() {
        new.insert("required_env".to_owned(), json!(required));
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

fn binding(worker: &Value, owner: &str, main: &Offered, notes: &mut Notes) -> &'static str {
    let pointer = format!("/services/{}/is_gpu_bound", main.service);
    let of_worker = notes.switch(worker.get("is_gpu_bound"), &format!("{owner}/is_gpu_bound"));
    let gpu = notes.switch(main.entry.get("is_gpu_bound"), &pointer) || of_worker;
    let per_machine = main.entry.contains_key("service_instances_per_machine");
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
        for (key, value) in notes.members(one.entry.get("api_config"), &pointer) {
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
