//! The body: its members become fields of the payload, without what may be a credential.

use base64::Engine as _;
use emp_core::secret::names_credential;
use serde_json::{Map, Value};

use super::super::plan::{Field, Kind, is_ident};

pub(super) type Members = (Vec<(String, Value)>, Vec<Field>);

/// The members of a JSON body: what can be a field of the payload becomes one, with the command's value as its example.
pub(super) fn members(body: &str, next: &mut Vec<String>) -> Result<Members, String> {
    if body.trim().is_empty() {
        return Ok((Vec::new(), Vec::new()));
    }
    if body.starts_with('@') {
        return Err("its body is a file (`-d @file`): put the JSON into the command".to_owned());
    }
    let members: Map<String, Value> = serde_json::from_str(body).map_err(|error| {
        format!("its body is no JSON object (line {}, column {})", error.line(), error.column())
    })?;
    let mut constants = Vec::new();
    let mut fields = Vec::new();
    for (name, value) in members {
        if names_credential(&name) {
            next.push(left_out(&name));
        } else if is_ident(&name) {
            fields.push(Field {
                doc: format!("`{name}`, as the service takes it."),
                kind: Kind::of(&value),
                required: true,
                example: Some(without_secrets(value, &name, next)),
                in_path: false,
                name,
            });
        } else {
            next.push(format!(
                "`{name}` of the body is no name of Rust, so it is a constant; make it a hole by hand"
            ));
            let value = without_secrets(value, &name, next);
            constants.push((name, value));
        }
    }
    Ok((constants, fields))
}

/// A value without what may be a credential; `next` says of each at which place it was.
fn without_secrets(value: Value, place: &str, next: &mut Vec<String>) -> Value {
    match value {
        Value::Object(members) => {
            let mut kept = Map::new();
            for (name, value) in members {
                let place = format!("{place}.{name}");
                if names_credential(&name) {
                    next.push(left_out(&place));
                } else {
                    let value = without_secrets(value, &place, next);
                    kept.insert(name, value);
                }
            }
            Value::Object(kept)
        }
        Value::Array(items) => {
            let items = items.into_iter().enumerate();
            items.map(|(nth, item)| without_secrets(item, &format!("{place}[{nth}]"), next)).collect()
        }
        // A blob says nothing as an example.
        Value::String(text) if text.len() > 200 && is_blob(&text) => "text".into(),
        value => value,
    }
}

fn left_out(place: &str) -> String {
    format!(
        "the body's `{place}` looks like a credential and was left out: a secret stands in `#[auth]` only"
    )
}

fn is_blob(text: &str) -> bool {
    text.starts_with("data:") || base64::engine::general_purpose::STANDARD.decode(text).is_ok()
}
