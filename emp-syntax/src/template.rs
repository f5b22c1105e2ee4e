//! Text with holes: URLs (RFC 6570 level 2), header values, strings inside JSON bodies.
//!
//! `{x}` is the value, escaped for where it stands; `{+x}` keeps `/` and the other reserved characters and may only
//! stand in a URL path; `{{` and `}}` are literal braces. In a URL a `{x}` is one path segment or one query value.

use crate::hole::Hole;
use crate::{List, SyntaxError, Text};

/// A parsed template.
#[derive(Clone, Debug, PartialEq)]
pub struct Template {
    /// Literal text and holes, in order; two literals never stand side by side.
    pub parts: List<Part>,
}

/// A piece of a template.
#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    /// Text as it stands.
    Literal(Text),
    /// A value to insert.
    Hole {
        /// What to insert.
        hole: Hole,
        /// `{+x}`: a path with its slashes, checked segment by segment.
        reserved: bool,
    },
}

impl Template {
    /// Parses a text with holes.
    pub fn parse(text: &str) -> Result<Self, SyntaxError> {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            let offset = text.len() - rest.len() + at;
            let (before, brace) = rest.split_at(at);
            literal.push_str(before);
            if let Some(after) = brace.strip_prefix("{{") {
                literal.push('{');
                rest = after;
            } else if let Some(after) = brace.strip_prefix("}}") {
                literal.push('}');
                rest = after;
            } else if let Some(inside) = brace.strip_prefix('{') {
                let length = hole_length(inside).ok_or_else(|| {
                    SyntaxError::new(offset, "this `{` is not closed")
                        .help("write `{{` for a brace that is text")
                })?;
                let (hole, after) = inside.split_at(length);
                let (reserved, hole, skipped) = match hole.strip_prefix('+') {
                    Some(hole) => (true, hole, 2),
                    None => (false, hole, 1),
                };
                let hole = Hole::parse(hole)
                    .map_err(|error| SyntaxError { offset: offset + skipped + error.offset, ..error })?;
                if !literal.is_empty() {
                    parts.push(Part::Literal(std::mem::take(&mut literal).into()));
                }
                parts.push(Part::Hole { hole, reserved });
                rest = after.get(1..).unwrap_or_default();
            } else {
                return Err(SyntaxError::new(offset, "this `}` closes nothing")
                    .help("write `}}` for a brace that is text"));
            }
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            parts.push(Part::Literal(literal.into()));
        }
        Ok(Self { parts: parts.into() })
    }

    /// The text, when there is no hole in it.
    pub fn as_literal(&self) -> Option<&str> {
        match self.parts.as_ref() {
            [] => Some(""),
            [Part::Literal(text)] => Some(text),
            _ => None,
        }
    }

    /// The holes, in order.
    pub fn holes(&self) -> impl Iterator<Item = &Hole> {
        self.parts.iter().filter_map(|part| match part {
            Part::Hole { hole, .. } => Some(hole),
            Part::Literal(_) => None,
        })
    }
}

/// Bytes up to the brace that closes a hole; a brace inside a string literal does not.
fn hole_length(inside: &str) -> Option<usize> {
    let mut quoted = false;
    let mut escaped = false;
    for (at, c) in inside.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '}' if !quoted => return Some(at),
            _ => {}
        }
    }
    None
}

impl std::fmt::Display for Template {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for part in self.parts.iter() {
            match part {
                Part::Literal(text) => f.write_str(&text.replace('{', "{{").replace('}', "}}"))?,
                Part::Hole { hole, reserved } => write!(f, "{{{}{hole}}}", if *reserved { "+" } else { "" })?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Template;

    #[test]
    fn a_template_prints_as_it_was_written() {
        for text in [
            "",
            "/jobs/{job.id}",
            "/{+payload.model}/x",
            "a{{b}}c",
            "{payload.a?}",
            "{payload.a ?? \"x}y\"}",
            "{payload.a ?? env.b}/{payload.items[2].name}",
            "{payload.n ?? 3}",
        ] {
            assert_eq!(Template::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn i27_a_template_that_is_wrong_says_where() {
        for (text, offset) in [
            ("/a/{job.id", 3),
            ("/a}b", 2),
            ("{nope.x}", 1),
            ("x{payload.}", 9),
            ("{payload.a[x]}", 10),
            ("{}", 1),
            ("{payload.a ?? }", 14),
            ("{payload.a b}", 11),
        ] {
            assert_eq!(Template::parse(text).unwrap_err().offset, offset, "{text}");
        }
        assert_eq!(Template::parse("{paylod.x}").unwrap_err().help.unwrap(), "did you mean `payload`?");
    }
}
