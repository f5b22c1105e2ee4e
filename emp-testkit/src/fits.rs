//! Whether a request has the body that a declaration gives it: what tells two operations at one path apart.

use emp_core::spec::{Body, RequestSpec};
use emp_core::syntax::json::{Json, Member};
use serde_json::Value;

use crate::place::literal_value;
use crate::route::Seen;

/// Whether a request's body could have been made from the declared one.
pub(crate) fn request(request: &RequestSpec, seen: &Seen) -> bool {
    match (&request.body, &seen.json) {
        (Body::Json(template), Some(json)) => value(template, json),
        (Body::Json(_), None) => false,
        _ => true,
    }
}

fn value(template: &Json, found: &Value) -> bool {
    match (template, found) {
        (Json::Literal(literal), found) => literal_value(literal) == *found,
        (Json::Text(template), Value::String(text)) => {
            template.as_literal().is_none_or(|literal| literal == text)
        }
        (Json::Hole(_), _) => true,
        (Json::Array(items), Value::Array(values)) => {
            items.len() >= values.len() && items.iter().zip(values).all(|(item, found)| value(item, found))
        }
        (Json::Object(members), Value::Object(values)) => {
            let all = members.iter().all(|member| match member {
                Member::Field { name, value: template } => match values.get(name.as_ref()) {
                    Some(found) => value(template, found),
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
            // The engine may add an idempotency key of its own.
            all && values.keys().filter(|name| !declared(name)).count() <= 1
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
