//! JSON bodies with typed holes.

use bytes::Bytes;
use emp_core::{ErrorCode, JobError};
use emp_syntax::hole::Reference;
use emp_syntax::hook::{Hook, Known, Make};
use emp_syntax::json::{Json, Member};
use serde_json::{Map, Value};

use super::{bad, encode, missing, text};
use crate::context::{Context, literal_value};

/// Deepest JSON that is sent; deeper values come from a payload.
const MAX_DEPTH: usize = 128;

/// The body's bytes, with one more top-level member when `field` says so.
pub(super) fn render(
    json: &Json,
    field: Option<(&'static str, &str)>,
    context: &Context<'_>,
) -> Result<Bytes, JobError> {
    let mut value = value(json, context)?.unwrap_or(Value::Null);
    if let Some((name, key)) = field {
        let Value::Object(members) = &mut value else {
            return Err(bad("the body", &format!("is not an object, so it cannot hold `{name}`")));
        };
        members.insert(name.to_owned(), key.into());
    }
    if deeper(&value, MAX_DEPTH) {
        return Err(JobError::new(
            ErrorCode::EInvalidInput,
            format!("the body nests deeper than {MAX_DEPTH}"),
        ));
    }
    let bytes = serde_json::to_vec(&value).map_err(|error| {
        JobError::new(ErrorCode::EBadRequest, format!("the body cannot be written: {error}"))
    })?;
    Ok(bytes.into())
}

/// The value of a node; `None` when an optional hole leaves it out.
pub(crate) fn json(json: &Json, context: &Context<'_>) -> Result<Option<Value>, JobError> {
    value(json, context)
}

pub(super) fn value(json: &Json, context: &Context<'_>) -> Result<Option<Value>, JobError> {
    Ok(match json {
        Json::Literal(literal) => Some(literal_value(literal)),
        Json::Text(template) => text(template, context)?.map(Value::String),
        Json::Hole(hole) => match context.hole(hole) {
            Some(value) => Some(value),
            None if hole.optional => None,
            // A default of `null` is a value: the author wrote it.
            None if hole.default.is_some() && null_default(hole) => Some(Value::Null),
            None => return Err(missing(&context.place(&hole.reference))),
        },
        Json::Hook(hook) => made(hook, context),
        Json::Asset(asset) => encode::text(asset, context)?,
        Json::First(values) => {
            let mut found = None;
            for candidate in values.iter() {
                found = value(candidate, context)?;
                if found.is_some() {
                    break;
                }
            }
            found
        }
        Json::Array(items) => {
            let mut values = Vec::with_capacity(items.len());
            for item in items.iter() {
                values.extend(value(item, context)?);
            }
            Some(Value::Array(values))
        }
        Json::Object(members) => {
            let mut object = Map::new();
            for member in members.iter() {
                add(&mut object, member, context)?;
            }
            Some(Value::Object(object))
        }
    })
}

fn add(object: &mut Map<String, Value>, member: &Member, context: &Context<'_>) -> Result<(), JobError> {
    match member {
        Member::Field { name, value: json } => {
            if let Some(value) = value(json, context)? {
                object.insert(name.clone().into_owned(), value);
            }
        }
        Member::SpreadHook(hook) => match made(hook, context) {
            None => {}
            Some(Value::Object(members)) => object.extend(members),
            Some(_) => return Err(bad(&format!("`{hook:?}`"), "is not an object, so it cannot be spread")),
        },
        Member::Spread(reference) => match context.lookup(reference) {
            None => {}
            Some(Value::Object(members)) => object.extend(members),
            Some(_) => return Err(bad(&reference.to_string(), "is not an object, so it cannot be spread")),
        },
    }
    Ok(())
}

/// What a hook of the author's makes; null is as absent as it is in a payload.
pub(super) fn made(hook: &Hook<Make>, context: &Context<'_>) -> Option<Value> {
    let lookup = |reference: &Reference| context.lookup(reference);
    hook.call.and_then(|make| make(&Known::new(&lookup))).filter(|value| !value.is_null())
}

fn null_default(hole: &emp_syntax::hole::Hole) -> bool {
    use emp_syntax::hole::{HoleDefault, Literal};
    matches!(hole.default, Some(HoleDefault::Literal(Literal::Null)))
}

/// Whether a value nests deeper than a bound; looks no deeper than that itself.
fn deeper(value: &Value, bound: usize) -> bool {
    let Some(bound) = bound.checked_sub(1) else { return true };
    match value {
        Value::Array(items) => items.iter().any(|item| deeper(item, bound)),
        Value::Object(members) => members.values().any(|member| deeper(member, bound)),
        _ => false,
    }
}
