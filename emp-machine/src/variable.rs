//! The variables of a worker's process: what they are, and where they come from. Never the value of a secret.

use std::collections::BTreeMap;

use emp_core::connector::Entry;
use emp_core::env::EnvSource;
use schemars::JsonSchema;
use serde::Serialize;

/// What is added to a secret's name for the variable that names a file with it: `MY_SERVICE_API_KEY_FILE`.
pub(crate) const FILE: &str = "_FILE";

/// A variable that a process reads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// What it is, in a line.
    pub description: String,
    /// The connectors that read it; empty for one of our own.
    pub read_by: Vec<String>,
    /// Whether the process cannot start without it.
    pub required: bool,
    /// Whether its value is never shown or written.
    pub secret: bool,
    /// Where its value comes from.
    pub source: Source,
    /// Its value, or for a secret the file that holds it. Never a secret itself.
    pub value: Option<String>,
    /// What it is when nobody sets it.
    pub default: Option<String>,
}

/// Where a variable's value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The plan itself: where an instance listens, say.
    Plan,
    /// The environment.
    Environment,
    /// A file that the environment names.
    File,
    /// The declaration's default.
    Default,
    /// Nowhere.
    Unset,
}

impl Variable {
    /// A variable of the plan.
    pub fn fixed(name: &str, value: impl Into<String>, description: &str) -> Self {
        Self {
            name: name.to_owned(),
            description: description.to_owned(),
            read_by: Vec::new(),
            required: false,
            secret: false,
            source: Source::Plan,
            value: Some(value.into()),
            default: None,
        }
    }

    /// A variable that may or may not be set; `default` is what it is then.
    pub fn read(
        name: &str,
        description: &str,
        secret: bool,
        default: Option<&str>,
        env: &dyn EnvSource,
    ) -> Self {
        let mut variable = Self {
            name: name.to_owned(),
            description: description.to_owned(),
            read_by: Vec::new(),
            required: false,
            secret,
            source: Source::Unset,
            value: None,
            default: default.map(str::to_owned),
        };
        variable.look(env);
        variable
    }

    /// Unset and empty are the same, as for a connector. The file comes first: whoever has read the files has the secret under its own
    /// name as well, and a process that is given both does not start.
    fn look(&mut self, env: &dyn EnvSource) {
        let given = |name: &str| env.get(name).filter(|text| !text.trim().is_empty());
        let file = given(&format!("{}{FILE}", self.name)).filter(|_| self.secret);
        (self.source, self.value) = match given(&self.name) {
            _ if file.is_some() => (Source::File, file),
            Some(_) if self.secret => (Source::Environment, None),
            Some(value) => (Source::Environment, Some(value)),
            None if self.default.is_some() => (Source::Default, self.default.clone()),
            None => (Source::Unset, None),
        };
    }

    /// Required, and nothing sets it.
    pub fn is_missing(&self) -> bool {
        self.required && self.source == Source::Unset
    }

    /// What to do about a missing one: `set X: A key from the console (MyServiceConnector)`.
    pub fn sentence(&self) -> String {
        let about = self.description.lines().next().unwrap_or_default().trim().trim_end_matches('.');
        let readers = self.read_by.join(", ");
        match (about.is_empty(), readers.is_empty()) {
            (true, true) => format!("set {}", self.name),
            (true, false) => format!("set {}: {readers} needs it", self.name),
            (false, true) => format!("set {}: {about}", self.name),
            (false, false) => format!("set {}: {about} ({readers})", self.name),
        }
    }
}

/// Every variable of these connectors and of a worker's `required_env`, sorted by name.
///
/// A name in `required_env` that no connector declares is kept as a secret: nobody says what it is.
pub(crate) fn of_worker(connectors: &[&Entry], required: &[String], env: &dyn EnvSource) -> Vec<Variable> {
    let mut variables: BTreeMap<String, Variable> = BTreeMap::new();
    for entry in connectors {
        for field in entry.spec.env {
            let known = variables.entry(field.variable.to_owned()).or_insert_with(|| {
                Variable::read(field.variable, field.description.trim(), field.secret(), field.default, env)
            });
            known.required |= field.required;
            // One connector's secret is nobody's plain text.
            if field.secret() && !known.secret {
                *known = Variable {
                    read_by: std::mem::take(&mut known.read_by),
                    required: known.required,
                    ..Variable::read(field.variable, field.description.trim(), true, None, env)
                };
            }
            known.read_by.push(entry.spec.name.to_owned());
        }
    }
    for name in required {
        let known =
            variables.entry(name.clone()).or_insert_with(|| Variable::read(name, "", true, None, env));
        known.required = true;
    }
    variables.into_values().collect()
}
