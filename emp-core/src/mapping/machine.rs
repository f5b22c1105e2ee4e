//! The section that describes the machine: `machine`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::template::{Bytes, Count, Port, Template};
use super::worker::OneOrMany;

/// Where the API listens when nobody says otherwise.
pub const API_PORT: u16 = 3000;

/// The machine that the workers run on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(example = serde_json::json!({ "dockerfile": "./Dockerfile", "gpus": 2, "memory": "64GiB" }))]
pub struct MachineEntry {
    /// The Dockerfile with the build stages, relative to the mapping, or a list of them; `null` when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"./Dockerfile", example = serde_json::json!(["./Dockerfile", "./Dockerfile.gpu"]))]
    pub dockerfile: Option<OneOrMany>,
    /// How many GPUs it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = 2, example = &"${NUM_GPUS:-1}")]
    pub gpus: Option<Template<Count>>,
    /// How many CPUs it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = 16)]
    pub cpus: Option<Template<Count>>,
    /// How much memory it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"64GiB")]
    pub memory: Option<Template<Bytes>>,
    /// The port of the API on this machine, 3000 unless said otherwise; `null` when the API runs elsewhere.
    #[serde(default = "api_port")]
    #[schemars(example = 3000)]
    pub api_port: Option<Template<Port>>,
    /// The port on which the workers show their metrics.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = 9464)]
    pub metrics_port: Option<Template<Port>>,
}

impl Default for MachineEntry {
    fn default() -> Self {
        Self {
            dockerfile: None,
            gpus: None,
            cpus: None,
            memory: None,
            api_port: api_port(),
            metrics_port: None,
        }
    }
}

#[expect(clippy::unnecessary_wraps, reason = "serde wants the field's type")]
fn api_port() -> Option<Template<Port>> {
    Some(Template::new(API_PORT.to_string()))
}
