//! What the values of a mapping may be, as far as the sources and the mapping itself say: an editor completes and checks
//! them.

use std::collections::{BTreeMap, BTreeSet};

use emp_core::mapping::BUILT_IN_BINDINGS;
use serde_json::{Value, json};

use crate::connector::Sources;
use crate::dockerfile::Dockerfile;
use crate::inputs::Inputs;

/// The words that a schema of mappings offers. Where a set is empty, any text is allowed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choices {
    /// The connectors by the names of their types, each with the services that it does.
    pub connectors: BTreeMap<String, BTreeSet<String>>,
    /// The variables that connectors read.
    pub variables: BTreeSet<String>,
    /// What a worker's instances can be bound to.
    pub bindings: BTreeSet<String>,
    /// The stages of the Dockerfiles that the mapping names.
    pub stages: BTreeSet<String>,
}

impl Choices {
    /// What a tree offers.
    pub fn of(inputs: &Inputs) -> Self {
        let mut choices = Self::of_mapping(inputs);
        for connector in Sources::read(&inputs.connectors, &inputs.target).connectors {
            let declared = connector.declaration.as_ref();
            let services = declared.into_iter().flat_map(|declared| declared.spec.services.iter().cloned());
            choices.connectors.insert(connector.name, services.collect());
            let variables = declared.into_iter().flat_map(|declared| &declared.env);
            choices.variables.extend(variables.map(|variable| variable.name.clone()));
        }
        choices
    }

    /// What a mapping offers by itself.
    pub fn of_mapping(inputs: &Inputs) -> Self {
        let text = inputs.mapping.text.as_ref().map_or("", |text| text.text());
        // A mapping that cannot be read declares nothing; the check says what is wrong with it.
        let mapping: Value = serde_json::from_str(text).unwrap_or_default();
        let declared = mapping["resource_bindings"].as_object().into_iter().flatten();
        let bindings = declared.map(|(name, _)| name.as_str()).chain(BUILT_IN_BINDINGS);
        let dockerfiles = inputs.dockerfiles.iter().filter_map(|file| file.text.as_ref().ok());
        let stages = dockerfiles.flat_map(|file| {
            let file = Dockerfile::read(file.text());
            file.names().map(str::to_owned).collect::<Vec<_>>()
        });
        let stages = stages.collect();
        Self { bindings: bindings.map(str::to_owned).collect(), stages, ..Self::default() }
    }

    /// Writes the choices into the schema.
    pub(super) fn write(&self, schema: &mut Value) {
        if !self.connectors.is_empty() {
            let names: Vec<&String> = self.connectors.keys().collect();
            add(schema, "/properties/connectors", "propertyNames", json!({ "enum": names }));
            add(schema, "/$defs/ServiceEntry/properties/connector", "enum", json!(names));
            add(schema, "/$defs/ServiceEntry", "allOf", self.capabilities());
        }
        if !self.variables.is_empty() {
            add(schema, "/$defs/Worker/properties/required_env/items", "enum", json!(self.variables));
        }
        if !self.bindings.is_empty() {
            // A template says when the worker starts what it is bound to.
            let words = json!([{ "enum": self.bindings }, { "pattern": "\\$\\{" }, { "type": "null" }]);
            let bound = json!([{ "anyOf": words }]);
            add(schema, "/$defs/Worker/properties/resource_binding", "allOf", bound);
        }
        if !self.stages.is_empty() {
            let stages = self.stages.iter().map(|stage| json!(stage)).chain([Value::Null]);
            add(schema, "/$defs/Worker/properties/build_stage", "enum", stages.collect());
        }
    }

    /// For each connector: it does its own services and no others.
    fn capabilities(&self) -> Value {
        let with_services = self.connectors.iter().filter(|(_, services)| !services.is_empty());
        with_services
            .map(|(name, services)| {
                let one = json!({ "enum": services });
                json!({
                    "if": { "properties": { "connector": { "const": name } }, "required": ["connector"] },
                    "then": { "properties": { "capability": {
                        "anyOf": [one, { "type": "array", "items": one }]
                    } } },
                })
            })
            .collect()
    }
}

/// Adds a keyword to a part of the schema. The tests of the schema see to it that the part is there.
fn add(schema: &mut Value, pointer: &str, keyword: &str, value: Value) {
    if let Some(part) = schema.pointer_mut(pointer).and_then(Value::as_object_mut) {
        part.insert(keyword.to_owned(), value);
    }
}
