//! `emp schema`: the JSON Schemas and the OpenAPI document, printed, written, or compared with what is committed.

use std::path::Path;

use emp_build::CheckInputs;
use emp_build::schema::Choices;
use emp_core::Registry;
use emp_core::connector::Entry;
use serde_json::{Value, json};

use crate::args::{Schema, SchemaName};
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::runtime;

/// The committed files, in `schemas/`.
const FILES: [(SchemaName, &str); 7] = [
    (SchemaName::Mapping, "service-mapping.schema.json"),
    (SchemaName::Job, "job-request.schema.json"),
    (SchemaName::Findings, "findings.schema.json"),
    (SchemaName::Api, "openapi.json"),
    (SchemaName::MachinePlan, "machine-plan.schema.json"),
    (SchemaName::Contract, "contract-report.schema.json"),
    (SchemaName::Record, "service-record.schema.json"),
];

pub(super) fn run(
    args: &Schema,
    registry: &'static Registry,
    mapping: Option<&Path>,
    out: &Output,
) -> Result<Exit, Failure> {
    let make = |which| make(which, registry, mapping);
    if args.write {
        std::fs::create_dir_all(&args.dir).map_err(|error| Failure::io("cannot make the folder", &error))?;
        for (which, file) in FILES {
            let path = args.dir.join(file);
            std::fs::write(&path, text(&make(which)?))
                .map_err(|error| Failure::io(&format!("cannot write {}", path.display()), &error))?;
            out.note(format!("wrote {}", path.display()));
        }
        return Ok(Exit::Ok);
    }
    if args.check {
        for (which, file) in FILES {
            let path = args.dir.join(file);
            if std::fs::read_to_string(&path).ok() != Some(text(&make(which)?)) {
                return Err(Failure::new(
                    Exit::Conflict,
                    "E_STALE",
                    format!("{} is not fresh", path.display()),
                )
                .help("emp schema --write"));
            }
        }
        return Ok(Exit::Ok);
    }
    out.json(&make(args.which)?);
    Ok(Exit::Ok)
}

fn make(which: SchemaName, registry: &'static Registry, mapping: Option<&Path>) -> Result<Value, Failure> {
    Ok(match which {
        SchemaName::Mapping => emp_build::schema::mapping(&choices(registry, mapping)),
        SchemaName::Findings => emp_build::schema::findings(),
        SchemaName::Api => emp_api::openapi::document(),
        SchemaName::MachinePlan => emp_testkit::contract::schema::<emp_machine::MachinePlan>(),
        SchemaName::Contract => emp_testkit::contract::schema::<emp_testkit::contract::Reports>(),
        SchemaName::Record => emp_testkit::contract::schema::<emp_testkit::contract::Record>(),
        SchemaName::Job => job(registry, mapping)?,
    })
}

/// What a mapping may say: the connectors of this binary, and what the mapping itself declares.
fn choices(registry: &Registry, mapping: Option<&Path>) -> Choices {
    let inputs = CheckInputs {
        mapping: mapping.unwrap_or(Path::new("service-mapping.json")).to_owned(),
        connectors: "connectors".into(),
        dockerfile: None,
    };
    let mut choices = Choices::of_mapping(&inputs.read(Path::new("")));
    for Entry { spec, .. } in registry.entries() {
        let services = spec.services.iter().map(|service| (*service).to_owned()).collect();
        choices.connectors.insert(spec.name.to_owned(), services);
        choices.variables.extend(spec.env.iter().map(|field| field.variable.to_owned()));
    }
    choices
}

/// The body of `POST /api/jobs`: one alternative for each service, with the payload of its connector.
fn job(registry: &'static Registry, mapping: Option<&Path>) -> Result<Value, Failure> {
    let mapping = runtime::mapping(mapping, registry)?;
    let mut alternatives: Vec<(String, Value)> = mapping
        .capabilities()
        .filter_map(|capability| {
            let spec = registry.get(capability.connector)?.spec;
            Some((
                capability.capability.to_owned(),
                json!({
                    "title": format!("a job for {}", capability.capability),
                    "description": spec.description.trim(),
                    "properties": {
                        "service": { "const": capability.capability },
                        "payload": spec.payload.to_json_schema(),
                    },
                }),
            ))
        })
        .collect();
    alternatives.sort_by(|a, b| a.0.cmp(&b.0));
    alternatives.dedup_by(|a, b| a.0 == b.0);
    let mut schema = emp_api::openapi::job_request();
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["oneOf"] = alternatives.into_iter().map(|(_, alternative)| alternative).collect();
    Ok(schema)
}

fn text(value: &Value) -> String {
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    text
}
