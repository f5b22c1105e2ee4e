//! The evaluator, as RFC 9535 says, over [`serde_json::Value`].

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex};

use regex::Regex;
use serde_json::Value;

use super::{Filter, JsonPath, Operand, PathSelector, Query, Segment};
use crate::rule::Comparison;

impl JsonPath {
    /// The nodes that the path selects, in document order.
    pub fn nodes<'v>(&self, root: &'v Value) -> Vec<&'v Value> {
        select(&self.segments, root, root)
    }

    /// The first of them.
    pub fn first<'v>(&self, root: &'v Value) -> Option<&'v Value> {
        self.nodes(root).into_iter().next()
    }
}

fn select<'v>(segments: &[Segment], start: &'v Value, root: &'v Value) -> Vec<&'v Value> {
    let mut nodes = vec![start];
    for segment in segments {
        let mut next = Vec::new();
        for node in nodes {
            match segment {
                Segment::Child(selectors) => children(selectors, node, root, &mut next),
                Segment::Descendant(selectors) => descendants(selectors, node, root, &mut next),
            }
        }
        nodes = next;
    }
    nodes
}

fn descendants<'v>(selectors: &[PathSelector], node: &'v Value, root: &'v Value, found: &mut Vec<&'v Value>) {
    // A stack instead of recursion: the document comes from outside, and its depth with it.
    let mut stack = vec![node];
    while let Some(node) = stack.pop() {
        children(selectors, node, root, found);
        let below = stack.len();
        stack.extend(elements(node));
        if let Some(below) = stack.get_mut(below..) {
            below.reverse();
        }
    }
}

fn elements(node: &Value) -> Vec<&Value> {
    match node {
        Value::Array(items) => items.iter().collect(),
        Value::Object(members) => members.values().collect(),
        _ => Vec::new(),
    }
}

fn children<'v>(selectors: &[PathSelector], node: &'v Value, root: &'v Value, found: &mut Vec<&'v Value>) {
    for selector in selectors {
        match selector {
            PathSelector::Name(name) => {
                found.extend(node.as_object().and_then(|members| members.get(name.as_ref())));
            }
            PathSelector::Index(index) => {
                found.extend(node.as_array().and_then(|items| items.get(place(*index, items.len())?)));
            }
            PathSelector::Wildcard => found.extend(elements(node)),
            // Nobody filled it.
            PathSelector::Filled(_) => {}
            PathSelector::Slice { start, end, step } => {
                found.extend(node.as_array().into_iter().flat_map(|items| slice(items, *start, *end, *step)));
            }
            PathSelector::Filter(filter) => {
                found.extend(elements(node).into_iter().filter(|child| holds(filter, child, root)));
            }
        }
    }
}

/// An index from either end as an index from the start.
fn place(index: i64, length: usize) -> Option<usize> {
    let length = i64::try_from(length).ok()?;
    usize::try_from(if index < 0 { length.checked_add(index)? } else { index }).ok()
}

fn slice(items: &[Value], start: Option<i64>, end: Option<i64>, step: i64) -> Vec<&Value> {
    let Ok(length) = i64::try_from(items.len()) else { return Vec::new() };
    let from_end = |index: i64| if index < 0 { length.saturating_add(index) } else { index };
    let mut found = Vec::new();
    if step > 0 {
        let mut at = from_end(start.unwrap_or(0)).clamp(0, length);
        let end = from_end(end.unwrap_or(length)).clamp(0, length);
        while at < end {
            found.extend(usize::try_from(at).ok().and_then(|at| items.get(at)));
            at = at.saturating_add(step);
        }
    } else if step < 0 {
        let mut at = from_end(start.unwrap_or(length - 1)).clamp(-1, length - 1);
        let end = end.map_or(-1, from_end).clamp(-1, length - 1);
        while at > end {
            found.extend(usize::try_from(at).ok().and_then(|at| items.get(at)));
            at = at.saturating_add(step);
        }
    }
    found
}

fn holds(filter: &Filter, node: &Value, root: &Value) -> bool {
    match filter {
        Filter::And(all) => all.iter().all(|filter| holds(filter, node, root)),
        Filter::Or(any) => any.iter().any(|filter| holds(filter, node, root)),
        Filter::Not(not) => !not.iter().all(|filter| holds(filter, node, root)),
        Filter::Exists(query) => !find(query, node, root).is_empty(),
        Filter::Compare { left, op, right } => {
            compare(value(left, node, root).as_ref(), *op, value(right, node, root).as_ref())
        }
        Filter::Match { value: operand, pattern, whole } => value(operand, node, root)
            .as_ref()
            .and_then(Value::as_str)
            .is_some_and(|text| matches(pattern, *whole, text)),
    }
}

fn find<'v>(query: &Query, node: &'v Value, root: &'v Value) -> Vec<&'v Value> {
    select(&query.segments, if query.relative { node } else { root }, root)
}

/// An operand's value; `None` is the RFC's Nothing.
fn value(operand: &Operand, node: &Value, root: &Value) -> Option<Value> {
    match operand {
        Operand::Literal(literal) => Some(literal.to_json()),
        Operand::Filled(_) => None,
        Operand::Query(query) => find(query, node, root).first().copied().cloned(),
        Operand::Count(query) => Some(find(query, node, root).len().into()),
        Operand::Length(query) => match find(query, node, root).first()? {
            Value::String(text) => Some(text.chars().count().into()),
            Value::Array(items) => Some(items.len().into()),
            Value::Object(members) => Some(members.len().into()),
            _ => None,
        },
    }
}

fn compare(left: Option<&Value>, op: Comparison, right: Option<&Value>) -> bool {
    match op {
        Comparison::Eq => equal(left, right),
        Comparison::Ne => !equal(left, right),
        Comparison::Lt => less(left, right),
        Comparison::Gt => less(right, left),
        Comparison::Le => less(left, right) || equal(left, right),
        Comparison::Ge => less(right, left) || equal(left, right),
    }
}

fn equal(left: Option<&Value>, right: Option<&Value>) -> bool {
    match (left, right) {
        (None, None) => true,
        (Some(left), Some(right)) => same(left, right),
        _ => false,
    }
}

/// Equality of JSON values, with numbers by value: `1` is `1.0`.
fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(a), Value::Number(b)) => match (a.as_i64(), b.as_i64()) {
            (Some(a), Some(b)) => a == b,
            #[allow(clippy::float_cmp)] // the RFC's equality of numbers is exact
            _ => a.as_f64() == b.as_f64(),
        },
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        _ => left == right,
    }
}

fn less(left: Option<&Value>, right: Option<&Value>) -> bool {
    match (left, right) {
        (Some(Value::Number(a)), Some(Value::Number(b))) => match (a.as_i64(), b.as_i64()) {
            (Some(a), Some(b)) => a < b,
            _ => a.as_f64() < b.as_f64(),
        },
        (Some(Value::String(a)), Some(Value::String(b))) => a < b,
        _ => false,
    }
}

/// The patterns of a process are those of its connectors, so the cache is bounded by what was compiled in.
static COMPILED: LazyLock<Mutex<Compiled>> = LazyLock::new(Mutex::default);

/// Patterns by their text and whether they must match the whole; `None` for one that does not compile.
type Compiled = HashMap<(String, bool), Option<Regex>>;

fn matches(pattern: &str, whole: bool, text: &str) -> bool {
    let mut compiled = COMPILED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    compiled
        .entry((pattern.to_owned(), whole))
        .or_insert_with(|| regex(pattern, whole).ok())
        .as_ref()
        .is_some_and(|regex| regex.is_match(text))
}

/// An I-Regexp (RFC 9485) as a regular expression of the `regex` crate: `.` stops at line ends, and `^` and `$` are anchors of our own.
pub(super) fn regex(pattern: &str, whole: bool) -> Result<Regex, regex::Error> {
    let mut translated = String::with_capacity(pattern.len() + 8);
    let (mut in_class, mut escaped) = (false, false);
    for c in pattern.chars() {
        match c {
            _ if escaped => {
                escaped = false;
                translated.push(c);
                continue;
            }
            '\\' => escaped = true,
            '[' if !in_class => in_class = true,
            ']' => in_class = false,
            '.' if !in_class => {
                translated.push_str("[^\\n\\r]");
                continue;
            }
            _ => {}
        }
        translated.push(c);
    }
    Regex::new(&if whole { format!("^(?:{translated})$") } else { translated })
}
