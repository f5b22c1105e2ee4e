//! `service-mapping.json`: the types that read it and describe it.
//!
//! The mapping says which worker serves which capability with which connector. These types are the one truth of its
//! shape: serde reads it through them, and `schemars` makes `schemas/service-mapping.schema.json` out of them. They
//! check shape only; what needs the connectors' source is checked by `emp-build`.

mod binding;
mod checks;
mod machine;
mod setting;
mod template;
mod worker;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use binding::{BUILT_IN_BINDINGS, ResourceBinding, Scaling, ServiceTypeInfo};
pub use checks::Checks;
pub use machine::{API_PORT, MachineEntry};
pub use setting::{Setting, SettingVariable};
pub use template::{Bytes, Count, Kind, Port, Seconds, Template, TemplateError, Words};
pub use worker::{ApiConfig, InstallerConfig, OneOrMany, ServiceEntry, ServiceType, Worker};

/// The whole of `service-mapping.json`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "EMP service mapping", example = example())]
pub struct Mapping {
    /// The JSON Schema of this file, so that an editor can complete and check it.
    #[serde(rename = "$schema", default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"./schemas/service-mapping.schema.json")]
    pub schema: Option<String>,
    /// The connectors that the workers use, by the name of their type.
    #[serde(default)]
    #[schemars(example = serde_json::json!({ "MyServiceConnector": { "description": "MyService API" } }))]
    pub connectors: BTreeMap<String, ConnectorEntry>,
    /// The workers, by the name that `WORKERS="name:2"` runs them under.
    #[serde(default)]
    #[schemars(example = serde_json::json!({ "my-service-api": example_worker() }))]
    pub workers: BTreeMap<String, Worker>,
    /// What a worker's instances are bound to; `shared`, `gpu`, `cpu` and `mock_gpu` exist without being declared.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(example = serde_json::json!({ "big_gpu": { "scaling": "per_gpu", "exclusive": true } }))]
    pub resource_bindings: BTreeMap<String, ResourceBinding>,
    /// The machine that the workers run on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = serde_json::json!({ "dockerfile": "./Dockerfile", "gpus": 2 }))]
    pub machine: Option<MachineEntry>,
    /// What the check of this file is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = serde_json::json!({ "allow": { "EMP0213": "the spare connectors are for the next release" } }))]
    pub checks: Option<Checks>,
    /// What `internal` and `external` services have; documentation for readers of the file.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(example = serde_json::json!({ "external": { "requires_installer": false } }))]
    pub service_types: BTreeMap<String, ServiceTypeInfo>,
}

/// A connector that the workers may use.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(example = serde_json::json!({ "path": "./connectors/my_service.rs", "description": "MyService API" }))]
pub struct ConnectorEntry {
    /// The connector's source file, relative to the mapping. May be left out: the connector is found by its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"./connectors/my_service.rs")]
    pub path: Option<String>,
    /// What the connector does, for readers of the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"MyService API connector for custom processing")]
    pub description: Option<String>,
}

/// What one worker offers: this capability, done by this connector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capability<'a> {
    /// The worker's name.
    pub worker: &'a str,
    /// The service that a job asks for.
    pub capability: &'a str,
    /// The type name of the connector that does it.
    pub connector: &'a str,
    /// Of several connectors for the capability, this one does a job where it can be chosen.
    pub preferred: bool,
}

/// A text that is not a mapping.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} at line {line} column {column}")]
pub struct MappingError {
    /// What is wrong, as a phrase.
    pub message: String,
    /// The line, from 1.
    pub line: usize,
    /// The column, in bytes from 1.
    pub column: usize,
}

impl Mapping {
    /// Reads a mapping.
    ///
    /// # Errors
    /// The first thing that is not JSON or not of a mapping's shape, with its line and column.
    pub fn parse(text: &str) -> Result<Self, MappingError> {
        serde_json::from_str(text).map_err(|error| {
            let full = error.to_string();
            let message = full.rsplit_once(" at line ").map_or(full.as_str(), |(message, _)| message);
            MappingError { message: message.to_owned(), line: error.line(), column: error.column() }
        })
    }

    /// Everything that the workers offer: first what is preferred, then sorted by worker and in the order of each worker's
    /// `service` list. So the first offer of a capability, here or of one worker, is the one to choose.
    pub fn capabilities(&self) -> impl Iterator<Item = Capability<'_>> {
        [true, false].into_iter().flat_map(|preferred| {
            self.workers.iter().flat_map(move |(worker, entry)| {
                entry.service.iter().filter(move |service| service.preferred == preferred).flat_map(
                    move |service| {
                        service.capability.iter().map(move |capability| Capability {
                            worker,
                            capability,
                            connector: &service.connector,
                            preferred,
                        })
                    },
                )
            })
        })
    }

    /// The worker with a name.
    pub fn worker(&self, name: &str) -> Option<&Worker> {
        self.workers.get(name)
    }

    /// What the workers offer for one service, in the order of [`Mapping::capabilities`].
    pub fn serving<'a>(&'a self, service: &'a str) -> impl Iterator<Item = Capability<'a>> {
        self.capabilities().filter(move |offer| offer.capability == service)
    }
}

fn example() -> serde_json::Value {
    serde_json::json!({
        "connectors": { "MyServiceConnector": { "description": "MyService API connector for custom processing" } },
        "workers": { "my-service-api": example_worker() },
    })
}

fn example_worker() -> serde_json::Value {
    serde_json::json!({
        "service": [{ "capability": "my-service", "connector": "MyServiceConnector", "type": "external" }],
        "required_env": ["MY_SERVICE_API_KEY"],
    })
}

#[cfg(test)]
mod tests;
