//! Values with `${VARIABLE:-default}`: readable, and with a default that is valid for the field.

use std::ops::Range;

use emp_core::mapping::{Bytes, Count, Kind, Port, Seconds, Template, TemplateError, Words};

use super::Subject;
use super::names::quoted;
use super::shape::schema;
use crate::codes;
use crate::finding::Finding;
use crate::json::{At, raw_span};
use crate::schema::Shape;

/// All values that may be templates.
pub(super) fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    walk(subject, &At::root(subject.root), Shape::root(schema()), &mut findings);
    findings
}

fn walk(subject: &Subject<'_>, at: &At<'_>, shape: Shape<'_>, findings: &mut Vec<Finding>) {
    if let (Some(text), Some(default)) = (at.node.text(), shape.name().and_then(default_of)) {
        findings.extend(default(text).err().map(|error| finding(subject, at, text, error)));
    }
    for inside in at.members().chain(at.entries()) {
        // The entries of a list all have one shape.
        let token = inside.member.map_or("0", |member| member.key.as_str());
        if let Some(shape) = shape.inside(token) {
            walk(subject, &inside, shape, findings);
        }
    }
}

/// Whether a text has a valid default.
type Default = fn(&str) -> Result<(), TemplateError>;

/// How a definition of the schema reads its default; `None` for those that are no templates.
fn default_of(definition: &str) -> Option<Default> {
    [of::<Words>(), of::<Port>(), of::<Count>(), of::<Seconds>(), of::<Bytes>()]
        .into_iter()
        .find_map(|(name, default)| (name == definition).then_some(default))
}

fn of<K: Kind>() -> (&'static str, Default) {
    (K::NAME, |text| Template::<K>::new(text).default().map(|_| ()))
}

fn finding(subject: &Subject<'_>, at: &At<'_>, text: &str, error: TemplateError) -> Finding {
    match error {
        TemplateError::Syntax(error) => {
            let help = error
                .help
                .unwrap_or_else(|| "write ${NAME}, ${NAME:-default} or ${NAME:?message}".to_owned());
            let rest = error.offset.min(text.len())..text.len();
            within(subject, codes::BAD_TEMPLATE, at, &rest, error.message).label("from here").help(help)
        }
        TemplateError::Missing(missing) => {
            within(subject, codes::BAD_TEMPLATE, at, &(0..text.len()), missing.to_string())
        }
        TemplateError::Value { text: value, expected } => {
            let place = text.rfind(&value).map_or(0..text.len(), |start| start..start + value.len());
            let what = if text == value { "" } else { "the default " };
            within(
                subject,
                codes::BAD_VALUE,
                at,
                &place,
                format!("{what}{} is not {expected}", quoted(&value)),
            )
            .label(format!("must be {expected}"))
            .help(format!("write {expected}{}", example(expected)))
        }
    }
}

/// One valid value, for pasting.
fn example(expected: &str) -> &'static str {
    [
        (Port::EXPECTED, ", such as 8188"),
        (Count::EXPECTED, ", such as 1"),
        (Seconds::EXPECTED, ", such as 30"),
    ]
    .into_iter()
    .find_map(|(kind, example)| (kind == expected).then_some(example))
    .unwrap_or_default()
}

/// An error at a part of a string.
fn within(
    subject: &Subject<'_>,
    code: &'static str,
    at: &At<'_>,
    part: &Range<usize>,
    message: String,
) -> Finding {
    let span = raw_span(subject.text.text(), &at.node.span, part);
    Finding::error(code, subject.text, span, message).pointer(&at.pointer)
}
