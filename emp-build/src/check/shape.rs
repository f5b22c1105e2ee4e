//! The mapping against its schema.

use std::sync::LazyLock;

use jsonschema::Validator;
use jsonschema::error::ValidationErrorKind;
use serde_json::Value;

use super::Subject;
use super::names::quoted;
use crate::codes;
use crate::finding::Finding;
use crate::json::{At, tokens};
use crate::schema::{self, Choices, Shape};

/// The longest piece of JSON that a message repeats.
const LONGEST: usize = 40;

/// The schema without choices: names have checks of their own, which say more.
static SCHEMA: LazyLock<Value> = LazyLock::new(|| schema::mapping(&Choices::default()));

/// `None` cannot be: the tests validate with it.
static VALIDATOR: LazyLock<Option<Validator>> =
    LazyLock::new(|| jsonschema::options().with_draft(jsonschema::Draft::Draft202012).build(&SCHEMA).ok());

/// The schema that mappings are checked against.
pub(super) fn schema() -> &'static Value {
    &SCHEMA
}

/// Everything that the schema refuses.
pub(super) fn violations(subject: &Subject<'_>, value: &Value) -> Vec<Finding> {
    let errors = VALIDATOR.iter().flat_map(|validator| validator.iter_errors(value));
    errors
        .flat_map(|error| {
            let pointer = error.instance_path().as_str();
            let (Some(at), Some(shape)) = (At::find(subject.root, pointer), Shape::at(&SCHEMA, pointer))
            else {
                return Vec::new();
            };
            match error.kind() {
                ValidationErrorKind::AdditionalProperties { unexpected } => {
                    unexpected.iter().map(|key| unknown(subject, &at, &shape, key)).collect()
                }
                ValidationErrorKind::Required { property } => {
                    missing(subject, &at, &shape, property.as_str().unwrap_or_default()).into_iter().collect()
                }
                _ => vec![wrong(subject, &at, &shape)],
            }
        })
        .collect()
}

/// A key that means nothing.
fn unknown(subject: &Subject<'_>, owner: &At<'_>, shape: &Shape<'_>, key: &str) -> Finding {
    let at = owner.get(key).unwrap_or_else(|| owner.clone());
    let finding =
        subject.at_key(codes::UNKNOWN_KEY, &at, format!("unknown key {}{}", quoted(key), inside(owner)));
    let keys: Vec<&str> = shape.keys().collect();
    match meant(owner, &keys, key) {
        Some(near) => finding.label(format!("did you mean `{near}`?")).help(format!("\"{near}\": ..")),
        None => finding.label("means nothing").help(format!("the keys are `{}`", keys.join("`, `"))),
    }
}

/// The key that a slip of the pen stands for: the nearest of those that are not there.
fn meant<'k>(owner: &At<'_>, keys: &[&'k str], key: &str) -> Option<&'k str> {
    let absent = keys.iter().copied().filter(|known| owner.node.member(known).is_none());
    emp_syntax::nearest(key, absent)
}

/// Whether an object without a key has a slip of the pen for it, which is reported as an unknown key.
pub(super) fn misspelt(owner: &At<'_>, key: &str) -> bool {
    let Some(shape) = Shape::at(&SCHEMA, &owner.pointer) else { return false };
    slip(owner, &shape.keys().collect::<Vec<_>>(), key)
}

fn slip(owner: &At<'_>, keys: &[&str], key: &str) -> bool {
    let mut strangers = owner.node.members().iter().filter(|member| !keys.contains(&member.key.as_str()));
    strangers.any(|stranger| meant(owner, keys, &stranger.key) == Some(key))
}

/// A key that is missing, unless a slip of the pen stands for it.
fn missing(subject: &Subject<'_>, at: &At<'_>, shape: &Shape<'_>, key: &str) -> Option<Finding> {
    let keys: Vec<&str> = shape.keys().collect();
    if slip(at, &keys, key) {
        return None;
    }
    let what = shape.inside(key).map_or_else(String::new, |inner| inner.expected());
    Some(
        subject
            .at_key(codes::SHAPE, at, format!("{} is missing{}", quoted(key), inside(at)))
            .label(format!("has no {}", quoted(key)))
            .help(format!("add \"{key}\": {what}")),
    )
}

/// A value that is not what its key holds.
fn wrong(subject: &Subject<'_>, at: &At<'_>, shape: &Shape<'_>) -> Finding {
    let raw = subject.text.text().get(at.node.span.clone()).unwrap_or_default();
    let message = format!("{} must be {}, not {}", name(at), shape.expected(), piece(raw));
    let finding = subject.at_value(codes::SHAPE, at, message);
    let words = shape.words();
    match at.node.text().and_then(|text| emp_syntax::nearest(text, words.iter().copied())) {
        Some(near) => finding.label(format!("did you mean `{near}`?")).help(format!("\"{near}\"")),
        None if words.is_empty() => finding.help(format!("write {}", shape.expected())),
        None => finding.help(format!("write \"{}\"", words.join("\" or \""))),
    }
}

/// What a value is called: by its key, or as an entry of a list: "entry 2 of `ports`".
fn name(at: &At<'_>) -> String {
    let mut above = tokens(&at.pointer).collect::<Vec<_>>();
    match (at.member, above.pop().map(|last| last.parse::<usize>())) {
        (Some(member), _) => quoted(&member.key),
        (None, Some(Ok(index))) => {
            format!("entry {} of {}", index + 1, quoted(&above.pop().unwrap_or_default()))
        }
        (None, _) => "the mapping".to_owned(),
    }
}

/// Where a key stands, as the end of a phrase.
fn inside(owner: &At<'_>) -> String {
    if owner.pointer.is_empty() { String::new() } else { format!(" in {}", name(owner)) }
}

/// A piece of JSON on one line.
fn piece(raw: &str) -> String {
    let line: String = raw.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut short: String = line.chars().take(LONGEST).collect();
    if short.len() < line.len() {
        short.push('…');
    }
    quoted(&short)
}
