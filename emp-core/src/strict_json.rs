//! JSON from outside: one value, no member twice, bounded in depth and number, and a fault that says where.

use std::cell::{Cell, RefCell};
use std::fmt::{self, Write};

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// How deep a value may be nested.
pub const MAX_DEPTH: usize = 64;
/// Longest name of a member, bytes.
pub const MAX_NAME: usize = 4096;

/// A text that is not acceptable JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonFault {
    /// What is wrong.
    pub message: String,
    /// It is no JSON at all, and not JSON beyond the bounds.
    pub syntax: bool,
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1.
    pub column: usize,
    /// The value in which it is, as a JSON pointer.
    pub pointer: String,
}

/// Reads one JSON value with at most so many values in it.
pub fn parse(text: &[u8], max_nodes: usize) -> Result<Value, JsonFault> {
    let place = Place { path: RefCell::default(), left: Cell::new(max_nodes) };
    let mut reader = serde_json::Deserializer::from_slice(text);
    let parsed = Node { place: &place, depth: 0 }.deserialize(&mut reader).and_then(|value| {
        place.path.borrow_mut().clear();
        reader.end().map(|()| value)
    });
    parsed.map_err(|error| {
        let full = error.to_string();
        let message = full.rsplit_once(" at line ").map_or(full.as_str(), |(message, _)| message).to_owned();
        JsonFault {
            message,
            syntax: !error.is_data(),
            line: error.line(),
            column: error.column(),
            pointer: place.pointer(),
        }
    })
}

/// Adds a member's name to a JSON pointer.
pub fn push_segment(pointer: &mut String, segment: &str) {
    pointer.push('/');
    for character in segment.chars() {
        match character {
            '~' => pointer.push_str("~0"),
            '/' => pointer.push_str("~1"),
            other => pointer.push(other),
        }
    }
}

/// Where the reader is. A segment is taken off only after its value was read, so that after a fault the path is the place.
struct Place {
    path: RefCell<Vec<Segment>>,
    /// How many more values there may be.
    left: Cell<usize>,
}

enum Segment {
    Member(String),
    Item(usize),
}

impl Place {
    fn pointer(&self) -> String {
        let mut pointer = String::new();
        for segment in self.path.borrow().iter() {
            match segment {
                // A name of the client's may be long; the pointer goes back to it.
                Segment::Member(name) => {
                    push_segment(&mut pointer, &name.chars().take(64).collect::<String>());
                }
                Segment::Item(index) => {
                    let _ = write!(pointer, "/{index}");
                }
            }
        }
        pointer
    }
}

/// Reads one value at a depth.
#[derive(Clone, Copy)]
struct Node<'a> {
    place: &'a Place,
    depth: usize,
}

impl Node<'_> {
    fn deeper<E: Error>(self) -> Result<Self, E> {
        if self.depth == MAX_DEPTH {
            return Err(E::custom(format_args!("nested deeper than {MAX_DEPTH} levels")));
        }
        Ok(Self { depth: self.depth + 1, ..self })
    }
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        match self.place.left.get().checked_sub(1) {
            Some(left) => self.place.left.set(left),
            None => return Err(D::Error::custom("more values than one text may hold")),
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
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
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("a number out of range"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let node = self.deeper()?;
        let mut list = Vec::new();
        loop {
            self.place.path.borrow_mut().push(Segment::Item(list.len()));
            let item = items.next_element_seed(node)?;
            self.place.path.borrow_mut().pop();
            match item {
                Some(item) => list.push(item),
                None => return Ok(Value::Array(list)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let node = self.deeper()?;
        let mut map = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            if name.len() > MAX_NAME {
                return Err(A::Error::custom(format_args!(
                    "a member's name is longer than {MAX_NAME} bytes"
                )));
            }
            self.place.path.borrow_mut().push(Segment::Member(name.clone()));
            if map.contains_key(&name) {
                return Err(A::Error::custom("a member that is given twice"));
            }
            map.insert(name, members.next_value_seed(node)?);
            self.place.path.borrow_mut().pop();
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{MAX_DEPTH, parse as parse_within};

    const MAX_NODES: usize = 1_000;

    fn parse(text: &[u8]) -> Result<Value, super::JsonFault> {
        parse_within(text, MAX_NODES)
    }

    #[test]
    fn what_serde_json_reads_is_read_alike() {
        for text in [
            "null",
            "true",
            "-1",
            "18446744073709551615",
            "0.1",
            "\"a\\u00e9\"",
            "[]",
            "[1,[2]]",
            r#"{"b":1,"a":{"c":null}}"#,
        ] {
            let expected: Value = serde_json::from_str(text).unwrap();
            assert_eq!(parse(text.as_bytes()).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn i68_a_fault_has_line_column_and_pointer() {
        let cases: [(&str, usize, usize, &str, &str); 8] = [
            ("{\n  \"a\": oops\n}", 2, 8, "/a", "expected value"),
            (r#"{"a": {"b": 1, "b": 2}}"#, 1, 18, "/a/b", "given twice"),
            (r#"{"a": [1, {"x/y~": ]}"#, 1, 20, "/a/1/x~1y~0", "expected value"),
            ("{} {}", 1, 4, "", "trailing characters"),
            ("{} // comment", 1, 4, "", "trailing characters"),
            ("{\"a\": 1,}", 1, 9, "", "trailing comma"),
            ("", 1, 0, "", "EOF"),
            ("[1e999]", 1, 6, "/0", "number out of range"),
        ];
        for (text, line, column, pointer, message) in cases {
            let fault = parse(text.as_bytes()).unwrap_err();
            assert_eq!((fault.line, fault.pointer.as_str()), (line, pointer), "{text}: {fault:?}");
            assert!(fault.column.abs_diff(column) <= 1, "{text}: {fault:?}");
            assert!(fault.message.contains(message), "{text}: {fault:?}");
        }
        assert!(parse(b"\xef\xbb\xbf{}").is_err(), "a byte order mark");
        assert!(parse(b"\"\xff\"").is_err(), "not UTF-8");
    }

    #[test]
    fn i68_depth_and_number_are_bounded() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(parse(nested(MAX_DEPTH).as_bytes()).is_ok());
        assert!(parse(nested(MAX_DEPTH + 1).as_bytes()).unwrap_err().message.contains("deeper"));
        assert!(parse("[".repeat(10_000).as_bytes()).unwrap_err().message.contains("deeper"));
        let list = |items: usize| format!("[{}]", vec!["0"; items].join(","));
        assert_eq!(parse(list(MAX_NODES - 1).as_bytes()).unwrap(), json!(vec![0; MAX_NODES - 1]));
        assert!(parse(list(MAX_NODES).as_bytes()).unwrap_err().message.contains("values"));
    }
}
