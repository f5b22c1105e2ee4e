//! Forms, multipart and raw bodies. The same values give the same bytes: a resend is no other order.

use bytes::Bytes;
use emp_core::{ErrorCode, JobError};
use emp_syntax::asset::Adapter;
use emp_syntax::json::{Json, Member};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use url::form_urlencoded;

use super::encode::{self, Encoded};
use super::{bad, body, missing, scalar};
use crate::asset::File;
use crate::context::Context;
use crate::key;

/// A part of a form.
pub(super) struct Part {
    name: String,
    content: Content,
}

enum Content {
    Text(String),
    File(File),
}

/// The parts of a form, in the order of the declaration.
pub(super) fn parts(
    members: &[Member],
    field: Option<(&'static str, &str)>,
    context: &Context<'_>,
) -> Result<Vec<Part>, JobError> {
    let mut parts = Vec::new();
    for member in members {
        match member {
            Member::Field { name, value } => push(&mut parts, name, value, context)?,
            Member::Spread(reference) => match context.lookup(reference) {
                None => {}
                Some(Value::Object(members)) => spread(&mut parts, &members, &context.place(reference))?,
                Some(_) => {
                    return Err(bad(&context.place(reference), "is not an object, so it cannot be spread"));
                }
            },
            Member::SpreadHook(hook) => match body::made(hook, context) {
                None => {}
                Some(Value::Object(members)) => spread(&mut parts, &members, "the body")?,
                Some(_) => return Err(bad("the body", "has a spread of what is not an object")),
            },
        }
    }
    parts.extend(
        field.map(|(name, key)| Part { name: name.to_owned(), content: Content::Text(key.to_owned()) }),
    );
    Ok(parts)
}

fn push(parts: &mut Vec<Part>, name: &str, value: &Json, context: &Context<'_>) -> Result<(), JobError> {
    match value {
        Json::Array(values) => values.iter().try_for_each(|value| push(parts, name, value, context)),
        Json::Asset(asset) if asset.adapter == Adapter::File => {
            let file = encode::file(asset, context)?;
            parts.extend(file.map(|file| Part { name: name.to_owned(), content: Content::File(file) }));
            Ok(())
        }
        Json::First(values) => {
            let before = parts.len();
            values.iter().try_for_each(|value| {
                if parts.len() > before { Ok(()) } else { push(parts, name, value, context) }
            })
        }
        value => match body::value(value, context)? {
            None => Ok(()),
            Some(found) => texts(parts, name, &found, &format!("part `{name}`")),
        },
    }
}

/// All members of an object of the payload's.
fn spread(parts: &mut Vec<Part>, members: &Map<String, Value>, place: &str) -> Result<(), JobError> {
    for (name, value) in members {
        if name.is_empty() || name.chars().any(char::is_control) {
            return Err(bad(place, "has a member whose name cannot be that of a part"));
        }
        texts(parts, name, value, &format!("{place}.{name}"))?;
    }
    Ok(())
}

/// A value as text; a list has a part for each element, and null has none.
fn texts(parts: &mut Vec<Part>, name: &str, value: &Value, place: &str) -> Result<(), JobError> {
    match value {
        Value::Null => Ok(()),
        Value::Array(values) => values.iter().enumerate().try_for_each(|(at, value)| {
            let content = Content::Text(scalar(value, &format!("{place}[{at}]"))?);
            parts.push(Part { name: name.to_owned(), content });
            Ok(())
        }),
        value => {
            parts.push(Part { name: name.to_owned(), content: Content::Text(scalar(value, place)?) });
            Ok(())
        }
    }
}

/// `application/x-www-form-urlencoded`
pub(super) fn urlencoded(parts: &[Part]) -> Result<Encoded, JobError> {
    let mut form = form_urlencoded::Serializer::new(String::new());
    for part in parts {
        let Content::Text(text) = &part.content else {
            return Err(JobError::new(ErrorCode::EBadRequest, "a file cannot stand in a urlencoded form"));
        };
        form.append_pair(&part.name, text);
    }
    let content_type = "application/x-www-form-urlencoded".to_owned();
    Ok(Encoded { bytes: form.finish().into(), content_type })
}

/// `multipart/form-data` (RFC 7578), with a boundary that follows from the attempt's key and is in no part.
pub(super) fn multipart(parts: &[Part], key: &str) -> Encoded {
    let boundary = boundary(parts, key);
    let length: usize = parts.iter().map(|part| part.bytes().len() + 256).sum();
    let mut bytes = Vec::with_capacity(length + boundary.len() + 8);
    for part in parts {
        let name = quoted(&part.name);
        let head = match &part.content {
            Content::Text(_) => format!("name=\"{name}\""),
            Content::File(file) => {
                let file_name = quoted(&file.name(&part.name));
                format!("name=\"{name}\"; filename=\"{file_name}\"\r\nContent-Type: {}", file.mime)
            }
        };
        let head = format!("--{boundary}\r\nContent-Disposition: form-data; {head}\r\n\r\n");
        bytes.extend_from_slice(head.as_bytes());
        bytes.extend_from_slice(part.bytes());
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    Encoded { bytes: bytes.into(), content_type: format!("multipart/form-data; boundary={boundary}") }
}

impl Part {
    fn bytes(&self) -> &[u8] {
        match &self.content {
            Content::Text(text) => text.as_bytes(),
            Content::File(file) => &file.bytes,
        }
    }
}

fn boundary(parts: &[Part], key: &str) -> String {
    let candidate = |round: u32| {
        let digest = Sha256::new_with_prefix(b"emp boundary 1\0")
            .chain_update(key.as_bytes())
            .chain_update(b"\0")
            .chain_update(round.to_be_bytes())
            .finalize();
        format!("emp-{}", key::hex(&digest[..16]))
    };
    let free = |boundary: &String| !parts.iter().any(|part| contains(part.bytes(), boundary.as_bytes()));
    // Who knows the key could put the first ones into a part, but not all of them into a body of limited size.
    (0..u32::MAX).map(candidate).find(free).unwrap_or_else(|| candidate(u32::MAX))
}

fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    let Some(first) = wanted.first() else { return true };
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(|byte| byte == first) {
        rest = rest.get(at..).unwrap_or_default();
        if rest.starts_with(wanted) {
            return true;
        }
        rest = rest.get(1..).unwrap_or_default();
    }
    false
}

/// A text between the quotes of a header, as browsers escape it: nothing in it can end the quotes or the line.
fn quoted(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut quoted, c| {
        match c {
            '"' => quoted.push_str("%22"),
            '\r' => quoted.push_str("%0D"),
            '\n' => quoted.push_str("%0A"),
            c if c.is_control() => {}
            c => quoted.push(c),
        }
        quoted
    })
}

/// One value, or the bytes of one asset.
pub(super) fn raw(
    value: &Json,
    content_type: Option<&'static str>,
    context: &Context<'_>,
) -> Result<Encoded, JobError> {
    let mut parts = Vec::new();
    push(&mut parts, "body", value, context)?;
    let Some(part) = parts.into_iter().next() else { return Err(missing("the raw body")) };
    let (bytes, own): (Bytes, String) = match part.content {
        Content::Text(text) => (text.into(), "text/plain; charset=utf-8".to_owned()),
        Content::File(file) => (file.bytes, file.mime),
    };
    Ok(Encoded { bytes, content_type: content_type.map_or(own, str::to_owned) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(name: &str, text: &str) -> Part {
        Part { name: name.to_owned(), content: Content::Text(text.to_owned()) }
    }

    fn shown(parts: &[Part]) -> String {
        String::from_utf8_lossy(&multipart(parts, "key").bytes).into_owned()
    }

    #[test]
    fn m4_multipart_is_written_as_rfc_7578_says_and_the_same_each_time() {
        let file = File { bytes: Bytes::from_static(b"PNG"), mime: "image/png".to_owned(), name: None };
        let parts =
            [text("prompt", "a cat"), Part { name: "image".to_owned(), content: Content::File(file) }];
        let boundary = boundary(&parts, "key");
        assert_eq!(
            shown(&parts),
            format!(
                "--{boundary}\r\nContent-Disposition: form-data; name=\"prompt\"\r\n\r\na cat\r\n\
                 --{boundary}\r\nContent-Disposition: form-data; name=\"image\"; filename=\"image.png\"\r\n\
                 Content-Type: image/png\r\n\r\nPNG\r\n--{boundary}--\r\n"
            )
        );
        assert_eq!(multipart(&parts, "key").bytes, multipart(&parts, "key").bytes);
        assert_ne!(multipart(&parts, "key").bytes, multipart(&parts, "another").bytes);
    }

    #[test]
    fn m4_a_boundary_that_stands_in_a_part_is_not_used() {
        let first = boundary(&[], "key");
        let parts = [text("prompt", &format!("x\r\n--{first}--"))];
        let second = boundary(&parts, "key");
        assert_ne!(first, second);
        assert_eq!(shown(&parts).matches(&second).count(), 2);
    }

    #[test]
    fn m4_no_name_can_end_its_quotes_or_its_line() {
        let evil = "a\"; filename=\"x\r\nContent-Type: text/html\r\n\r\n";
        let file = File {
            bytes: Bytes::from_static(b"x"),
            mime: "image/png".to_owned(),
            name: Some(evil.to_owned()),
        };
        let body = shown(&[text(evil, "v"), Part { name: "f".to_owned(), content: Content::File(file) }]);
        assert_eq!(body.matches("\r\nContent-Type:").count(), 1, "{body}");
        assert_eq!(body.matches("; filename=\"").count(), 1, "{body}");
        assert!(body.contains("name=\"a%22; filename=%22x%0D%0AContent-Type"), "{body}");
    }
}
