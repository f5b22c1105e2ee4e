//! Whether a request has the body that a declaration gives it: what tells two operations at one path apart.

use emp_core::spec::{Body, RequestSpec};
use emp_core::syntax::json::{Json, Member};
use serde_json::Value;

use crate::place::literal_value;
use crate::route::Seen;

/// Whether a request's body could have been made from the declared one.
/// Of more members than the declared ones the engine itself may add `more`: an idempotency key, and what asks for a stream.
pub(crate) fn request(request: &RequestSpec, seen: &Seen, more: usize) -> bool {
    match (&request.body, &seen.json) {
        (Body::Json(template), Some(json)) => value(template, json, more),
        (Body::Json(_), None) => false,
        _ => true,
    }
}

fn value(template: &Json, found: &Value, more: usize) -> bool {
    match (template, found) {
        (Json::Literal(literal), found) => literal_value(literal) == *found,
        (Json::Text(template), Value::String(text)) => {
            template.as_literal().is_none_or(|literal| literal == text)
        }
        (Json::Hole(_), _) => true,
        (Json::Array(items), Value::Array(values)) => {
            items.len() >= values.len() && items.iter().zip(values).all(|(item, found)| value(item, found, 1))
        }
        (Json::Object(members), Value::Object(values)) => {
            let all = members.iter().all(|member| match member {
                Member::Field { name, value: template } => match values.get(name.as_ref()) {
                    Some(found) => value(template, found, 1),
                    None => optional(template),
                },
                Member::Spread(_) | Member::SpreadHook(_) => true,
            });
            let declared = |name: &String| {
                members.iter().any(|member| match member {
                    Member::Field { name: known, .. } => known == name.as_str(),
                    Member::Spread(_) | Member::SpreadHook(_) => true,
                })
            };
            all && values.keys().filter(|name| !declared(name)).count() <= more
        }
        _ => false,
    }
}

/// Whether a member may be left out.
fn optional(template: &Json) -> bool {
    match template {
        Json::Hole(hole) => hole.optional,
        Json::Text(template) => template.holes().any(|hole| hole.optional),
        _ => false,
    }
}
