//! Whether a request has the body that a declaration gives it: what tells two operations at one path apart.

use emp_core::spec::{Body, RequestSpec};
use emp_core::syntax::asset::Adapter;
use emp_core::syntax::json::{Json, Member};
use serde_json::Value;

use crate::form::Part;
use crate::place::literal_value;
use crate::route::Seen;

/// Whether a request's body could have been made from the declared one.
/// Of more members than the declared ones the engine itself may add `more`: an idempotency key, and what asks for a stream.
pub(crate) fn request(request: &RequestSpec, seen: &Seen, more: usize) -> bool {
    let of_type = |wanted: &str| {
        let found = seen.headers.get("content-type").map_or("", String::as_str);
        found.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(wanted)
    };
    match &request.body {
        Body::Json(template) => seen.json.as_ref().is_some_and(|json| value(template, json, more)),
        Body::Form(members) => {
            of_type("application/x-www-form-urlencoded") && parts(members, seen.form.as_deref(), more)
        }
        Body::Multipart(members) => {
            of_type("multipart/form-data") && parts(members, seen.form.as_deref(), more)
        }
        Body::Raw { content_type, .. } => {
            !seen.body.is_empty()
                && content_type
                    .is_none_or(|wanted| of_type(wanted.split(';').next().unwrap_or_default().trim()))
        }
        _ => true,
    }
}

fn value(template: &Json, found: &Value, more: usize) -> bool {
    match (template, found) {
        (Json::Literal(literal), found) => literal_value(literal) == *found,
        (Json::Text(template), Value::String(text)) => {
            template.as_literal().is_none_or(|literal| literal == text)
        }
        (Json::Hole(_) | Json::Hook(_) | Json::First(_), _) | (Json::Asset(_), Value::String(_)) => true,
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
            all && undeclared(members, values.keys().map(String::as_str)) <= more
        }
        _ => false,
    }
}

/// Whether the parts of a form are those that are declared.
fn parts(members: &[Member], found: Option<&[Part]>, more: usize) -> bool {
    let Some(found) = found else { return false };
    let all = members.iter().all(|member| match member {
        Member::Field { name, value } => {
            let mut own = found.iter().filter(|part| part.name == name.as_ref()).peekable();
            (own.peek().is_some() || optional(value)) && own.all(|found| part(value, found))
        }
        Member::Spread(_) | Member::SpreadHook(_) => true,
    });
    all && undeclared(members, found.iter().map(|part| part.name.as_str())) <= more
}

fn part(template: &Json, found: &Part) -> bool {
    match template {
        Json::Asset(asset) if asset.adapter == Adapter::File => found.file.is_some(),
        Json::Array(values) | Json::First(values) => values.iter().any(|value| part(value, found)),
        Json::Literal(literal) => {
            let literal = literal_value(literal);
            found.text() == Some(literal.as_str().unwrap_or(&literal.to_string()))
        }
        Json::Text(template) => template.as_literal().is_none_or(|literal| found.text() == Some(literal)),
        _ => found.file.is_none(),
    }
}

/// How many names nobody declares.
fn undeclared<'n>(members: &[Member], names: impl Iterator<Item = &'n str>) -> usize {
    let declared = |name: &str| {
        members.iter().any(|member| match member {
            Member::Field { name: known, .. } => known == name,
            Member::Spread(_) | Member::SpreadHook(_) => true,
        })
    };
    names.filter(|name| !declared(name)).count()
}

/// Whether a member may be left out.
fn optional(template: &Json) -> bool {
    match template {
        Json::Hole(hole) => hole.optional,
        Json::Asset(asset) => asset.hole.optional,
        Json::Text(template) => template.holes().any(|hole| hole.optional),
        Json::Array(values) | Json::First(values) => values.iter().all(optional),
        // What a function makes may be nothing; and a list of none has no part.
        Json::Hook(_) => true,
        Json::Literal(_) | Json::Object(_) => false,
    }
}
