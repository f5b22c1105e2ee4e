//! The small languages of EMP connectors, without `syn` and without I/O.
//!
//! One syntax tree serves both ends: the derive parses into these types and prints them as `static` data, and the
//! engine evaluates that data without parsing. That is why every list is a [`List`] and every string a [`Text`]:
//! borrowed where the compiler wrote it, owned where a parser did.
//!
//! | module | language | example |
//! |---|---|---|
//! | [`jsonpath`] | the RFC 9535 subset for extraction | `$.output[?@.type=='text'].text` |
//! | [`hole`] | what a request may refer to | `payload.model ?? env.model` |
//! | [`template`] | text with holes, for URLs and headers | `/jobs/{job.id}` |
//! | [`asset`] | assets of a payload, as the service takes them | `file(payload.image, max = "10MB")` |
//! | [`json`] | typed-hole JSON bodies | `{ "seed": payload.seed? }` |
//! | [`selector`] | where a value of an answer is, and its reducers | `"$.progress" \| percent` |
//! | [`hook`] | a function of the author's in place of one of these | `with(Self::progress)` |
//! | [`rule`] | predicates and verdicts over an answer | `code == 404 => lost` |
//! | [`env_template`] | `${X:-default}` as bash reads it | `${PORT:-${BASE:-8188}}` |
//! | [`duration`], [`size`] | `1m 30s`, `8MiB` | |

use std::borrow::Cow;

pub mod asset;
mod display;
pub mod duration;
pub mod env_template;
pub mod hole;
pub mod hook;
pub mod json;
pub mod jsonpath;
pub mod rule;
pub mod selector;
pub mod size;
mod suggest;
pub mod template;

pub use suggest::nearest;

/// A list that a `static` can hold and a parser can make.
pub type List<T> = Cow<'static, [T]>;

/// A string that a `static` can hold and a parser can make.
pub type Text = Cow<'static, str>;

/// A mistake in a text of one of these languages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    /// Byte offset into the parsed text at which the mistake starts.
    pub offset: usize,
    /// What is wrong, as a lower-case phrase.
    pub message: String,
    /// One thing to write instead, when there is an obvious one.
    pub help: Option<String>,
}

impl SyntaxError {
    /// An error at a byte offset, without help.
    pub fn new(offset: usize, message: impl Into<String>) -> Self {
        Self { offset, message: message.into(), help: None }
    }

    /// Adds the fix that the reader can paste.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl std::fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} (at character {})", self.message, self.offset + 1)?;
        self.help.as_ref().map_or(Ok(()), |help| write!(f, "; {help}"))
    }
}

impl std::error::Error for SyntaxError {}
