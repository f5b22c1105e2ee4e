//! What generated code may name, and nothing else. The version is in the name, so that a derive and a core of
//! different versions cannot compile together.

pub use std::borrow::Cow;
pub use std::boxed::Box;
pub use std::option::Option;
pub use std::string::String;
pub use std::sync::Arc;
pub use std::time::Duration;
pub use std::vec::Vec;

pub use serde_json::Value;

pub use crate::connector::{Connector, Entry, Registered, Registry};
pub use crate::custom::{CustomConnector, CustomRunner, runner};
pub use crate::env::{EnvError, EnvSource, FromSetting, Settings};
pub use crate::spec;
pub use emp_syntax::{asset, hole, hook, json, jsonpath, rule, selector, template};

/// The JSON Schema of a payload type.
pub fn payload_schema<T: crate::payload::Payload>() -> Value {
    T::schema()
}

/// The JSON Schema of an output type.
pub fn schema_of<T: schemars::JsonSchema>() -> Value {
    schemars::schema_for!(T).into()
}

/// The field of an author's own type, by `FromStr`; its error joins the others.
pub fn parse_field<T>(
    settings: &Settings,
    field: &'static spec::EnvField,
    errors: &mut Vec<EnvError>,
) -> Option<T>
where
    T: std::str::FromStr,
    T::Err: std::fmt::Display,
{
    settings.parse(field, errors)
}
