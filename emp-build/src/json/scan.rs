//! Finds where everything is in a JSON text.

use std::ops::Range;

use super::{Json, Member, Node};

/// Deeper than what `serde_json` reads.
const MAX_DEPTH: usize = 160;

/// The value of a JSON text with places; `None` when it is not JSON, of which `serde_json` says more.
pub(crate) fn scan(text: &str) -> Option<Node> {
    let mut scanner = Scanner { text, at: 0 };
    let node = scanner.value(0)?;
    scanner.space();
    (scanner.at == text.len()).then_some(node)
}

/// Where a part of a decoded string is in the raw text: `within` counts bytes of what the string literal at `literal` says.
pub(crate) fn raw_span(text: &str, literal: &Range<usize>, within: &Range<usize>) -> Range<usize> {
    raw_offset(text, literal, within.start)..raw_offset(text, literal, within.end)
}

fn raw_offset(text: &str, literal: &Range<usize>, decoded: usize) -> usize {
    let inner = literal.start + 1..literal.end.saturating_sub(1);
    let mut units = Units { rest: text.get(inner.clone()).unwrap_or_default() };
    let (mut raw, mut seen) = (inner.start, 0);
    while seen < decoded {
        let Some((unit, bytes)) = units.next() else { break };
        raw += unit;
        seen += bytes;
    }
    raw
}

/// The characters of a string literal's inside, as (bytes in the text, bytes when decoded).
struct Units<'a> {
    rest: &'a str,
}

impl Iterator for Units<'_> {
    type Item = (usize, usize);

    fn next(&mut self) -> Option<(usize, usize)> {
        let first = self.rest.chars().next()?;
        let unit = match (first, self.rest.as_bytes().get(1)) {
            ('\\', Some(b'u')) => self.escape()?,
            ('\\', Some(_)) => (2, 1),
            _ => (first.len_utf8(), first.len_utf8()),
        };
        self.rest = self.rest.get(unit.0..)?;
        Some(unit)
    }
}

impl Units<'_> {
    /// `\u00e9`, or the two of a surrogate pair.
    fn escape(&self) -> Option<(usize, usize)> {
        let high = u32::from_str_radix(self.rest.get(2..6)?, 16).ok()?;
        Some(match char::from_u32(high) {
            Some(character) => (6, character.len_utf8()),
            None => (12, 4),
        })
    }
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl Scanner<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn eat(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn value(&mut self, depth: usize) -> Option<Node> {
        if depth > MAX_DEPTH {
            return None;
        }
        self.space();
        let start = self.at;
        let value = match self.peek()? {
            b'{' => self.object(depth)?,
            b'[' => self.array(depth)?,
            b'"' => Json::Text(self.string()?),
            _ => self.scalar()?,
        };
        Some(Node { span: start..self.at, value })
    }

    fn object(&mut self, depth: usize) -> Option<Json> {
        let mut members = Vec::new();
        self.eat(b'{')?;
        self.space();
        if self.eat(b'}').is_some() {
            return Some(Json::Object(members));
        }
        loop {
            self.space();
            let start = self.at;
            let key = self.string()?;
            let span = start..self.at;
            self.space();
            self.eat(b':')?;
            members.push(Member { key, span, value: self.value(depth + 1)? });
            self.space();
            if self.eat(b'}').is_some() {
                return Some(Json::Object(members));
            }
            self.eat(b',')?;
        }
    }

    fn array(&mut self, depth: usize) -> Option<Json> {
        let mut entries = Vec::new();
        self.eat(b'[')?;
        self.space();
        if self.eat(b']').is_some() {
            return Some(Json::Array(entries));
        }
        loop {
            entries.push(self.value(depth + 1)?);
            self.space();
            if self.eat(b']').is_some() {
                return Some(Json::Array(entries));
            }
            self.eat(b',')?;
        }
    }

    fn string(&mut self) -> Option<String> {
        let start = self.at;
        self.eat(b'"')?;
        loop {
            match self.peek()? {
                b'"' => break,
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
        self.at += 1;
        serde_json::from_str(self.text.get(start..self.at)?).ok()
    }

    fn scalar(&mut self) -> Option<Json> {
        let start = self.at;
        while matches!(self.peek(), Some(b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'+' | b'-' | b'.')) {
            self.at += 1;
        }
        serde_json::from_str::<serde_json::Value>(self.text.get(start..self.at)?).ok().map(|_| Json::Scalar)
    }
}

#[cfg(test)]
mod tests;
