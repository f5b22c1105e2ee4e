//! The sections that describe machines: `resource_bindings` and `service_types`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a worker's instances are bound to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(example = serde_json::json!({ "scaling": "per_gpu", "exclusive": true }))]
pub struct ResourceBinding {
    /// What it stands for, for readers of the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"Bind to specific GPU device")]
    pub description: Option<String>,
    /// How many instances a machine can have.
    #[schemars(example = Scaling::PerGpu)]
    pub scaling: Scaling,
    /// Whether an instance has its resource for itself.
    #[serde(default)]
    #[schemars(example = true)]
    pub exclusive: bool,
    /// Whether it scales with the GPUs but computes on the CPU, for tests.
    #[serde(default)]
    #[schemars(example = false)]
    pub force_cpu: bool,
}

/// Resource bindings that need no declaration under `resource_bindings`.
pub const BUILT_IN_BINDINGS: [&str; 4] = ["shared", "gpu", "cpu", "mock_gpu"];

impl ResourceBinding {
    /// One of [`BUILT_IN_BINDINGS`].
    pub fn built_in(name: &str) -> Option<Self> {
        let (scaling, exclusive, force_cpu) = match name {
            "shared" => (Scaling::Unlimited, false, false),
            "gpu" => (Scaling::PerGpu, true, false),
            "cpu" => (Scaling::PerMachine, false, false),
            "mock_gpu" => (Scaling::PerGpu, true, true),
            _ => return None,
        };
        Some(Self { description: None, scaling, exclusive, force_cpu })
    }
}

/// How many instances a machine can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scaling {
    /// As many as it has GPUs, times the instances of each.
    PerGpu,
    /// A fixed number.
    PerMachine,
    /// As many as anybody asks for.
    Unlimited,
}

/// What services of a type have.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(example = serde_json::json!({ "requires_installer": true, "has_ports": true }))]
pub struct ServiceTypeInfo {
    /// What the type is, for readers of the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"Services that require installation and setup")]
    pub description: Option<String>,
    /// Whether a service of the type needs an installer.
    #[schemars(example = true)]
    pub requires_installer: bool,
    /// Whether a service of the type listens on ports.
    #[schemars(example = true)]
    pub has_ports: bool,
    /// Whether a service of the type is a process of its own.
    #[schemars(example = true)]
    pub has_pm2_process: bool,
}
