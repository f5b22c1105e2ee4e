//! Where a slice comes from.

use serde::{Deserialize, Serialize};

/// The member of a slice that says where it comes from.
pub(crate) const KEY: &str = "x-emp-slice";

/// Where a slice comes from, and under which terms.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct About {
    /// The URL or the repository and commit of the original.
    pub source: String,
    /// The day on which the original was read: `2026-11-26`.
    pub date: String,
    /// The licence of the original, or that it states none.
    pub licence: String,
    /// Who wrote the original.
    pub origin: Origin,
    /// The SHA-256 of the original file, in hex.
    pub sha256: String,
}

/// Who wrote a description: how far it can be trusted.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// The vendor publishes it.
    Official,
    /// It was taken from the vendor's SDK, or is a copy that an SDK's author keeps.
    Sdk,
    /// Written by hand from the vendor's documentation.
    Hand,
}

impl Origin {
    /// Its word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Official => "official",
            Self::Sdk => "sdk",
            Self::Hand => "hand",
        }
    }
}
