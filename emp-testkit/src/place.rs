//! Building JSON backwards: the smallest document in which a path finds a value.

use emp_core::syntax::hole::Literal;
use emp_core::syntax::jsonpath::{Filter, Operand, PathSelector, Query, Segment};
use emp_core::syntax::rule::Comparison;
use serde_json::{Map, Value};

use crate::pattern;

/// What stands where something has to be and nobody said what. It gives way to anything else.
pub(crate) const SOMETHING: &str = "something";

/// Puts a value where a path looks for it, making what is missing on the way. Says whether the path finds it there now; what is
/// there already is never overwritten.
pub(crate) fn place(at: &mut Value, path: &[Segment], value: Value) -> bool {
    let Some((segment, rest)) = path.split_first() else {
        return merge(at, value);
    };
    // A descendant step finds a child as well.
    let (Segment::Child(selectors) | Segment::Descendant(selectors)) = segment;
    match selectors.first() {
        Some(PathSelector::Name(name)) => member(at, name).is_some_and(|child| place(child, rest, value)),
        Some(PathSelector::Index(index)) => {
            let index = usize::try_from(*index).unwrap_or(0);
            element(at, index).is_some_and(|child| place(child, rest, value))
        }
        Some(PathSelector::Wildcard) if at.is_object() => {
            member(at, "item").is_some_and(|child| place(child, rest, value))
        }
        Some(PathSelector::Wildcard | PathSelector::Slice { .. }) => {
            element(at, 0).is_some_and(|child| place(child, rest, value))
        }
        Some(PathSelector::Filter(filter)) => place_filtered(at, filter, rest, &value),
        // A hole without a value finds nothing.
        Some(PathSelector::Filled(_)) | None => false,
    }
}

/// Whether there is nothing yet that has to stay.
fn free(at: &Value) -> bool {
    at.is_null() || at == SOMETHING
}

fn member<'v>(at: &'v mut Value, name: &str) -> Option<&'v mut Value> {
    if free(at) {
        *at = Value::Object(Map::new());
    }
    Some(at.as_object_mut()?.entry(name).or_insert(Value::Null))
}

fn element(at: &mut Value, index: usize) -> Option<&mut Value> {
    if free(at) {
        *at = Value::Array(Vec::new());
    }
    let items = at.as_array_mut()?;
    if items.len() <= index {
        items.resize(index + 1, Value::Null);
    }
    items.get_mut(index)
}

/// The first element that can satisfy the filter gets the value; a new one when none can.
fn place_filtered(at: &mut Value, filter: &Filter, rest: &[Segment], value: &Value) -> bool {
    let count = at.as_array().map_or(0, Vec::len);
    (0..=count).any(|index| {
        let mut candidate = at.get(index).cloned().unwrap_or(Value::Null);
        let fits = satisfy_filter(filter, &mut candidate) && place(&mut candidate, rest, value.clone());
        if fits && let Some(slot) = element(at, index) {
            *slot = candidate;
        }
        fits
    })
}

/// Joins a value into what is there; scalars that are there stay. Says whether all of the value is there now.
fn merge(at: &mut Value, value: Value) -> bool {
    match (&mut *at, value) {
        (Value::Null, value) => {
            *at = value;
            true
        }
        (_, Value::Null) => true,
        (there, value) if free(there) => {
            *at = value;
            true
        }
        (Value::Object(members), Value::Object(new)) => {
            let mut whole = true;
            for (name, value) in new {
                whole &= merge(members.entry(name).or_insert(Value::Null), value);
            }
            whole
        }
        (there, value) => *there == value,
    }
}

fn satisfy_filter(filter: &Filter, node: &mut Value) -> bool {
    match filter {
        Filter::And(all) => all.iter().all(|filter| satisfy_filter(filter, node)),
        Filter::Or(any) => any.iter().any(|filter| {
            let mut trial = node.clone();
            let fits = satisfy_filter(filter, &mut trial);
            if fits {
                *node = trial;
            }
            fits
        }),
        // What must not be there is not put there.
        Filter::Not(_) => true,
        Filter::Exists(query) => place_query(query, node, Value::from(SOMETHING)),
        Filter::Compare { left: Operand::Query(query), op, right: Operand::Literal(literal) } => {
            place_query(query, node, fitting(*op, literal))
        }
        Filter::Compare { left: Operand::Literal(literal), op, right: Operand::Query(query) } => {
            place_query(query, node, fitting(mirrored(*op), literal))
        }
        Filter::Match { value: Operand::Query(query), pattern, .. } => {
            pattern::matching(pattern).is_some_and(|text| place_query(query, node, text.into()))
        }
        Filter::Compare { .. } | Filter::Match { .. } => false,
    }
}

fn place_query(query: &Query, node: &mut Value, value: Value) -> bool {
    query.relative && place(node, &query.segments, value)
}

fn mirrored(op: Comparison) -> Comparison {
    match op {
        Comparison::Lt => Comparison::Gt,
        Comparison::Le => Comparison::Ge,
        Comparison::Gt => Comparison::Lt,
        Comparison::Ge => Comparison::Le,
        same => same,
    }
}

/// A value for which `value op literal` holds.
pub(crate) fn fitting(op: Comparison, literal: &Literal) -> Value {
    let step = match op {
        Comparison::Eq | Comparison::Le | Comparison::Ge => return literal_value(literal),
        Comparison::Lt => -1,
        Comparison::Gt | Comparison::Ne => 1,
    };
    match literal {
        Literal::Int(number) => number.saturating_add(step).into(),
        Literal::Float(number) => (number + step as f64).into(),
        Literal::Bool(flag) => (!flag).into(),
        Literal::Text(text) => format!("{text}x").into(),
        Literal::Null => true.into(),
    }
}

/// A literal as JSON.
pub(crate) fn literal_value(literal: &Literal) -> Value {
    match literal {
        Literal::Null => Value::Null,
        Literal::Bool(flag) => (*flag).into(),
        Literal::Int(number) => (*number).into(),
        Literal::Float(number) => (*number).into(),
        Literal::Text(text) => text.as_ref().into(),
    }
}
