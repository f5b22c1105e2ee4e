//! Whether a request has the declared credential.

use emp_core::spec::{Auth, AuthPart, ConnectorSpec};

use super::Seen;

/// The text in the credential's place.
pub(crate) fn credential<'s>(auth: &Auth, seen: &'s Seen) -> Option<&'s str> {
    let header = |name: &str| seen.headers.get(&name.to_ascii_lowercase()).map(String::as_str);
    match auth {
        Auth::Header { name, .. } => header(name),
        Auth::Query { name, .. } => {
            seen.query.iter().find_map(|(key, text)| (key == name).then_some(text.as_str()))
        }
        Auth::Basic { .. } | Auth::Jwt(_) | Auth::OAuth2(_) => header("authorization"),
        _ => None,
    }
}

/// Whether a request has the declared credential: in its place, and of its shape.
pub(crate) fn authorized(spec: &ConnectorSpec, auth: &Auth, seen: &Seen) -> bool {
    let optional = |part: &AuthPart| match part {
        AuthPart::Field(field) => {
            spec.env_field(field).is_some_and(|field| !field.required && field.default.is_none())
        }
        AuthPart::Literal(_) => false,
    };
    let shaped = |value: &[AuthPart]| match credential(auth, seen) {
        Some(text) => has_shape(value, text),
        // The credential of a field that may be unset is left out when it is.
        None => value.iter().any(optional),
    };
    match auth {
        Auth::Header { value, .. } | Auth::Query { value, .. } => shaped(value),
        Auth::Basic { user, password } => match credential(auth, seen) {
            Some(text) => text.strip_prefix("Basic ").is_some_and(|rest| !rest.is_empty()),
            None => optional(user) || optional(password),
        },
        _ => true,
    }
}

fn has_shape(value: &[AuthPart], text: &str) -> bool {
    match value.split_first() {
        None => text.is_empty(),
        Some((AuthPart::Literal(literal), rest)) => {
            text.strip_prefix(literal).is_some_and(|text| has_shape(rest, text))
        }
        Some((AuthPart::Field(_), rest)) => (1..=text.len())
            .filter(|end| text.is_char_boundary(*end))
            .any(|end| has_shape(rest, &text[end..])),
    }
}
