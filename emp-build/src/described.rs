//! Connectors beside a newer description of their service.

use emp_openapi::Change;

use crate::check::openapi::{self, Used};
use crate::connector::Sources;
use crate::inputs::Inputs;

/// A connector that is checked against a slice.
#[derive(Clone, Debug)]
pub struct Described {
    /// Its type's name.
    pub connector: String,
    /// The file that has it.
    pub source: String,
    /// The slice's file name.
    pub slice: String,
    used: Vec<Used>,
}

impl Described {
    /// Whether it relies on what a change of its slice is about.
    pub fn is_touched_by(&self, change: &Change) -> bool {
        self.used.iter().any(|used| used.is_touched_by(change))
    }
}

/// The connectors of a tree that are checked against a slice, sorted by name.
pub fn described(inputs: &Inputs) -> Vec<Described> {
    let sources = Sources::read(&inputs.connectors, &inputs.target);
    openapi::uses(&sources, &inputs.openapi)
        .into_iter()
        .map(|(connector, slice, used)| Described {
            connector: connector.name.clone(),
            source: connector.source.name().to_owned(),
            slice: slice.to_owned(),
            used,
        })
        .collect()
}
