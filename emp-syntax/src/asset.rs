//! Assets of a payload (an image, a recording), in the form in which the service takes them.
//!
//! ```text
//! asset = adapter "(" hole { "," option } ")"
//! adapter = "file" | "url" | "base64" | "data_uri"
//! ```
//!
//! A payload spells an asset as a text (`https://…` or `data:…`) or as an object: `{"url": ..}` or `{"base64": .., "mime"?, "name"?}`.

use crate::hole::Hole;
use crate::{List, Text};

/// How a service takes an asset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Adapter {
    /// Its bytes: a part of a multipart body, or a whole body.
    File,
    /// An URL that the service fetches itself.
    Url,
    /// Its bytes as base64 text.
    Base64,
    /// A data URI: type and bytes in one text.
    DataUri,
}

impl Adapter {
    /// Every adapter with its word.
    pub const ALL: [(&'static str, Self); 4] =
        [("base64", Self::Base64), ("data_uri", Self::DataUri), ("file", Self::File), ("url", Self::Url)];

    /// The adapter that a word names.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find_map(|(name, adapter)| (name == word).then_some(adapter))
    }

    /// The word that names this adapter.
    pub fn word(self) -> &'static str {
        Self::ALL.into_iter().find_map(|(name, adapter)| (adapter == self).then_some(name)).unwrap_or("file")
    }
}

/// An asset with what it may be.
#[derive(Clone, Debug, PartialEq)]
pub struct Asset {
    /// How the service takes it.
    pub adapter: Adapter,
    /// Where it is: below `payload`, or in the `item` of an `each` step.
    pub hole: Hole,
    /// Largest size, decoded bytes.
    pub max: Option<u64>,
    /// What it may be: `image/png`, `image/*`; anything when empty.
    pub types: List<Text>,
    /// `url(.., inline)`: the service takes a data URI in place of an URL too.
    pub inline: bool,
}

impl Asset {
    /// Whether a type is one that it may be.
    pub fn takes(&self, mime: &str) -> bool {
        self.types.is_empty() || self.types.iter().any(|pattern| fits(pattern, mime))
    }
}

impl std::fmt::Display for Asset {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}({}", self.adapter.word(), self.hole)?;
        if let Some(max) = self.max {
            write!(f, ", max = {max}")?;
        }
        if !self.types.is_empty() {
            write!(f, ", types = {:?}", self.types)?;
        }
        f.write_str(if self.inline { ", inline)" } else { ")" })
    }
}

fn fits(pattern: &str, mime: &str) -> bool {
    match pattern.strip_suffix("/*") {
        Some(family) => mime.split_once('/').is_some_and(|(found, _)| found.eq_ignore_ascii_case(family)),
        None => pattern.eq_ignore_ascii_case(mime),
    }
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn a_pattern_is_a_type_or_a_family_of_types() {
        assert!(fits("image/png", "image/PNG") && fits("image/*", "image/webp"));
        assert!(
            !fits("image/png", "image/jpeg") && !fits("image/*", "imagery/png") && !fits("image/*", "image")
        );
    }
}
