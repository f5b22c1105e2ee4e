//! `#[openapi]`: the description that a declaration is checked against.

use super::Spanned;

/// Which slice, which of its operations, and what is not to be said.
#[derive(Clone, Debug)]
pub struct OpenApi {
    /// The slice's file name, in `schemas/openapi/`.
    pub file: Spanned<String>,
    /// The operation of the submit: its id, or its method and path.
    pub submit: Option<Spanned<String>>,
    /// The operation of the poll.
    pub poll: Option<Spanned<String>>,
    /// The operation of the cancel.
    pub cancel: Option<Spanned<String>>,
    /// Paths of answers below which the description is not asked.
    pub open: Vec<Spanned<String>>,
    /// What the declaration has and the description lacks: paths, words, headers, members.
    pub allow: Vec<Spanned<String>>,
    /// A path of which the description says nothing is a mistake.
    pub strict: bool,
}
