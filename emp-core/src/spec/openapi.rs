//! The service's own description that a declaration is compared with.

/// A slice of a service's description, and its operations as `#[openapi]` names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenApi {
    /// The slice's file name, in `schemas/openapi/`.
    pub file: &'static str,
    /// The operation of the submit; `None` when it is found by its method and path.
    pub submit: Option<&'static str>,
    /// The operation of the poll.
    pub poll: Option<&'static str>,
    /// The operation of the cancel.
    pub cancel: Option<&'static str>,
}
