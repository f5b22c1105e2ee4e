//! The section that speaks to the checker: `checks`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the check of this file is told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(example = serde_json::json!({ "allow": { "EMP0213": "the spare connectors are for the next release" } }))]
pub struct Checks {
    /// Findings that are not reported: each code with the reason why it is right to allow it here.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(example = serde_json::json!({ "EMP0213": "the spare connectors are for the next release" }))]
    pub allow: BTreeMap<String, String>,
}
