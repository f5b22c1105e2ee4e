//! Text with holes: URLs (RFC 6570 level 2), header values, strings inside JSON bodies.
//!
//! `{x}` is the value, escaped for where it stands; `{+x}` keeps `/` and the other reserved characters and may only
//! stand in a URL path; `{{` and `}}` are literal braces. In a URL a `{x}` is one path segment or one query value.

use crate::hole::Hole;
use crate::{List, Text};

/// A parsed template.
#[derive(Clone, Debug, PartialEq)]
pub struct Template {
    /// Literal text and holes, in order; two literals never stand side by side.
    pub parts: List<Part>,
}

/// A piece of a template.
#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    /// Text as it stands.
    Literal(Text),
    /// A value to insert.
    Hole {
        /// What to insert.
        hole: Hole,
        /// `{+x}`: a path with its slashes, checked segment by segment.
        reserved: bool,
    },
}
