//! What can be asked for: the services of the mapping, each with the payloads that its connectors accept.

use std::collections::{BTreeMap, BTreeSet};

use emp_core::mapping::Mapping;
use emp_core::{ConnectorSpec, Registry};
use jsonschema::Validator;
use serde_json::Value;

use crate::problem::Violation;
use crate::violations::{compile, violations};

/// The services that jobs may ask for, and the connectors of this binary.
#[derive(Debug)]
pub struct Catalog {
    services: BTreeMap<String, Service>,
    connectors: Vec<&'static ConnectorSpec>,
}

/// A service: who serves it, and with what.
#[derive(Debug)]
pub struct Service {
    /// The workers of the mapping that serve it.
    pub workers: BTreeSet<String>,
    /// The connectors that do it; one, unless the mapping says otherwise in so many words.
    pub connectors: Vec<Served>,
}

/// A connector that does a service.
#[derive(Debug)]
pub struct Served {
    /// Its declaration.
    pub spec: &'static ConnectorSpec,
    /// The JSON Schema of its payload.
    pub payload: Value,
    validator: Validator,
}

impl Catalog {
    /// What a mapping offers with the connectors of a registry. The build has checked one against the other; an offer that it
    /// could not have let through is left out and logged.
    pub fn new(mapping: &Mapping, registry: &Registry) -> Self {
        let offers = mapping.capabilities().filter_map(|offer| {
            let entry = registry.get(offer.connector);
            if entry.is_none() {
                tracing::error!(
                    worker = offer.worker,
                    connector = offer.connector,
                    "no such connector in this binary"
                );
            }
            entry.map(|entry| (offer.worker.to_owned(), offer.capability.to_owned(), entry.spec))
        });
        Self::of(offers, registry.entries().iter().map(|entry| entry.spec).collect())
    }

    /// A catalog of offers (worker, capability, connector) and of all connectors.
    pub fn of(
        offers: impl IntoIterator<Item = (String, String, &'static ConnectorSpec)>,
        connectors: Vec<&'static ConnectorSpec>,
    ) -> Self {
        let mut services: BTreeMap<String, Service> = BTreeMap::new();
        for (worker, capability, spec) in offers {
            let Some(served) = Served::new(spec) else { continue };
            let service = services
                .entry(capability)
                .or_insert_with(|| Service { workers: BTreeSet::new(), connectors: Vec::new() });
            service.workers.insert(worker);
            if service.connectors.iter().all(|known| known.spec.name != spec.name) {
                service.connectors.push(served);
            }
        }
        Self { services, connectors }
    }

    /// The service with a name.
    pub fn service(&self, name: &str) -> Option<&Service> {
        self.services.get(name)
    }

    /// Every service, by name.
    pub fn services(&self) -> impl Iterator<Item = (&str, &Service)> {
        self.services.iter().map(|(name, service)| (name.as_str(), service))
    }

    /// Every connector of the binary.
    pub fn connectors(&self) -> &[&'static ConnectorSpec] {
        &self.connectors
    }

    /// The service that a misspelt name was most likely meant to be.
    pub fn nearest(&self, name: &str) -> Option<&str> {
        // A likeness costs the product of both lengths.
        let start: String = name.chars().take(64).collect();
        emp_core::syntax::nearest(&start, self.services.keys().map(String::as_str))
    }
}

impl Service {
    /// What a payload has wrong; nothing when one of the connectors accepts it.
    pub fn violations(&self, payload: &Value) -> Vec<Violation> {
        let mut refused =
            self.connectors.iter().map(|served| violations(&served.validator, payload, "/payload"));
        let first = refused.next().unwrap_or_default();
        if first.is_empty() || refused.any(|others| others.is_empty()) { Vec::new() } else { first }
    }
}

impl Served {
    fn new(spec: &'static ConnectorSpec) -> Option<Self> {
        let payload = spec.payload.to_json_schema();
        match compile(&payload) {
            Ok(validator) => Some(Self { spec, payload, validator }),
            Err(error) => {
                tracing::error!(connector = spec.name, %error, "the payload schema cannot be used, so its services are not offered");
                None
            }
        }
    }
}
