//! What a schema's own keywords say, without `allOf`, `oneOf` and `anyOf`.

use serde_json::Value;

use super::{Looked, Node, Part, either, properties};
use crate::kinds::Kinds;

/// What a schema's own keywords say of a part.
pub(super) fn own<'d>(value: &'d Value, part: Part<'_>) -> Looked<'d> {
    if value.as_bool() == Some(false) {
        return Looked::Closed;
    }
    match part {
        Part::Member(name) => own_member(value, name),
        Part::Element(index) => own_element(value, index),
        Part::Anything => {
            let members = properties(value).map(|(_, schema)| Looked::Found(Node::Whole(schema)));
            let more = [own_additional(value), own_element(value, None)].into_iter();
            // An object has no elements and an array no members: what is closed here says nothing of the other.
            let known = members.chain(more.filter(|looked| !matches!(looked, Looked::Closed)));
            match either(known) {
                Looked::Silent if !own_kinds(value).meets(Kinds::ARRAY.or(Kinds::OBJECT)) => Looked::Closed,
                looked => looked,
            }
        }
    }
}

fn own_member<'d>(value: &'d Value, name: &str) -> Looked<'d> {
    if !own_kinds(value).meets(Kinds::OBJECT) {
        return Looked::Closed;
    }
    match value.get("properties").and_then(|properties| properties.get(name)) {
        Some(schema) => Looked::Found(Node::Whole(schema)),
        None => own_additional(value),
    }
}

/// What is said of members that are not listed.
fn own_additional(value: &Value) -> Looked<'_> {
    match value.get("additionalProperties") {
        Some(Value::Bool(false)) => Looked::Closed,
        Some(Value::Object(schema)) if !schema.is_empty() => value
            .get("additionalProperties")
            .map_or(Looked::Open, |schema| Looked::Found(Node::Whole(schema))),
        Some(_) => Looked::Open,
        None if value.get("patternProperties").is_some() => Looked::Open,
        None if properties(value).next().is_some() => Looked::Closed,
        None => Looked::Silent,
    }
}

fn own_element(value: &Value, index: Option<usize>) -> Looked<'_> {
    if !own_kinds(value).meets(Kinds::ARRAY) {
        return Looked::Closed;
    }
    let prefix = value.get("prefixItems").and_then(Value::as_array);
    if let Some(schema) = index.and_then(|index| prefix?.get(index)) {
        return Looked::Found(Node::Whole(schema));
    }
    let items = value.get("items").map(|schema| Looked::Found(Node::Whole(schema)));
    let prefix = prefix.into_iter().flatten().map(|schema| Looked::Found(Node::Whole(schema)));
    match (index, items) {
        (Some(_), Some(items)) => items,
        (None, items) => either(prefix.chain(items)),
        (Some(_), None) => Looked::Silent,
    }
}

pub(super) fn own_kinds(value: &Value) -> Kinds {
    if value.as_bool() == Some(false) {
        return Kinds::NONE;
    }
    let by_value = match (value.get("enum").and_then(Value::as_array), value.get("const")) {
        (Some(values), _) => values.iter().map(Kinds::of).fold(Kinds::NONE, Kinds::or),
        (None, Some(value)) => Kinds::of(value),
        (None, None) => Kinds::ALL,
    };
    let by_type = match value.get("type") {
        Some(word) => Kinds::of_type(word),
        None if value.get("properties").is_some() => Kinds::OBJECT,
        None if value.get("items").is_some() => Kinds::ARRAY,
        None => Kinds::ALL,
    };
    by_type.and(by_value)
}

/// The texts that a schema's own keywords allow. A schema of no text allows none, which is not the same as any.
pub(super) fn own_words(value: &Value) -> Option<Vec<&str>> {
    if let Some(values) = value.get("enum").and_then(Value::as_array) {
        return Some(values.iter().filter_map(Value::as_str).collect());
    }
    if let Some(word) = value.get("const") {
        return Some(word.as_str().into_iter().collect());
    }
    (!own_kinds(value).meets(Kinds::TEXT)).then(Vec::new)
}
