//! JSONPath, the subset of RFC 9535 that connectors need: root, names, indices, wildcards, slices, descendants, and filters
//! with existence, comparison, `&&`, `||`, `!`, `length()`, `count()` and `match()`.
//!
//! Parsed when the connector is compiled; evaluated here against a [`serde_json::Value`], without parsing.

use serde_json::Value;

use crate::hole::Literal;
use crate::rule::Comparison;
use crate::{List, SyntaxError, Text};

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
        Err(SyntaxError::new(0, format!("not yet: {text}")))
    }

    /// The nodes that the path selects, in document order.
    pub fn nodes<'v>(&self, root: &'v Value) -> Vec<&'v Value> {
        let _ = root;
        Vec::new()
    }
}
