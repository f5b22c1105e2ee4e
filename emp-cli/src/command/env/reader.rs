//! Everybody who reads a variable for some workers.

use emp_core::Registry;
use emp_core::mapping::Mapping;
use serde::Serialize;

/// One place that reads a variable: a field of a connector, or a setting of a worker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Reader {
    pub(super) variable: String,
    /// The connector that reads it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) connector: Option<String>,
    /// The worker in whose settings it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) worker: Option<String>,
    /// The connector's field, or the setting's key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) field: Option<String>,
    pub(super) required: bool,
    pub(super) secret: bool,
    /// What it must be.
    pub(super) expected: String,
    /// What stands in for it. Never of a secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) default: Option<String>,
    /// What it is for, in the words of the declaration.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) description: String,
}

impl Reader {
    /// Who reads it, for a table.
    pub(super) fn who(&self) -> String {
        match (&self.connector, &self.worker, &self.field) {
            (Some(connector), ..) => connector.clone(),
            (None, Some(worker), Some(field)) => format!("{worker}: {field}"),
            _ => String::new(),
        }
    }

    /// `secret`, `required` or nothing.
    pub(super) fn need(&self) -> &'static str {
        match (self.secret, self.required) {
            (true, _) => "secret",
            (false, true) => "required",
            (false, false) => "",
        }
    }
}

/// The readers of some workers' variables: first their connectors, each once and sorted by name, then the settings of the workers.
pub(super) fn readers(mapping: &Mapping, registry: &Registry, workers: &[String]) -> Vec<Reader> {
    let asked = |name: &str| workers.iter().any(|worker| worker == name);
    let used = |connector: &str| {
        mapping.capabilities().any(|offer| asked(offer.worker) && offer.connector == connector)
    };
    let entries = registry.entries().iter().filter(|entry| used(entry.spec.name));
    let of_connectors = entries.flat_map(|entry| {
        entry.spec.env.iter().map(|field| Reader {
            variable: field.variable.to_owned(),
            connector: Some(entry.spec.name.to_owned()),
            worker: None,
            field: Some(field.field.to_owned()),
            required: field.required,
            secret: field.secret(),
            expected: field.expected(),
            default: field.default.filter(|_| !field.secret()).map(str::to_owned),
            description: field.description.trim().to_owned(),
        })
    });
    let asked_workers = mapping.workers.iter().filter(|(name, _)| asked(name));
    let of_workers = asked_workers.flat_map(|(name, worker)| {
        worker.settings().into_iter().flat_map(move |setting| {
            setting.variables().into_iter().map(move |variable| Reader {
                variable: variable.name,
                connector: None,
                worker: Some(name.clone()),
                field: Some(setting.field.clone()),
                required: variable.required,
                secret: false,
                expected: setting.expected.to_owned(),
                default: variable.default,
                description: String::new(),
            })
        })
    });
    let mut readers: Vec<_> = of_connectors.chain(of_workers).collect();
    readers.dedup();
    readers
}
