//! JSON from outside: bounded depth and node count, no duplicate keys, UTF-8 without a byte order mark, and whole numbers exact
//! whatever their size.

use std::borrow::Cow;

use emp_core::strict_json;
use serde_json::Value;

/// Most values in one document.
pub const MAX_NODES: usize = 250_000;

/// Parses a document; the error says what is wrong, not what was in it.
pub fn parse(bytes: &[u8]) -> Result<Value, String> {
    if bytes.is_empty() {
        return Err("the body is empty".to_owned());
    }
    if bytes.starts_with(&[0xef, 0xbb, 0xbf]) {
        return Err("the body begins with a byte order mark".to_owned());
    }
    if std::str::from_utf8(bytes).is_err() {
        return Err("the body is not UTF-8".to_owned());
    }
    strict_json::parse(&exact(bytes), MAX_NODES).map_err(|fault| {
        if fault.syntax {
            format!("the body is not JSON (line {}, column {})", fault.line, fault.column)
        } else {
            format!("the body has {}", fault.message)
        }
    })
}

/// The document with each whole number that no integer type holds as a text: a float would make another number of an id (I24).
fn exact(bytes: &[u8]) -> Cow<'_, [u8]> {
    let mut quoted = Vec::new();
    let mut copied = 0;
    let mut place = 0;
    while let Some(byte) = bytes.get(place) {
        let rest = bytes.get(place..).unwrap_or_default();
        let length = match byte {
            b'"' => text_length(rest),
            b'-' | b'0'..=b'9' => rest.iter().take_while(|byte| b"+-.eE0123456789".contains(byte)).count(),
            _ => 1,
        };
        let token = rest.get(..length).unwrap_or(rest);
        if too_large(token) {
            quoted.extend_from_slice(bytes.get(copied..place).unwrap_or_default());
            quoted.push(b'"');
            quoted.extend_from_slice(token);
            quoted.push(b'"');
            copied = place + token.len();
        }
        place += token.len();
    }
    if copied == 0 {
        return Cow::Borrowed(bytes);
    }
    quoted.extend_from_slice(bytes.get(copied..).unwrap_or_default());
    Cow::Owned(quoted)
}

/// Bytes of a text with both its quotes; to the end when it has none.
fn text_length(text: &[u8]) -> usize {
    let mut escaped = false;
    let end = text.iter().skip(1).position(|byte| {
        let ends = *byte == b'"' && !escaped;
        escaped = *byte == b'\\' && !escaped;
        ends
    });
    end.map_or(text.len(), |end| end + 2)
}

/// A whole number as JSON writes one that fits neither `i64` nor `u64`.
fn too_large(token: &[u8]) -> bool {
    let digits = token.strip_prefix(b"-").unwrap_or(token);
    digits.len() >= 19
        && digits.first() != Some(&b'0')
        && digits.iter().all(u8::is_ascii_digit)
        && std::str::from_utf8(token)
            .is_ok_and(|text| text.parse::<i64>().is_err() && text.parse::<u64>().is_err())
}
