//! `emp env`: the environment that the workers need, from the connectors' declarations and the mapping.

mod example;
mod explain;
mod reader;

use std::path::Path;

use emp_core::Registry;
use emp_core::env::EnvSource;
use emp_core::mapping::{Mapping, TemplateError};
use emp_worker::plan;
use serde::Serialize;

use self::reader::{Reader, readers};
use crate::args::Env;
use crate::environment::Environment;
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::runtime;

/// How a variable is here. Its value is never shown.
#[derive(Serialize)]
struct Row {
    #[serde(flatten)]
    reader: Reader,
    /// `set`, `file`, `default`, `unset`
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
        Env::Explain { variable, workers } => {
            let mapping = runtime::mapping(mapping, registry)?;
            let workers = wanted(workers.as_deref(), &mapping)?;
            explain::run(variable.as_deref(), &mapping, &workers, readers(&mapping, registry, &workers), out)
        }
        Env::Example { workers, write, check } => {
            let readers = match workers {
                Some(workers) => {
                    let mapping = runtime::mapping(mapping, registry)?;
                    Some(readers(&mapping, registry, &wanted(Some(workers), &mapping)?))
                }
                None => None,
            };
            example::run(registry, readers, *write, *check, out)
        }
    }
}

/// The workers that are asked for; all of the mapping when none is named.
fn wanted(workers: Option<&str>, mapping: &Mapping) -> Result<Vec<String>, Failure> {
    let Some(text) = workers else { return Ok(mapping.workers.keys().cloned().collect()) };
    let help = "WORKERS=\"my-service-api:2,openai:4\"";
    let entries = plan::parse(text).map_err(|error| {
        Failure::new(Exit::Config, plan::WORKERS, plan::PlanError(error).to_string()).help(help)
    })?;
    let unknown: Vec<_> = entries.iter().filter(|entry| mapping.worker(&entry.name).is_none()).collect();
    if let Some(first) = unknown.first() {
        let names = mapping.workers.keys().map(String::as_str);
        let near = emp_core::syntax::nearest(&first.name, names);
        let list: Vec<_> = unknown.iter().map(|entry| format!("`{}`", entry.name)).collect();
        let failure = Failure::new(
            Exit::Config,
            plan::WORKERS,
            format!("the mapping has no worker {}", list.join(", ")),
        );
        return Err(
            failure.help(near.map_or_else(|| help.to_owned(), |near| format!("did you mean `{near}`?")))
        );
    }
    Ok(entries.into_iter().map(|entry| entry.name).collect())
}

fn check(
    workers: Option<&str>,
    registry: &Registry,
    mapping: Option<&Path>,
    out: &Output,
) -> Result<Exit, Failure> {
    let mapping = runtime::mapping(mapping, registry)?;
    let workers = wanted(workers, &mapping)?;
    let env = Environment::read(registry)?;
    let row = |reader: Reader| Row {
        source: source(&reader, &env),
        problem: problem(&reader, &mapping, registry, &env),
        reader,
    };
    let rows: Vec<Row> = readers(&mapping, registry, &workers).into_iter().map(row).collect();
    let broken = rows.iter().any(|row| row.problem.is_some());
    if out.is_json() {
        out.json(&rows);
    } else {
        let table = rows.iter().map(|row| {
            vec![
                row.reader.variable.clone(),
                row.reader.who(),
                row.reader.need().to_owned(),
                row.source.to_owned(),
                row.problem.clone().unwrap_or_else(|| "ok".to_owned()),
            ]
        });
        out.table(&["variable", "read by", "", "from", "is it right?"], table.collect());
    }
    Ok(if broken { Exit::Config } else { Exit::Ok })
}

/// What is wrong with a variable here, where it is read.
fn problem(reader: &Reader, mapping: &Mapping, registry: &Registry, env: &Environment) -> Option<String> {
    if let Some(connector) = &reader.connector {
        let faults = registry.get(connector)?.load(env).err()?;
        let fault = faults.into_iter().find(|fault| fault.variable == reader.variable)?;
        return Some(format!("{}; expected {}", fault.problem, fault.expected));
    }
    let settings = mapping.worker(reader.worker.as_deref()?)?.settings();
    let own = settings.iter().filter(|setting| Some(&setting.field) == reader.field.as_ref());
    let mut own = own.filter(|setting| setting.variables().iter().any(|one| one.name == reader.variable));
    own.find_map(|setting| match setting.check(&|name| env.get(name)).err()? {
        // The value itself is not shown.
        TemplateError::Value { expected, .. } => Some(format!("is not {expected}")),
        other => Some(other.to_string()),
    })
}

fn source(reader: &Reader, env: &Environment) -> &'static str {
    match env.get(&reader.variable).filter(|text| !text.trim().is_empty()) {
        Some(_) if env.file(&reader.variable).is_some() => "file",
        Some(_) => "set",
        None if reader.default.is_some() => "default",
        None => "unset",
    }
}
