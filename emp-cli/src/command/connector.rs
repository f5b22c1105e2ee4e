//! `emp connector`: what this binary can talk to.

mod fake;
pub(super) mod new;
mod record;
mod test;

use std::path::Path;

use emp_core::connector::Entry;
use emp_core::spec::{ConnectorSpec, EnvField};
use emp_core::{Capabilities, Registry};
use serde::Serialize;

use crate::args::Connector;
use crate::docs;
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::runtime;

/// A connector as a list shows it.
#[derive(Serialize)]
struct Summary {
    name: &'static str,
    /// The first of its services; `services` has them all.
    service: &'static str,
    services: &'static [&'static str],
    version: &'static str,
    mode: &'static str,
    description: &'static str,
    capabilities: Capabilities,
    lines: u32,
}

/// A connector, whole.
#[derive(Serialize)]
struct Detail {
    #[serde(flatten)]
    summary: Summary,
    source: String,
    fingerprint: String,
    settle: String,
    environment: Vec<Variable>,
    payload: serde_json::Value,
    output: Option<serde_json::Value>,
}

#[derive(Serialize)]
struct Variable {
    #[serde(rename = "variable")]
    name: &'static str,
    required: bool,
    secret: bool,
    default: Option<&'static str>,
    description: &'static str,
}

pub(super) fn run(
    args: &Connector,
    registry: &'static Registry,
    mapping: Option<&Path>,
    out: &Output,
) -> Result<Exit, Failure> {
    match args {
        Connector::Fake { name, port } => return runtime::block_on(fake::run(name, *port, registry, out)),
        Connector::Test(args) => return runtime::block_on(test::run(args, registry, out)),
        Connector::Record(args) => return record::run(args, registry, out),
        Connector::New(args) => return new::run(args, mapping, out),
        Connector::List => {
            let all: Vec<Summary> = registry.entries().iter().map(|entry| summary(entry.spec)).collect();
            if out.is_json() {
                out.json(&all);
            } else {
                let rows = all.iter().map(|c| {
                    vec![
                        c.name.to_owned(),
                        c.services.join(", "),
                        c.version.to_owned(),
                        c.mode.to_owned(),
                        docs::first_line(c.description),
                    ]
                });
                out.table(&["connector", "service", "version", "mode", "description"], rows.collect());
            }
        }
        Connector::Show { name, lines: true } => {
            let shown = chosen(name.as_deref(), registry)?;
            let lines: Vec<(&str, u32)> =
                shown.iter().map(|entry| (entry.spec.name, entry.spec.source.lines)).collect();
            let median = median(lines.iter().map(|(_, lines)| *lines).collect());
            if out.is_json() {
                let lines: serde_json::Map<_, _> =
                    lines.iter().map(|(name, lines)| ((*name).to_owned(), (*lines).into())).collect();
                out.json(&serde_json::json!({ "connectors": lines, "median": median }));
            } else {
                let rows = lines.into_iter().chain([("median", median)]);
                let rows = rows.map(|(name, lines)| vec![name.to_owned(), lines.to_string()]);
                out.table(&["connector", "lines of attributes and fields"], rows.collect());
            }
        }
        Connector::Show { name, lines: false } => {
            let shown: Vec<Detail> =
                chosen(name.as_deref(), registry)?.into_iter().map(|entry| detail(entry.spec)).collect();
            match (out.is_json(), shown.as_slice()) {
                (true, [one]) if name.is_some() => out.json(one),
                (true, all) => out.json(&all),
                (false, all) => all.iter().for_each(|detail| print(detail, out)),
            }
        }
        Connector::Docs(args) => {
            return super::docs::run(args, &chosen(args.name.as_deref(), registry)?, registry.entries(), out);
        }
    }
    Ok(Exit::Ok)
}

/// The middle of some counts; of an even number of them the larger one.
fn median(mut counts: Vec<u32>) -> u32 {
    counts.sort_unstable();
    counts.get(counts.len() / 2).copied().unwrap_or_default()
}

fn chosen(name: Option<&str>, registry: &Registry) -> Result<Vec<&'static Entry>, Failure> {
    let Some(name) = name else { return Ok(registry.entries().iter().collect()) };
    if let Some(entry) = registry.get(name) {
        return Ok(vec![entry]);
    }
    let failure =
        Failure::new(Exit::NotFound, "E_NO_CONNECTOR", format!("this binary has no connector `{name}`"));
    let names = registry.entries().iter().map(|entry| entry.spec.name);
    Err(match emp_core::syntax::nearest(name, names) {
        Some(nearest) => failure.help(format!("emp connector show {nearest}")),
        None => failure.help("emp connector list"),
    })
}

fn summary(spec: &'static ConnectorSpec) -> Summary {
    Summary {
        name: spec.name,
        service: spec.services.first().copied().unwrap_or_default(),
        services: spec.services,
        version: spec.version,
        mode: docs::shape(spec),
        description: spec.description,
        capabilities: spec.capabilities(),
        lines: spec.source.lines,
    }
}

fn detail(spec: &'static ConnectorSpec) -> Detail {
    Detail {
        summary: summary(spec),
        source: format!("{}:{}", docs::straight(spec.source.file), spec.source.line),
        fingerprint: format!("{:016x}", spec.fingerprint),
        settle: docs::settle(spec),
        environment: spec.env.iter().map(variable).collect(),
        payload: spec.payload.to_json_schema(),
        output: spec.output.map(|schema| schema()),
    }
}

fn variable(field: &EnvField) -> Variable {
    Variable {
        name: field.variable,
        required: field.required,
        secret: field.secret(),
        default: field.default,
        description: field.description,
    }
}

fn print(detail: &Detail, out: &Output) {
    let summary = &detail.summary;
    out.line(format!("{} {} ({})", summary.name, summary.version, summary.mode));
    out.line(format!("  {}", summary.description.trim().replace('\n', "\n  ")));
    out.line(format!("\n  serves       {}", summary.services.join(", ")));
    out.line(format!("  declared at  {} ({} lines)", detail.source, summary.lines));
    out.line(format!("  settle       {}", detail.settle));
    out.line("\n  environment");
    for variable in &detail.environment {
        let state = match (variable.required, variable.default) {
            (true, _) => "required".to_owned(),
            (false, Some(default)) => format!("default {default}"),
            (false, None) => "optional".to_owned(),
        };
        let secret = if variable.secret { ", secret" } else { "" };
        out.line(format!("    {:<32} {state}{secret}", variable.name));
    }
    out.line("\n  payload");
    let schema = serde_json::to_string_pretty(&detail.payload).unwrap_or_default();
    out.line(format!("    {}", schema.replace('\n', "\n    ")));
}

#[cfg(test)]
mod tests {
    use super::median;

    #[test]
    fn the_median_is_the_middle_one() {
        assert_eq!([vec![9, 1, 5], vec![1, 9], vec![]].map(median), [5, 9, 0]);
    }
}
