//! `emp schema`: the JSON Schemas and the OpenAPI document, printed, written, or compared with what is committed.

use std::collections::BTreeMap;
use std::path::Path;

use emp_build::CheckInputs;
use emp_build::schema::Choices;
use emp_core::Registry;
use emp_core::connector::Entry;
use serde_json::{Map, Value, json};

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
    let mut specs = BTreeMap::new();
    for capability in mapping.capabilities() {
        if let Some(entry) = registry.get(capability.connector) {
            specs.entry(capability.capability).or_insert(entry.spec);
        }
    }
    let mut alternatives = Vec::new();
    let mut definitions = Map::new();
    for (service, spec) in specs {
        let mut payload = spec.payload.to_json_schema();
        definitions.append(&mut embed(&mut payload, service));
        alternatives.push(json!({
            "title": format!("a job for {service}"),
            "description": spec.description.trim(),
            "properties": { "service": { "const": service }, "payload": payload },
        }));
    }
    let mut schema = emp_api::openapi::job_request();
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["oneOf"] = alternatives.into();
    schema["$defs"] = definitions.into();
    Ok(schema)
}

/// Makes a document's schema a part of another document, whose definitions it shares: takes its own out, under names that bear the
/// owner's, and points its references there.
fn embed(schema: &mut Value, owner: &str) -> Map<String, Value> {
    refer(schema, owner);
    let Value::Object(members) = schema else { return Map::new() };
    members.remove("$schema");
    match members.remove("$defs") {
        Some(Value::Object(own)) => {
            own.into_iter().map(|(name, schema)| (format!("{owner}.{name}"), schema)).collect()
        }
        _ => Map::new(),
    }
}

fn refer(schema: &mut Value, owner: &str) {
    const DEFINITIONS: &str = "#/$defs/";
    match schema {
        Value::Object(members) => {
            if let Some(Value::String(target)) = members.get_mut("$ref")
                && let Some(name) = target.strip_prefix(DEFINITIONS)
            {
                *target = format!("{DEFINITIONS}{owner}.{name}");
            }
            members.values_mut().for_each(|member| refer(member, owner));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| refer(item, owner)),
        _ => {}
    }
}

fn text(value: &Value) -> String {
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    text
}
