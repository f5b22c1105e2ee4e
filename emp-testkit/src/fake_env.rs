//! An environment in which a connector can start against a fake service.

use std::collections::BTreeMap;

use emp_core::env::EnvSource;
use emp_core::spec::ConnectorSpec;

use crate::sample;

/// Valid values for what a connector needs, and another source for the rest. Made by [`fake_env`].
pub struct FakeEnv {
    values: BTreeMap<String, String>,
    rest: Option<Box<dyn EnvSource>>,
}

/// An environment that has a valid value for every required variable of a connector, and for every secret: a real credential of
/// the machine is never sent to a fake.
///
/// The value for a field of the author's own type (`FromStr`) is `fake`, which that type may refuse: [`FakeEnv::set`] it.
pub fn fake_env(spec: &ConnectorSpec) -> FakeEnv {
    let values = spec
        .env
        .iter()
        .filter(|field| field.required || field.secret())
        .map(|field| (field.variable.to_owned(), sample::of_env(field)))
        .collect();
    FakeEnv { values, rest: None }
}

impl FakeEnv {
    /// Where every other variable is looked up; without it they are not set, so that defaults apply.
    #[must_use]
    pub fn or(mut self, rest: impl EnvSource + 'static) -> Self {
        self.rest = Some(Box::new(rest));
        self
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
