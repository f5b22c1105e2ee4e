//! An environment in which connectors can start against fake services.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use emp_core::Registry;
use emp_core::env::EnvSource;
use emp_core::spec::{ConnectorSpec, EnvField, Verify};

use crate::sample;

/// Valid values for what connectors need, and another source for the rest.
///
/// It has a value for every required variable and for every secret: a real credential of the machine never goes to a fake. The value
/// for a field of the author's own type (`FromStr`) is `fake`, which that type may refuse: [`set`](Self::set) it.
pub struct FakeEnv {
    values: BTreeMap<String, String>,
    rest: Option<Box<dyn EnvSource>>,
}

/// An environment for one connector, with nothing beside what it needs.
pub fn fake_env(spec: &ConnectorSpec) -> FakeEnv {
    FakeEnv { values: values(spec).collect(), rest: None }
}

fn values(spec: &ConnectorSpec) -> impl Iterator<Item = (String, String)> {
    let needed = spec.env.iter().filter(|field| field.required || field.secret());
    needed.map(|field| (field.variable.to_owned(), value(spec, field)))
}

/// What a field holds in the environment of fakes.
pub(crate) fn value(spec: &ConnectorSpec, field: &EnvField) -> String {
    let webhook = spec.http().and_then(|http| http.webhook.as_ref());
    let standard = webhook.and_then(|webhook| webhook.verify.as_ref()).is_some_and(
        |verify| matches!(verify, Verify::StandardWebhooks { secret } if *secret == field.field),
    );
    let text = sample::of_env(field);
    if standard { format!("whsec_{}", BASE64_STANDARD.encode(text)) } else { text }
}

impl FakeEnv {
    /// An environment for all connectors of a registry; every other variable is looked up in `rest`.
    pub fn new(registry: &Registry, rest: impl EnvSource + 'static) -> Self {
        let values = registry.entries().iter().flat_map(|entry| values(entry.spec)).collect();
        Self { values, rest: Some(Box::new(rest)) }
    }

    /// Sets a variable.
    #[must_use]
    pub fn set(mut self, variable: impl Into<String>, value: impl Into<String>) -> Self {
        self.values.insert(variable.into(), value.into());
        self
    }
}

impl EnvSource for FakeEnv {
    fn get(&self, name: &str) -> Option<String> {
        self.values.get(name).cloned().or_else(|| self.rest.as_ref()?.get(name))
    }
}

impl std::fmt::Debug for FakeEnv {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FakeEnv").field("variables", &self.values.keys()).finish_non_exhaustive()
    }
}
