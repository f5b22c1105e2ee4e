//! One entry of `workers`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::template::{Bytes, Count, Port, Seconds, Template, Words};

/// A worker: what it accepts, and where it can run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(example = super::example_worker())]
pub struct Worker {
    /// The services that it accepts, each with the connector that does them.
    #[schemars(example = serde_json::json!([
        { "capability": "my-service", "connector": "MyServiceConnector", "type": "external" }
    ]))]
    pub service: Vec<ServiceEntry>,
    /// What installs an internal service; `null` for an external one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"installComfyUI")]
    pub installer: Option<String>,
    /// What its instances are bound to: `shared`, `gpu`, `cpu`, `mock_gpu` or a name under `resource_bindings`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"shared", example = &"${COMFYUI_RESOURCE_BINDING:-gpu}")]
    pub resource_binding: Option<Template<Words>>,
    /// The stage of the Dockerfile that it needs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"base")]
    pub build_stage: Option<String>,
    /// How many instances of an internal service each GPU has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"${COMFYUI_INSTANCES_PER_GPU:-1}")]
    pub service_instances_per_gpu: Option<Template<Count>>,
    /// How many instances of an internal service a machine has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"${PLAYWRIGHT_INSTANCES_PER_MACHINE:-1}")]
    pub service_instances_per_machine: Option<Template<Count>>,
    /// The ports of the first instance of an internal service.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(example = serde_json::json!(["${COMFYUI_BASE_PORT:-8188}"]))]
    pub ports: Vec<Template<Port>>,
    /// What each further instance adds to the ports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"${COMFYUI_PORT_INCREMENT:-1}")]
    pub port_increment: Option<Template<Count>>,
    /// How many CPUs each instance of an internal service takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = 4)]
    pub cpus_per_instance: Option<Template<Count>>,
    /// How much memory each instance of an internal service takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"16GiB")]
    pub memory_per_instance: Option<Template<Bytes>>,
    /// The variables that must be set for the worker to start, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(example = serde_json::json!(["MY_SERVICE_API_KEY"]))]
    pub required_env: Vec<String>,
    /// What the worker is for, for readers of the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"MyService API worker for custom processing")]
    pub description: Option<String>,
    /// Where an external service is and how patient to be with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = serde_json::json!({ "base_url": "${MY_SERVICE_BASE_URL:-https://api.myservice.com}" }))]
    pub api_config: Option<ApiConfig>,
    /// What the installer of an internal service reads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = serde_json::json!({ "install_timeout": "${COMFYUI_INSTALL_TIMEOUT:-300}" }))]
    pub installer_config: Option<InstallerConfig>,
}

/// One connector of a worker, and the services that it does there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(example = serde_json::json!({ "capability": "openai", "connector": "OpenAiConnector", "type": "external" }))]
pub struct ServiceEntry {
    /// The service, or the list of services, that a job asks for.
    #[schemars(example = &"my-service", example = serde_json::json!(["a1111", "automatic"]))]
    pub capability: OneOrMany,
    /// The connector's type name; it must be declared under `connectors`.
    #[schemars(example = &"MyServiceConnector")]
    pub connector: String,
    /// Whether the service runs on this machine or somewhere else.
    #[serde(rename = "type")]
    #[schemars(example = ServiceType::External)]
    pub kind: ServiceType,
    /// Where several connectors do one capability, the one that does a job when it can be chosen.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[schemars(example = true)]
    pub preferred: bool,
}

/// Where a service runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ServiceType {
    /// On this machine: installed, with ports.
    Internal,
    /// Somewhere else, behind an API.
    External,
}

/// One name, or a list of names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum OneOrMany {
    /// `"comfyui"`
    One(String),
    /// `["a1111", "automatic"]`
    Many(Vec<String>),
}

impl OneOrMany {
    /// The names.
    pub fn iter(&self) -> std::slice::Iter<'_, String> {
        match self {
            Self::One(name) => std::slice::from_ref(name).iter(),
            Self::Many(names) => names.iter(),
        }
    }
}

impl<'a> IntoIterator for &'a OneOrMany {
    type Item = &'a String;
    type IntoIter = std::slice::Iter<'a, String>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Where an external service is and how patient to be with it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(example = serde_json::json!({ "timeout": "${MY_SERVICE_TIMEOUT:-30}" }))]
pub struct ApiConfig {
    /// The service's address.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"${MY_SERVICE_BASE_URL:-https://api.myservice.com}")]
    pub base_url: Option<Template<Words>>,
    /// How long a request may take: seconds, or a duration such as `2m`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"${MY_SERVICE_TIMEOUT:-30}")]
    pub timeout: Option<Template<Seconds>>,
    /// How often a request is tried again.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"${MY_SERVICE_MAX_RETRIES:-3}")]
    pub max_retries: Option<Template<Count>>,
    /// The models to offer, separated by commas.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"${OPENAI_MODELS:-gpt-4,dall-e-3}")]
    pub models: Option<Template<Words>>,
}

/// What the installer of an internal service reads. Each installer has settings of its own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(example = serde_json::json!({ "branch": "${COMFYUI_BRANCH:-main}" }))]
pub struct InstallerConfig {
    /// How long the installation may take: seconds, or a duration such as `5m`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"${COMFYUI_INSTALL_TIMEOUT:-300}")]
    pub install_timeout: Option<Template<Seconds>>,
    /// The program that installs the service, with its arguments; quotes as in a shell. It gets the settings as `EMP_INSTALL_..`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"${INSTALL_COMMAND:-./install.sh}")]
    pub install_command: Option<Template<Words>>,
    /// The program that is the service, with its arguments; quotes as in a shell. `${EMP_PORT}`, `${EMP_INSTANCE}` and `${EMP_GPU}` are
    /// the instance's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"python main.py --port ${EMP_PORT}")]
    pub start_command: Option<Template<Words>>,
    /// The path at which the service answers with success once it is ready.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"/system_stats")]
    pub health_path: Option<Template<Words>>,
    /// What is installed; another value installs it again.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"${COMFYUI_VERSION:-v0.12.1}")]
    pub version: Option<Template<Words>>,
    /// The settings that only this installer knows, by name.
    #[serde(flatten)]
    pub settings: BTreeMap<String, Template<Words>>,
}
