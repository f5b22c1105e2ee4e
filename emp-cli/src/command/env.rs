//! `emp env`: the environment that the connectors need, from their own declarations.

use std::path::Path;

use emp_core::Registry;
use emp_core::env::{EnvSource, ProcessEnv};
use emp_core::spec::EnvField;
use emp_worker::plan;
use serde::Serialize;

use crate::args::Env;
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::runtime;

const EXAMPLE: &str = ".env.example";

/// A variable of a connector, and how it is here. Its value is never shown.
#[derive(Serialize)]
struct Row {
    variable: &'static str,
    connector: &'static str,
    required: bool,
    secret: bool,
    /// `set`, `default`, `unset`
    source: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
}

pub(super) fn run(
    args: &Env,
    registry: &Registry,
    mapping: Option<&Path>,
    out: &Output,
) -> Result<Exit, Failure> {
    match args {
        Env::Check { workers } => check(workers.as_deref(), registry, mapping, out),
        Env::Example { write: true, .. } => {
            std::fs::write(EXAMPLE, example(registry))
                .map_err(|error| Failure::io("cannot write .env.example", &error))?;
            out.note(format!("wrote {EXAMPLE}"));
            Ok(Exit::Ok)
        }
        Env::Example { check: true, .. } => {
            if std::fs::read_to_string(EXAMPLE).is_ok_and(|text| text == example(registry)) {
                return Ok(Exit::Ok);
            }
            Err(Failure::new(
                Exit::Conflict,
                "E_STALE",
                format!("{EXAMPLE} is not what the connectors declare"),
            )
            .help("emp env example --write"))
        }
        Env::Example { .. } => {
            out.line(example(registry).trim_end());
            Ok(Exit::Ok)
        }
    }
}

fn check(
    workers: Option<&str>,
    registry: &Registry,
    mapping: Option<&Path>,
    out: &Output,
) -> Result<Exit, Failure> {
    let mapping = runtime::mapping(mapping, registry)?;
    let wanted = workers.map(plan::parse).transpose().map_err(|error| {
        Failure::new(Exit::Config, plan::WORKERS, plan::PlanError(error).to_string())
            .help("WORKERS=\"my-service-api:2,openai:4\"")
    })?;
    let used = |connector: &str| {
        mapping.capabilities().any(|capability| {
            let asked =
                wanted.as_ref().is_none_or(|wanted| wanted.iter().any(|w| w.name == capability.worker));
            asked && capability.connector == connector
        })
    };
    let rows: Vec<Row> = registry
        .entries()
        .iter()
        .filter(|entry| used(entry.spec.name))
        .flat_map(|entry| {
            let faults = entry.load(&ProcessEnv).err().unwrap_or_default();
            entry.spec.env.iter().map(move |field| Row {
                variable: field.variable,
                connector: entry.spec.name,
                required: field.required,
                secret: field.secret(),
                source: source(field),
                problem: faults
                    .iter()
                    .find(|fault| fault.variable == field.variable)
                    .map(|fault| format!("{}; expected {}", fault.problem, fault.expected)),
            })
        })
        .collect();
    let broken = rows.iter().any(|row| row.problem.is_some());
    if out.is_json() {
        out.json(&rows);
    } else {
        let table = rows.iter().map(|row| {
            let kind = if row.secret {
                "secret"
            } else if row.required {
                "required"
            } else {
                ""
            };
            vec![
                row.variable.to_owned(),
                row.connector.to_owned(),
                kind.to_owned(),
                row.source.to_owned(),
                row.problem.clone().unwrap_or_else(|| "ok".to_owned()),
            ]
        });
        out.table(&["variable", "read by", "", "from", "is it right?"], table.collect());
    }
    Ok(if broken { Exit::Config } else { Exit::Ok })
}

fn source(field: &EnvField) -> &'static str {
    match ProcessEnv.get(field.variable).filter(|text| !text.trim().is_empty()) {
        Some(_) => "set",
        None if field.default.is_some() => "default",
        None => "unset",
    }
}

/// The example: every connector's variables, what they are, and how they are spelled.
fn example(registry: &Registry) -> String {
    let head = "# The environment of every connector, written by `emp env example --write`. Do not edit.\n"
        .to_owned();
    registry.entries().iter().fold(head, |text, entry| {
        let fields: String = entry.spec.env.iter().map(example_line).collect();
        text + "\n# " + entry.spec.name + "\n" + &fields
    })
}

fn example_line(field: &EnvField) -> String {
    let about = match field.description.trim() {
        "" => String::new(),
        about => format!("# {}\n", about.replace('\n', "\n# ")),
    };
    let line = match (field.required, field.default) {
        (true, _) => format!("{}=\n", field.variable),
        (false, Some(default)) => format!("# {}={default}\n", field.variable),
        (false, None) => format!("# {}=\n", field.variable),
    };
    about + &line
}
