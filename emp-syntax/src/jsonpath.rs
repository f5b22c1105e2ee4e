//! JSONPath, the subset of RFC 9535 that connectors need: root, names, indices, wildcards, slices, descendants, and filters
//! with existence, comparison, `&&`, `||`, `!`, `length()`, `count()` and `match()`.
//!
//! Parsed when the connector is compiled; evaluated here against a [`serde_json::Value`], without parsing. A path of a
//! declaration may have holes in its quoted texts, which [`JsonPath::fill`] fills.

use std::fmt;

use crate::hole::Literal;
use crate::rule::Comparison;
use crate::template::Template;
use crate::{List, SyntaxError, Text};

mod eval;
mod holes;
mod parse;

/// A parsed path.
#[derive(Clone, Debug, PartialEq)]
pub struct JsonPath {
    /// The steps from the root.
    pub segments: List<Segment>,
}

/// A step of a path.
#[derive(Clone, Debug, PartialEq)]
pub enum Segment {
    /// `.name`, `[..]`: among the children.
    Child(List<PathSelector>),
    /// `..name`, `..[..]`: among the node and all its descendants.
    Descendant(List<PathSelector>),
}

/// What a step selects.
#[derive(Clone, Debug, PartialEq)]
pub enum PathSelector {
    /// A member by name.
    Name(Text),
    /// A member by a name with holes: `['{job.id}']`.
    Filled(Template),
    /// An element; negative counts from the end.
    Index(i64),
    /// All children.
    Wildcard,
    /// `start:end:step`
    Slice {
        /// First index, from the end when negative.
        start: Option<i64>,
        /// The index after the last one.
        end: Option<i64>,
        /// The distance between two; 1 when not given.
        step: i64,
    },
    /// `?condition` over each child.
    Filter(Filter),
}

/// A condition of a filter.
#[derive(Clone, Debug, PartialEq)]
pub enum Filter {
    /// Both or more.
    And(List<Filter>),
    /// One or more.
    Or(List<Filter>),
    /// Not this one; a list of exactly one.
    Not(List<Filter>),
    /// The query finds something.
    Exists(Query),
    /// Two values compared.
    Compare {
        /// The left one.
        left: Operand,
        /// How.
        op: Comparison,
        /// The right one.
        right: Operand,
    },
    /// `match(value, 'pattern')`: the whole text matches. `search(..)` is `whole: false`.
    Match {
        /// The text.
        value: Operand,
        /// An I-Regexp.
        pattern: Text,
        /// The pattern must match from end to end.
        whole: bool,
    },
}

/// A query inside a filter: from the current node (`@`) or the root (`$`).
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// `@`, the current node, and not `$`.
    pub relative: bool,
    /// The steps.
    pub segments: List<Segment>,
}

/// A value in a comparison.
#[derive(Clone, Debug, PartialEq)]
pub enum Operand {
    /// A constant.
    Literal(Literal),
    /// A text with holes: `'{job.id}'`.
    Filled(Template),
    /// A query for at most one node.
    Query(Query),
    /// `length(query)`: of a text, a list or an object.
    Length(Query),
    /// `count(query)`: how many nodes.
    Count(Query),
}

impl JsonPath {
    /// Parses a path that begins with `$`.
    pub fn parse(text: &str) -> Result<Self, SyntaxError> {
        parse::path(text, false)
    }

    /// The steps as plain names and indices, when there is nothing else in the path; a wildcard counts as the first element.
    /// A fake service builds the answer that such a path would find.
    pub fn simple_steps(&self) -> Option<Vec<SimpleStep<'_>>> {
        self.segments
            .iter()
            .map(|segment| match segment {
                Segment::Child(selectors) => match selectors.as_ref() {
                    [PathSelector::Name(name)] => Some(SimpleStep::Name(name)),
                    [PathSelector::Index(index)] => usize::try_from(*index).ok().map(SimpleStep::Index),
                    [PathSelector::Wildcard] => Some(SimpleStep::Index(0)),
                    _ => None,
                },
                Segment::Descendant(_) => None,
            })
            .collect()
    }
}

/// A step of a path that has only names and indices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SimpleStep<'p> {
    /// A member.
    Name(&'p str),
    /// An element.
    Index(usize),
}

impl fmt::Display for JsonPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("$")?;
        segments(&self.segments, f)
    }
}

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.relative { "@" } else { "$" })?;
        segments(&self.segments, f)
    }
}

fn segments(segments: &[Segment], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for segment in segments {
        let (descend, selectors) = match segment {
            Segment::Child(selectors) => ("", selectors),
            Segment::Descendant(selectors) => ("..", selectors),
        };
        match (descend, selectors.as_ref()) {
            (_, [PathSelector::Name(name)]) if parse::is_member_name(name) => {
                write!(f, "{}{name}", if descend.is_empty() { "." } else { descend })?;
            }
            (_, selectors) => write!(f, "{descend}[{}]", list(selectors, ","))?,
        }
    }
    Ok(())
}

fn list<T: fmt::Display>(items: &[T], separator: &str) -> String {
    items.iter().map(T::to_string).collect::<Vec<_>>().join(separator)
}

impl fmt::Display for PathSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => quoted(name, f),
            Self::Filled(template) => quoted(&template.to_string(), f),
            Self::Index(index) => write!(f, "{index}"),
            Self::Wildcard => f.write_str("*"),
            Self::Slice { start, end, step } => {
                let bound = |bound: &Option<i64>| bound.map(|bound| bound.to_string()).unwrap_or_default();
                write!(f, "{}:{}:{step}", bound(start), bound(end))
            }
            Self::Filter(filter) => write!(f, "?{filter}"),
        }
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::And(all) => write!(f, "({})", list(all, "&&")),
            Self::Or(any) => write!(f, "({})", list(any, "||")),
            Self::Not(not) => write!(f, "!({})", list(not, "")),
            Self::Exists(query) => query.fmt(f),
            Self::Compare { left, op, right } => write!(f, "{left}{op}{right}"),
            Self::Match { value, pattern, whole } => {
                write!(f, "{}({value},", if *whole { "match" } else { "search" })?;
                quoted(pattern, f)?;
                f.write_str(")")
            }
        }
    }
}

impl fmt::Display for Operand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Literal(Literal::Text(text)) => quoted(text, f),
            Self::Literal(literal) => literal.fmt(f),
            Self::Filled(template) => quoted(&template.to_string(), f),
            Self::Query(query) => query.fmt(f),
            Self::Length(query) => write!(f, "length({query})"),
            Self::Count(query) => write!(f, "count({query})"),
        }
    }
}

/// A string literal in single quotes.
fn quoted(text: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str("'")?;
    for c in text.chars() {
        match c {
            '\'' | '\\' => write!(f, "\\{c}")?,
            c if u32::from(c) < 0x20 => write!(f, "\\u{:04x}", u32::from(c))?,
            c => write!(f, "{c}")?,
        }
    }
    f.write_str("'")
}
