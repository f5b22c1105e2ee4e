//! What is compiled and checked: connectors of ten fields, and mappings for them.

use std::fmt::Write;
use std::path::Path;

use crate::Failure;

/// The ten fields, with the attribute that makes each a variable of a connector.
const FIELDS: [(&str, &str, &str); 10] = [
    ("base_url", "Url", "default = \"http://127.0.0.1:9\""),
    ("model", "String", "default = \"large\""),
    ("region", "String", ""),
    ("project", "Option<String>", ""),
    ("in_flight", "u32", "default = 3, range = 1..=1000"),
    ("attempts", "u32", "default = 3, range = 1..=10"),
    ("port", "u16", "default = 8080"),
    ("scale", "f64", "default = 1.0"),
    ("verbose", "bool", "default = false"),
    ("timeout", "Duration", "default = 30000, unit = ms"),
];

/// What is derived on the structs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Derive {
    /// Nothing: what the structs themselves cost.
    Nothing,
    /// `serde::Deserialize`.
    Deserialize,
    /// `emp_core::Connector`, with a submit, a poll, states, an outcome, errors, a cancel and limits.
    Connector {
        /// Whether a build script has seen it.
        registered: bool,
    },
}

/// A library of so many structs of ten fields each.
pub(crate) fn library(derive: Derive, structs: usize) -> String {
    (0..structs).fold(imports().to_owned(), |text, number| text + &structure(derive, number))
}

fn imports() -> &'static str {
    "use std::time::Duration;\nuse emp_core::Url;\n"
}

fn structure(derive: Derive, number: usize) -> String {
    let mut text = format!("\n/// Service {number} runs models over texts.\n");
    match derive {
        Derive::Nothing => {}
        Derive::Deserialize => text.push_str("#[derive(serde::Deserialize)]\n"),
        Derive::Connector { registered } => {
            let unregistered = if registered { "" } else { ", unregistered" };
            let _ = write!(
                text,
                r#"#[derive(emp_core::Connector)]
#[connector(service = "service-{number}", version = "1.0.0"{unregistered})]
#[http(base = env.base_url)]
#[auth(none)]
#[submit(
    post = "/process",
    json {{ "input": payload.input, "model": env.model, "region": env.region, "job_id": queue.job_id }},
    capture(id = "$.job_id"),
    timeout = env.timeout,
    idempotent(header("Idempotency-Key"), ttl = "24h"),
)]
#[poll(get = "/jobs/{{job.id}}", progress = "$.progress" | percent, timeout = env.timeout)]
#[states(
    at = "$.status", queued = ["queued"], running = ["processing"], succeeded = ["completed"],
    failed = ["failed", "error"], canceled = ["cancelled"], unknown = running(warn),
)]
#[outcome(json = "$.result")]
#[errors(message = ["$.error", "$.message"], 400 | 422 => invalid_input, 429 => rate_limited, 5xx => transient)]
#[cancel(post = "/jobs/{{job.id}}/cancel", gone = [404])]
#[limits(in_flight = env.in_flight, attempts = env.attempts)]
"#
            );
        }
    }
    let _ = writeln!(text, "pub struct {} {{", type_name(number));
    for (name, kind, options) in FIELDS {
        if matches!(derive, Derive::Connector { .. }) {
            let separator = if options.is_empty() { "" } else { ", " };
            let _ = writeln!(text, "    #[env({:?}{separator}{options})]", variable(number, name));
        }
        let _ = writeln!(text, "    pub {name}: {kind},");
    }
    text + "}\n"
}

fn type_name(number: usize) -> String {
    format!("Service{number}Connector")
}

fn variable(number: usize, field: &str) -> String {
    format!("SERVICE_{number}_{}", field.to_uppercase())
}

/// A tree for a build script: a connector a file, and a mapping whose workers use all of them.
pub(crate) fn tree(root: &Path, connectors: usize, workers: usize) -> Result<(), Failure> {
    let folder = root.join("connectors");
    std::fs::create_dir_all(&folder).map_err(Failure::io("cannot make a folder"))?;
    for number in 0..connectors {
        let text = format!("{}{}", imports(), structure(Derive::Connector { registered: true }, number));
        let file = folder.join(format!("service_{number}.rs"));
        std::fs::write(file, text).map_err(Failure::io("cannot write a connector"))?;
    }
    let mapping = format!("{:#}\n", mapping(connectors, workers));
    std::fs::write(root.join("service-mapping.json"), mapping)
        .map_err(Failure::io("cannot write the mapping"))
}

fn mapping(connectors: usize, workers: usize) -> serde_json::Value {
    let declared = (0..connectors).map(|number| {
        let declaration = serde_json::json!({
            "path": format!("./connectors/service_{number}.rs"),
            "description": format!("Service {number} runs models over texts."),
        });
        (type_name(number), declaration)
    });
    let worker = |worker: usize| {
        let number = worker % connectors.max(1);
        let worker = serde_json::json!({
            "service": [{
                "capability": format!("service-{number}"),
                "connector": type_name(number),
                "type": "external",
            }],
            "required_env": [variable(number, "region")],
            "description": format!("Worker {worker} asks service {number}."),
        });
        worker
    };
    serde_json::json!({
        "connectors": declared.collect::<serde_json::Map<_, _>>(),
        "workers": (0..workers).map(|n| (format!("worker-{n}"), worker(n))).collect::<serde_json::Map<_, _>>(),
    })
}
