//! The parser: recursive descent over the grammar of RFC 9535, with a limit on depth.

mod filter;

use super::{JsonPath, PathSelector, Segment};
use crate::template::Template;
use crate::{SyntaxError, Text};

/// Filters and parentheses inside one another; more is no path that a person wrote.
const DEEPEST: usize = 32;

/// The largest integer that I-JSON keeps exactly.
const LARGEST: i64 = (1 << 53) - 1;

type Parsed<T> = Result<T, SyntaxError>;

/// A whole path; with holes, a text in quotes may have them.
pub(super) fn path(text: &str, holes: bool) -> Parsed<JsonPath> {
    let mut parser = Parser { text, at: 0, depth: 0, holes };
    if !parser.eat("$") {
        return Err(parser
            .error("a path begins with `$`")
            .help(format!("write \"$.{}\"", text.trim_start_matches('.'))));
    }
    let segments = parser.segments()?;
    if parser.rest().is_empty() {
        return Ok(JsonPath { segments: segments.into() });
    }
    Err(parser.error(format!("`{}` does not belong here", parser.rest())))
}

/// A name that needs no brackets.
pub(super) fn is_member_name(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(name_first) && chars.all(name_char)
}

fn name_first(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_' || !c.is_ascii()
}

fn name_char(c: char) -> bool {
    name_first(c) || c.is_ascii_digit()
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
    depth: usize,
    holes: bool,
}

impl<'t> Parser<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn error(&self, message: impl Into<String>) -> SyntaxError {
        SyntaxError::new(self.at, message)
    }

    fn eat(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    fn expect(&mut self, token: &str) -> Parsed<()> {
        if self.eat(token) { Ok(()) } else { Err(self.error(format!("`{token}` is missing"))) }
    }

    fn blanks(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len();
    }

    /// One level deeper, or an error.
    fn nested<T>(&mut self, inside: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth == DEEPEST {
            return Err(self.error(format!("more than {DEEPEST} levels of nesting")));
        }
        self.depth += 1;
        let parsed = inside(self);
        self.depth -= 1;
        parsed
    }

    fn segments(&mut self) -> Parsed<Vec<Segment>> {
        let mut segments = Vec::new();
        loop {
            let before = self.at;
            self.blanks();
            if self.eat("..") {
                segments.push(Segment::Descendant(self.after_dots()?.into()));
            } else if self.eat(".") {
                segments.push(Segment::Child(vec![self.member()?].into()));
            } else if self.peek() == Some('[') {
                segments.push(Segment::Child(self.bracketed()?.into()));
            } else {
                self.at = before;
                return Ok(segments);
            }
        }
    }

    fn after_dots(&mut self) -> Parsed<Vec<PathSelector>> {
        if self.peek() == Some('[') { self.bracketed() } else { Ok(vec![self.member()?]) }
    }

    fn member(&mut self) -> Parsed<PathSelector> {
        if self.eat("*") {
            return Ok(PathSelector::Wildcard);
        }
        if self.peek().is_some_and(name_first) {
            return Ok(PathSelector::Name(self.name()));
        }
        let missing = self.error("a name or `*` is missing after `.`");
        Err(match self.bare_hole() {
            Some(help) => missing.help(help),
            None => missing.help("a name with other characters is written ['..']"),
        })
    }

    /// What to write instead of a hole without quotes.
    fn bare_hole(&self) -> Option<String> {
        let (hole, _) = self.rest().strip_prefix('{')?.split_once('}')?;
        self.holes.then(|| format!("a hole stands in quotes: write ['{{{hole}}}']"))
    }

    /// A text in quotes: as it stands, or its template when it has holes.
    fn text(&mut self) -> Parsed<Result<Text, Template>> {
        let start = self.at + 1;
        let text = self.string()?;
        if !self.holes {
            return Ok(Ok(text.into()));
        }
        let template =
            Template::parse(&text).map_err(|error| SyntaxError { offset: start + error.offset, ..error })?;
        Ok(match template.as_literal() {
            Some(literal) => Ok(literal.to_owned().into()),
            None => Err(template),
        })
    }

    fn name(&mut self) -> Text {
        let rest = self.rest();
        let end = rest.find(|c| !name_char(c)).unwrap_or(rest.len());
        self.at += end;
        rest.get(..end).unwrap_or_default().to_owned().into()
    }

    fn bracketed(&mut self) -> Parsed<Vec<PathSelector>> {
        self.expect("[")?;
        let mut selectors = Vec::new();
        loop {
            self.blanks();
            selectors.push(self.nested(Self::selector)?);
            self.blanks();
            if self.eat("]") {
                return Ok(selectors);
            }
            self.expect(",")?;
        }
    }

    fn selector(&mut self) -> Parsed<PathSelector> {
        match self.peek() {
            Some('\'' | '"') => Ok(match self.text()? {
                Ok(name) => PathSelector::Name(name),
                Err(template) => PathSelector::Filled(template),
            }),
            Some('*') => {
                self.at += 1;
                Ok(PathSelector::Wildcard)
            }
            Some('?') => {
                self.at += 1;
                self.blanks();
                Ok(PathSelector::Filter(self.or()?))
            }
            Some(':' | '-' | '0'..='9') => self.index_or_slice(),
            _ => {
                let missing = self.error("a name in quotes, an index, `*` or `?filter` is missing here");
                Err(match self.bare_hole() {
                    Some(help) => missing.help(help),
                    None => missing,
                })
            }
        }
    }

    fn index_or_slice(&mut self) -> Parsed<PathSelector> {
        let start = self.integer()?;
        let after_start = self.at;
        self.blanks();
        if !self.eat(":") {
            self.at = after_start;
            return start.map(PathSelector::Index).ok_or_else(|| self.error("an index is missing"));
        }
        self.blanks();
        let end = self.integer()?;
        let after_end = self.at;
        self.blanks();
        let mut step = None;
        if self.eat(":") {
            self.blanks();
            let after_colon = self.at;
            step = self.integer()?;
            if step.is_none() {
                self.at = after_colon;
            }
        } else {
            self.at = after_end;
        }
        Ok(PathSelector::Slice { start, end, step: step.unwrap_or(1) })
    }

    /// An integer without leading zeros that JSON keeps exactly; `None` when there is none here.
    fn integer(&mut self) -> Parsed<Option<i64>> {
        let start = self.at;
        let rest = self.rest();
        let digits = rest.strip_prefix('-').unwrap_or(rest);
        let length = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
        let end = rest.len() - digits.len() + length;
        let text = rest.get(..end).unwrap_or_default();
        if text.is_empty() {
            return Ok(None);
        }
        let zeros = digits.starts_with('0') && (length > 1 || text.starts_with('-'));
        let number: i64 = match text.parse() {
            Ok(number) if !zeros && (-LARGEST..=LARGEST).contains(&number) => number,
            _ => return Err(SyntaxError::new(start, format!("`{text}` is not an index"))),
        };
        self.at += end;
        Ok(Some(number))
    }

    fn string(&mut self) -> Parsed<String> {
        let start = self.at;
        let quote = self.peek().unwrap_or('"');
        self.at += quote.len_utf8();
        let mut text = String::new();
        loop {
            let Some(c) = self.peek() else {
                return Err(SyntaxError::new(start, "this string is not closed"));
            };
            if u32::from(c) < 0x20 {
                return Err(self.error("a control character must be escaped"));
            }
            self.at += c.len_utf8();
            if c == quote {
                return Ok(text);
            }
            text.push(if c == '\\' { self.escape(quote)? } else { c });
        }
    }

    fn escape(&mut self, quote: char) -> Parsed<char> {
        let Some(c) = self.peek() else { return Err(self.error("this string is not closed")) };
        let plain = match c {
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            '/' | '\\' => c,
            c if c == quote => c,
            'u' => {
                self.at += 1;
                return self.code_point();
            }
            _ => return Err(self.error(format!("`\\{c}` is not an escape"))),
        };
        self.at += c.len_utf8();
        Ok(plain)
    }

    fn code_point(&mut self) -> Parsed<char> {
        let start = self.at;
        let wrong = || SyntaxError::new(start, "this is not a code point");
        let high = self.hex()?;
        if !(0xd800..0xdc00).contains(&high) {
            return char::from_u32(high).ok_or_else(wrong);
        }
        if !self.eat("\\u") {
            return Err(wrong());
        }
        let low = self.hex()?;
        if !(0xdc00..0xe000).contains(&low) {
            return Err(wrong());
        }
        char::from_u32(0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00)).ok_or_else(wrong)
    }

    fn hex(&mut self) -> Parsed<u32> {
        let digits = self.rest().get(..4).filter(|digits| digits.chars().all(|c| c.is_ascii_hexdigit()));
        let digits = digits.ok_or_else(|| self.error("four hexadecimal digits are missing"))?;
        self.at += 4;
        u32::from_str_radix(digits, 16).map_err(|_| self.error("four hexadecimal digits are missing"))
    }
}
