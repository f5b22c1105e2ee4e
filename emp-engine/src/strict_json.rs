//! JSON from outside: bounded depth and node count, no duplicate keys, UTF-8 without a byte order mark, and whole numbers exact
//! whatever their size.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Deepest nesting.
pub const MAX_DEPTH: usize = 64;
/// Most values in one document.
pub const MAX_NODES: usize = 250_000;
/// Longest member name, bytes.
pub const MAX_KEY: usize = 4096;

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
    let mut nodes = 0;
    let bytes = exact(bytes);
    let mut reader = serde_json::Deserializer::from_slice(&bytes);
    let value =
        Node { depth: 0, nodes: &mut nodes }.deserialize(&mut reader).map_err(|error| describe(&error))?;
    reader.end().map_err(|error| describe(&error))?;
    Ok(value)
}

fn describe(error: &serde_json::Error) -> String {
    if error.is_data() {
        error.to_string()
    } else {
        format!("the body is not JSON (line {}, column {})", error.line(), error.column())
    }
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

struct Node<'n> {
    depth: usize,
    nodes: &'n mut usize,
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, reader: D) -> Result<Value, D::Error> {
        *self.nodes += 1;
        if *self.nodes > MAX_NODES {
            return Err(D::Error::custom(format_args!("the body has more than {MAX_NODES} values")));
        }
        if self.depth > MAX_DEPTH {
            return Err(D::Error::custom(format_args!("the body nests deeper than {MAX_DEPTH}")));
        }
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("a number is not finite"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = items.next_element_seed(Node { depth: self.depth + 1, nodes: self.nodes })? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            if name.len() > MAX_KEY {
                return Err(A::Error::custom(format_args!("a member's name is longer than {MAX_KEY} bytes")));
            }
            let value = members.next_value_seed(Node { depth: self.depth + 1, nodes: self.nodes })?;
            // Two readers of one document must not see two documents.
            if object.insert(name, value).is_some() {
                return Err(A::Error::custom("a member stands there twice"));
            }
        }
        Ok(Value::Object(object))
    }
}
