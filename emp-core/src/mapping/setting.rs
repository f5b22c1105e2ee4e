//! The values of a worker that the environment can change, whichever kind they are of.

use emp_syntax::env_template::{EnvTemplate, Otherwise};

use super::template::{Kind, Template, TemplateError};
use super::worker::Worker;

/// The values of variables.
type Lookup<'l> = &'l dyn Fn(&str) -> Option<String>;

/// Reads a template as its kind.
type Read = fn(&str, Lookup<'_>) -> Result<(), TemplateError>;

/// What each instance has a value of its own for: nobody sets these.
fn of_the_instance(variable: &str) -> bool {
    variable == "EMP_INSTANCE" || variable == "EMP_GPU" || variable.starts_with("EMP_PORT")
}

/// A value of a worker that may be a template.
#[derive(Clone, Debug)]
pub struct Setting<'a> {
    /// Its key: `ports`, `installer_config.branch`.
    pub field: String,
    /// The value as it is written.
    pub text: &'a str,
    /// What it must be once it is expanded, as a phrase.
    pub expected: &'static str,
    read: Read,
}

/// A variable in a setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingVariable {
    /// Its name.
    pub name: String,
    /// What stands in for it when it is unset.
    pub default: Option<String>,
    /// Nothing can be made of the setting without it.
    pub required: bool,
}

impl Setting<'_> {
    /// The variables of it, in the order of its text. None when the text is no template, which `emp check` reports.
    pub fn variables(&self) -> Vec<SettingVariable> {
        let template = EnvTemplate::parse(self.text);
        let theirs = template.iter().flat_map(EnvTemplate::variables);
        let theirs = theirs.filter(|variable| !of_the_instance(&variable.name));
        let variables = theirs.map(|variable| SettingVariable {
            name: variable.name.clone(),
            default: match &variable.otherwise {
                Otherwise::Default(inner) => {
                    inner.as_literal().filter(|text| !text.is_empty()).map(str::to_owned)
                }
                Otherwise::Nothing | Otherwise::Required(_) => None,
            },
            required: matches!(variable.otherwise, Otherwise::Required(_)),
        });
        variables.collect()
    }

    /// Whether its value is valid where the variables are what `lookup` says.
    ///
    /// # Errors
    /// As [`Template::value`].
    pub fn check(&self, lookup: Lookup<'_>) -> Result<(), TemplateError> {
        (self.read)(self.text, lookup)
    }
}

fn setting<'a, K: Kind>(field: &str, template: &'a Template<K>) -> Setting<'a> {
    Setting {
        field: field.to_owned(),
        text: template.text(),
        expected: K::EXPECTED,
        read: |text, lookup| Template::<K>::new(text).value(lookup).map(drop),
    }
}

impl Worker {
    /// What this machine expands for the worker: its binding, counts, ports and the installer's settings. `api_config` is not in it:
    /// the connectors read those variables by themselves.
    pub fn settings(&self) -> Vec<Setting<'_>> {
        macro_rules! all {
            ($($field:ident),*) => {
                [$(self.$field.as_ref().map(|template| setting(stringify!($field), template))),*]
            };
        }
        let mut settings: Vec<_> = all!(
            resource_binding,
            service_instances_per_gpu,
            service_instances_per_machine,
            port_increment,
            cpus_per_instance,
            memory_per_instance
        )
        .into_iter()
        .flatten()
        .collect();
        settings.extend(self.ports.iter().map(|port| setting("ports", port)));
        if let Some(config) = &self.installer_config {
            settings.extend(
                config.install_timeout.as_ref().map(|one| setting("installer_config.install_timeout", one)),
            );
            let words = [
                ("install_command", &config.install_command),
                ("start_command", &config.start_command),
                ("health_path", &config.health_path),
                ("version", &config.version),
            ];
            let words = words.into_iter().filter_map(|(key, one)| Some((key, one.as_ref()?)));
            settings.extend(words.map(|(key, one)| setting(&format!("installer_config.{key}"), one)));
            let own = config.settings.iter();
            settings.extend(own.map(|(key, one)| setting(&format!("installer_config.{key}"), one)));
        }
        settings
    }
}

#[cfg(test)]
mod tests {
    use super::super::Mapping;

    #[test]
    fn every_template_that_this_machine_expands_is_a_setting_and_is_checked_with_the_values_that_are_set() {
        let mapping = Mapping::parse(
            r#"{ "workers": { "a": { "service": [], "ports": ["${PORT:-8188}", 9000], "port_increment": "${STEP:?how far}",
                "installer_config": { "branch": "${BRANCH}", "install_timeout": 30, "start_command": "serve ${EMP_PORT}" }, "api_config": { "base_url": "${URL}" } } } }"#,
        )
        .unwrap();
        let settings = mapping.worker("a").unwrap().settings();
        let fields: Vec<_> = settings.iter().map(|one| one.field.as_str()).collect();
        assert_eq!(
            fields,
            [
                "port_increment",
                "ports",
                "ports",
                "installer_config.install_timeout",
                "installer_config.start_command",
                "installer_config.branch"
            ]
        );
        let variables: Vec<_> = settings.iter().flat_map(super::Setting::variables).collect();
        let shown: Vec<_> =
            variables.iter().map(|one| (one.name.as_str(), one.default.as_deref(), one.required)).collect();
        assert_eq!(shown, [("STEP", None, true), ("PORT", Some("8188"), false), ("BRANCH", None, false)]);
        let set = |name: &str| (name == "PORT").then(|| "eighty".to_owned());
        let wrong: Vec<_> =
            settings.iter().filter_map(|one| one.check(&set).err()).map(|error| error.to_string()).collect();
        assert_eq!(wrong, ["STEP: how far", "`eighty` is not a port from 1 to 65535"]);
    }
}
