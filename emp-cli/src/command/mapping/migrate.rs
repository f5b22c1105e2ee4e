//! From a mapping of the system replaced to ours. Pure. Whatever is read is carried over or noted: nothing is lost without a word.
//!
//! It has two shapes. In the earlier one a worker lists its connectors under `service`, as ours does. In the later one a worker names
//! `services`, which stand in a section of their own, and `job_service_required_map` says which job goes to which of them.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::worker;

/// A mapping of ours, and what is to be looked at.
#[derive(Debug, Serialize)]
pub(super) struct Migrated {
    /// The mapping.
    pub(super) mapping: Value,
    /// What could not be carried over as it was, in the order of the old file.
    pub(super) notes: Vec<Note>,
}

/// Something that could not be carried over as it was.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Note {
    /// Where it stands in the old mapping.
    pub(super) pointer: String,
    /// What became of it.
    pub(super) message: String,
}

/// Collects notes.
#[derive(Debug, Default)]
pub(super) struct Notes(Vec<Note>);

impl Notes {
    /// Notes what became of a value; once, also when several workers share it.
    pub(super) fn say(&mut self, pointer: impl Into<String>, message: impl Into<String>) {
        let note = Note { pointer: pointer.into(), message: message.into() };
        if !self.0.contains(&note) {
            self.0.push(note);
        }
    }

    /// The members of an object. What is something else is noted; nothing at all is nothing.
    pub(super) fn members<'v>(
        &mut self,
        value: Option<&'v Value>,
        pointer: &str,
    ) -> impl Iterator<Item = (&'v String, &'v Value)> + use<'v> {
        if value.is_some_and(|value| !value.is_object() && !value.is_null()) {
            self.say(pointer, "is no object, and is left out");
        }
        value.and_then(Value::as_object).into_iter().flatten()
    }

    /// The entries of a list, as [`Notes::members`].
    pub(super) fn entries<'v>(&mut self, value: Option<&'v Value>, pointer: &str) -> &'v [Value] {
        if value.is_some_and(|value| !value.is_array() && !value.is_null()) {
            self.say(pointer, "is no list, and is left out");
        }
        value.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
    }

    /// The texts of a list, each with its number; what is something else is noted.
    pub(super) fn texts<'v>(&mut self, value: Option<&'v Value>, pointer: &str) -> Vec<(usize, &'v str)> {
        let mut texts = Vec::new();
        for (index, entry) in self.entries(value, pointer).iter().enumerate() {
            match entry.as_str() {
                Some(text) => texts.push((index, text)),
                None => self.say(format!("{pointer}/{index}"), "is no text, and is left out"),
            }
        }
        texts
    }

    /// A switch; what is neither `true` nor `false` is noted and counts as `false`.
    pub(super) fn switch(&mut self, value: Option<&Value>, pointer: &str) -> bool {
        if value.is_some_and(|value| !value.is_boolean() && !value.is_null()) {
            self.say(pointer, "is neither true nor false, and counts as false");
        }
        value.and_then(Value::as_bool).unwrap_or_default()
    }
}

/// Migrates a mapping. A key that neither shape has is left out and noted.
pub(super) fn migrate(old: &Value) -> Migrated {
    let mut notes = Notes::default();
    let mut new = Map::new();
    new.insert("$schema".to_owned(), json!("./schemas/service-mapping.schema.json"));
    let sections: Vec<_> = notes.members(Some(old), "").collect();
    new.insert("connectors".to_owned(), connectors(old.get("connectors"), &mut notes));
    new.insert("workers".to_owned(), worker::workers(old, &mut notes));
    for (key, value) in sections {
        match key.as_str() {
            "$schema" | "connectors" | "workers" | "services" => {}
            "resource_bindings" | "service_types" | "machine" | "checks" => {
                new.insert(key.clone(), value.clone());
            }
            "machine_capabilities" => notes.say(
                "/machine_capabilities",
                "was read by nobody and is left out; what a machine has is said in `machine`: gpus, cpus, memory, dockerfile",
            ),
            other => notes.say(format!("/{other}"), "is no section of a mapping, and is left out"),
        }
    }
    Migrated { mapping: Value::Object(new), notes: notes.0 }
}

/// The connectors, without the bundles that their paths name.
fn connectors(old: Option<&Value>, notes: &mut Notes) -> Value {
    let mut new = Map::new();
    let mut bundles = 0;
    for (name, entry) in notes.members(old, "/connectors") {
        let mut connector = Map::new();
        for (key, value) in notes.members(Some(entry), &format!("/connectors/{name}")) {
            match key.as_str() {
                "path" if value.as_str().is_some_and(|path| !is_rust(path)) => bundles += 1,
                "path" | "description" => drop(connector.insert(key.clone(), value.clone())),
                other => notes
                    .say(format!("/connectors/{name}/{other}"), "is no key of a connector, and is left out"),
            }
        }
        new.insert(name.clone(), Value::Object(connector));
    }
    if bundles > 0 {
        notes.say(
            "/connectors",
            format!("{bundles} of the paths name a bundle, and are left out: connectors are Rust sources in `connectors/`, found by their names"),
        );
    }
    Value::Object(new)
}

fn is_rust(path: &str) -> bool {
    std::path::Path::new(path).extension().is_some_and(|extension| extension == "rs")
}

#[cfg(test)]
mod tests;
