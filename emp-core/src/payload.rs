//! What a type must be to stand in `payload = T`.

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// A type of payloads: jobs are validated against its JSON Schema, and it can be read from what passes. Implemented for every
/// type with both derives.
///
/// Holes name the fields as Rust does and read the members as JSON does, so the two names must be one: `#[serde(rename)]` on a
/// field that a hole names would leave the hole empty. [`language`](crate::language) says how to rename for the service instead.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the payload of a connector",
    label = "needs `#[derive(serde::Deserialize, schemars::JsonSchema)]`",
    note = "a job is validated against the JSON Schema of this type when it is submitted, and can then be read as the type"
)]
pub trait Payload {
    /// Its JSON Schema.
    fn schema() -> Value;
}

#[diagnostic::do_not_recommend]
impl<T: DeserializeOwned + JsonSchema> Payload for T {
    fn schema() -> Value {
        schemars::schema_for!(T).into()
    }
}
