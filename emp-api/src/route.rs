//! What a call of the API consists of.

use axum::routing::MethodRouter;
use schemars::{Schema, SchemaGenerator};
use serde_json::Value;

use crate::code::Code;
use crate::state::ApiState;

/// A call of the API.
pub(crate) struct Route {
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    /// The name of the call in OpenAPI.
    pub(crate) name: &'static str,
    pub(crate) summary: &'static str,
    pub(crate) handler: fn() -> MethodRouter<ApiState>,
    /// The body, and whether it must be there.
    pub(crate) body: Option<(SchemaOf, bool)>,
    pub(crate) parameters: &'static [Parameter],
    pub(crate) answers: &'static [Answer],
    /// How it may refuse, beside what every call may.
    pub(crate) refusals: &'static [Code],
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    Get,
    Post,
}

/// The schema of a type.
pub(crate) type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// A good answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) description: &'static str,
    pub(crate) content: &'static [Content],
    /// Headers beside the usual ones.
    pub(crate) headers: &'static [(&'static str, &'static str)],
}

/// What an answer may consist of.
pub(crate) struct Content {
    pub(crate) media_type: &'static str,
    pub(crate) schema: SchemaOf,
}

/// A parameter in the query or a header.
pub(crate) struct Parameter {
    pub(crate) place: &'static str,
    pub(crate) name: &'static str,
    pub(crate) description: &'static str,
    pub(crate) schema: fn() -> Value,
}
