//! Everybody who reads a variable: the fields of connectors, and the templates of the mapping.

use std::ops::Range;
use std::time::Duration;

use emp_codegen::spec::{DurationUnit, EnvField, EnvKind};
use emp_core::mapping::{Bytes, Count, Kind as FieldKind, Port, Seconds};
use emp_syntax::env_template::{EnvTemplate, Otherwise, Variable};

use super::variable_span;
use crate::check::Subject;
use crate::check::shape::schema;
use crate::connector::Connector;
use crate::json::{At, raw_span, tokens};
use crate::schema::Shape;

/// One place that reads a variable.
pub(in crate::check) struct Reader<'a> {
    /// The variable.
    pub(in crate::check) name: String,
    /// What its text must be there.
    pub(in crate::check) kind: Kind,
    /// Its default there.
    pub(in crate::check) default: Option<String>,
    /// Whether nothing works there without it.
    pub(in crate::check) required: bool,
    /// Where.
    pub(in crate::check) place: Place<'a>,
}

/// Where a variable is read.
pub(in crate::check) enum Place<'a> {
    /// By a field of a connector.
    Source {
        /// The connector.
        connector: &'a Connector,
        /// The variable's name in its source.
        span: Range<usize>,
    },
    /// By a template of the mapping.
    Mapping {
        /// The worker, when it stands in one.
        worker: Option<&'a str>,
        /// The worker's key, such as `ports`.
        field: String,
        /// The variable's name in the mapping.
        span: Range<usize>,
        /// The value's JSON pointer.
        pointer: String,
    },
}

/// What the text of a variable must be, as far as two readers can disagree on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::check) enum Kind {
    Text,
    Secret,
    Number,
    Bool,
    Url,
    Size,
    /// With what a bare number means.
    Duration(DurationUnit),
}

impl Kind {
    /// Whether both can read the same text, and make the same of it.
    pub(super) fn agrees(self, other: Self) -> bool {
        use Kind::{Duration, Number, Secret, Text};
        match (self, other) {
            (a, b) if a == b => true,
            (Secret, _) | (_, Secret) => false,
            // A text is whatever the other one makes of it; a number may be one of seconds.
            (Text, _) | (_, Text) | (Number, Duration(_)) | (Duration(_), Number) => true,
            _ => false,
        }
    }

    /// Whether one of them keeps it secret and the other does not.
    pub(super) fn shows(self, other: Self) -> bool {
        self.is_secret() != other.is_secret()
    }

    pub(super) fn is_secret(self) -> bool {
        self == Self::Secret
    }

    /// Whether two texts are one value.
    pub(super) fn same(self, one: &str, other: &str) -> bool {
        let (one, other) = (one.trim(), other.trim());
        let number = |text: &str| text.parse::<f64>().ok();
        let equal = match self {
            Self::Duration(unit) => {
                duration(one, unit) == duration(other, unit) && duration(one, unit).is_some()
            }
            Self::Number => number(one).is_some() && number(one) == number(other),
            Self::Bool => truth(one).is_some() && truth(one) == truth(other),
            Self::Url => one.trim_end_matches('/') == other.trim_end_matches('/'),
            Self::Size => emp_syntax::size::parse(one)
                .ok()
                .is_some_and(|size| emp_syntax::size::parse(other) == Ok(size)),
            Self::Text | Self::Secret => false,
        };
        equal || one == other
    }

    pub(super) fn phrase(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Secret => "a credential",
            Self::Number => "a number",
            Self::Bool => "yes or no",
            Self::Url => "an address",
            Self::Size => "a size",
            Self::Duration(DurationUnit::Seconds) => "seconds",
            Self::Duration(DurationUnit::Millis) => "milliseconds",
        }
    }
}

fn duration(text: &str, unit: DurationUnit) -> Option<Duration> {
    match text.parse::<f64>() {
        Ok(number) => {
            let seconds = if unit == DurationUnit::Millis { number / 1000.0 } else { number };
            Duration::try_from_secs_f64(seconds).ok()
        }
        Err(_) => emp_syntax::duration::parse(text).ok(),
    }
}

fn truth(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Some(true),
        "false" | "0" | "no" | "off" => Some(false),
        _ => None,
    }
}

/// Every reader: first the connectors, sorted by name, then the mapping from top to bottom.
pub(in crate::check) fn readers<'a>(subject: &Subject<'a>) -> Vec<Reader<'a>> {
    let declared = subject.sources.connectors.iter().filter_map(|one| Some((one, one.declaration.as_ref()?)));
    let mut readers: Vec<Reader<'_>> = declared
        .flat_map(|(connector, declaration)| {
            declaration.spec.env.iter().map(move |field| of_field(connector, field))
        })
        .collect();
    walk(subject, &At::root(subject.root), Shape::root(schema()), &mut readers);
    readers
}

fn of_field<'a>(connector: &'a Connector, field: &EnvField) -> Reader<'a> {
    let kind = match &field.kind {
        EnvKind::Text | EnvKind::List(_) | EnvKind::Other(_) => Kind::Text,
        EnvKind::Secret => Kind::Secret,
        EnvKind::Url => Kind::Url,
        EnvKind::Bool => Kind::Bool,
        EnvKind::Integer { .. } | EnvKind::Float => Kind::Number,
        EnvKind::Duration => Kind::Duration(field.unit),
    };
    Reader {
        name: field.variable.value.clone(),
        kind,
        default: field.default.clone(),
        required: field.required,
        place: Place::Source { connector, span: field.variable.span.byte_range() },
    }
}

fn walk<'a>(subject: &Subject<'a>, at: &At<'a>, shape: Shape<'_>, readers: &mut Vec<Reader<'a>>) {
    if let (Some(text), Some(kind)) = (at.node.text(), shape.name().and_then(kind_of))
        && let Ok(template) = EnvTemplate::parse(text)
    {
        // A part of a longer text is text, whatever the whole is.
        let whole = template.as_variable().map(|variable| variable.offset);
        readers.extend(template.variables().into_iter().map(|variable| {
            let kind = if whole == Some(variable.offset) { kind } else { Kind::Text };
            of_template(subject, at, text, variable, kind)
        }));
    }
    for inside in at.members().chain(at.entries()) {
        // The entries of a list all have one shape.
        let token = inside.member.map_or("0", |member| member.key.as_str());
        if let Some(shape) = shape.inside(token) {
            walk(subject, &inside, shape, readers);
        }
    }
}

fn of_template<'a>(
    subject: &Subject<'a>,
    at: &At<'a>,
    text: &str,
    variable: &Variable,
    kind: Kind,
) -> Reader<'a> {
    let mut path = tokens(&at.pointer);
    let in_workers = path.next().as_deref() == Some("workers");
    let name = path.next().filter(|_| in_workers);
    let worker = name.and_then(|name| subject.worker_name(&name));
    let within = variable_span(text, variable.offset, &variable.name);
    let default = match &variable.otherwise {
        Otherwise::Default(inner) => {
            inner.as_literal().filter(|default| !default.is_empty()).map(str::to_owned)
        }
        Otherwise::Nothing | Otherwise::Required(_) => None,
    };
    Reader {
        name: variable.name.clone(),
        kind,
        default,
        required: matches!(variable.otherwise, Otherwise::Required(_)),
        place: Place::Mapping {
            worker,
            field: path.next().unwrap_or_default(),
            span: raw_span(subject.text.text(), &at.node.span, &within),
            pointer: at.pointer.clone(),
        },
    }
}

/// The kind of a definition of the schema; `None` for those that are no templates.
fn kind_of(definition: &str) -> Option<Kind> {
    Some(match definition {
        name if name == Port::NAME || name == Count::NAME => Kind::Number,
        name if name == Seconds::NAME => Kind::Duration(DurationUnit::Seconds),
        name if name == Bytes::NAME => Kind::Size,
        name if name == emp_core::mapping::Words::NAME => Kind::Text,
        _ => return None,
    })
}
