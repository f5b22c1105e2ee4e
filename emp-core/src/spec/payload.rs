//! What a job's payload must be.

use serde_json::Value;

use crate::asset::Asset;

/// What a job's payload must be.
#[derive(Clone, Copy, Debug)]
pub enum PayloadSchema {
    /// `payload = T`: the schema of a Rust type, and the members that a hole without `?` and `??` reads. Those are required of a job
    /// even where the type has an `Option`: without them no request can be made.
    Typed {
        /// The type's schema.
        schema: fn() -> Value,
        /// What the holes require.
        required: &'static [&'static str],
    },
    /// Derived from the holes: a member is required unless its hole is optional or has a default.
    Holes(&'static [PayloadField]),
    /// Anything that is an object.
    Any,
}

/// A member of the payload that a hole reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PayloadField {
    /// The top-level member's name.
    pub name: &'static str,
    /// A hole without `?` and `??` reads it.
    pub required: bool,
    /// It is spread with `..`, so it must be an object.
    pub object: bool,
    /// An adapter reads it, so it must be an asset.
    pub asset: Option<PayloadAsset>,
}

/// What an asset in a payload may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PayloadAsset {
    /// Its media types, such as `image/*`; any when empty.
    pub types: &'static [&'static str],
    /// Its bytes will do, and not only its URL.
    pub inline: bool,
}

impl PayloadSchema {
    /// The JSON Schema, draft 2020-12.
    pub fn to_json_schema(&self) -> Value {
        match self {
            Self::Typed { schema, required } => with_required(schema(), required),
            Self::Any => serde_json::json!({ "type": "object" }),
            Self::Holes(fields) => {
                let properties: serde_json::Map<String, Value> = fields
                    .iter()
                    .map(|field| {
                        let schema = if let Some(asset) = &field.asset {
                            Asset::schema(asset.types, asset.inline)
                        } else if field.object {
                            serde_json::json!({ "type": "object" })
                        } else {
                            Value::Bool(true)
                        };
                        (field.name.to_owned(), schema)
                    })
                    .collect();
                let required: Vec<&str> =
                    fields.iter().filter(|field| field.required).map(|field| field.name).collect();
                serde_json::json!({ "type": "object", "properties": properties, "required": required })
            }
        }
    }
}

/// A schema of an object that requires some more of its members.
fn with_required(mut schema: Value, members: &[&str]) -> Value {
    if let Some(object) = schema.as_object_mut().filter(|_| !members.is_empty()) {
        let required = object.entry("required").or_insert_with(|| Value::Array(Vec::new()));
        if let Some(required) = required.as_array_mut() {
            let missing = members.iter().filter(|member| !required.iter().any(|known| known == *member));
            let missing: Vec<Value> = missing.map(|member| Value::from(*member)).collect();
            required.extend(missing);
        }
    }
    schema
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_that_a_hole_requires_is_required_of_the_job_even_where_its_type_is_an_option() {
        let schema = || serde_json::json!({ "type": "object", "required": ["input"] });
        let payload = PayloadSchema::Typed { schema, required: &["input", "style"] };
        assert_eq!(payload.to_json_schema()["required"], serde_json::json!(["input", "style"]));
    }
}
