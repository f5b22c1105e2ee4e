//! Fields: a variable each, and options that fit the type.

use crate::catalogue::derive::{DUPLICATE_VARIABLE, ENV_DEFAULT, ENV_OPTION, NO_ENV};
use crate::diag::{Diagnostic, Sink};
use crate::raw::RawField;
use crate::spec::{DurationUnit, EnvField, EnvKind};

pub(super) fn fields(raw: &[RawField], sink: &Sink) -> Vec<EnvField> {
    let mut fields: Vec<EnvField> = Vec::new();
    for field in raw {
        let Some(found) = self::field(field, sink) else { continue };
        if let Some(first) = fields.iter().find(|earlier| earlier.variable.value == found.variable.value) {
            sink.report(
                Diagnostic::new(
                    DUPLICATE_VARIABLE,
                    found.variable.span,
                    format!("`{}` fills two fields", found.variable.value),
                )
                .help(format!("use the field `{}` for both, and remove `{}`", first.field, found.field))
                .related(first.variable.span, "the first one is here"),
            );
        }
        fields.push(found);
    }
    fields
}

fn field(raw: &RawField, sink: &Sink) -> Option<EnvField> {
    let Some(variable) = raw.variable.clone() else {
        let variable = raw.field.to_string().to_ascii_uppercase();
        sink.report(
            Diagnostic::new(
                NO_ENV,
                raw.field.span(),
                format!("the field `{}` does not say its variable", raw.field),
            )
            .help(format!("write `#[env(\"{variable}\")]` above it")),
        );
        return None;
    };
    options(raw, sink);
    default(raw, sink);
    Some(EnvField {
        field: raw.field.clone(),
        variable,
        kind: raw.kind.clone(),
        required: !raw.option && raw.default.is_none(),
        default: raw.default.as_ref().map(|given| given.value.clone()),
        range: raw.range.map(|given| given.value),
        unit: raw.unit.map_or(DurationUnit::Seconds, |given| given.value),
        description: raw.description.clone(),
    })
}

fn options(raw: &RawField, sink: &Sink) {
    let wrong =
        |span, what: String, help: String| sink.report(Diagnostic::new(ENV_OPTION, span, what).help(help));
    let name = &raw.field;
    let numeric = matches!(raw.kind, EnvKind::Integer { .. } | EnvKind::Float | EnvKind::Duration);
    if let Some(range) = raw.range {
        if !numeric {
            wrong(
                range.key,
                format!("`{name}` is not a number, so it has no range"),
                "remove `range = ..`, or make the field a number or a `Duration`".to_owned(),
            );
        } else if range.value.0 > range.value.1 {
            wrong(range.span, "this range is empty".to_owned(), "write the smaller number first".to_owned());
        }
    }
    if let Some(unit) = raw.unit.filter(|_| raw.kind != EnvKind::Duration) {
        wrong(
            unit.key,
            format!("`{name}` is not a duration, so it has no unit"),
            "remove `unit = ..`, or make the field a `Duration`".to_owned(),
        );
    }
    if let Some(optional) = raw.optional.filter(|_| !raw.option) {
        wrong(
            optional,
            format!("`{name}` is optional, but its type cannot be absent"),
            format!("write the type as `Option<..>`, or give `{name}` a `default = ..`"),
        );
    }
    if let Some(default) = raw.default.as_ref().filter(|_| raw.kind == EnvKind::Secret) {
        wrong(
            default.key,
            format!("`{name}` is a secret, and its default would stand in the source"),
            "remove `default = ..`; a secret that may be absent is an `Option<Secret>`".to_owned(),
        );
    }
    if let EnvKind::List(inner) = &raw.kind
        && matches!(**inner, EnvKind::Secret | EnvKind::List(_) | EnvKind::Duration | EnvKind::Other(_))
    {
        wrong(
            raw.type_span,
            format!("`{name}` is a list of a type that a list cannot hold"),
            "use a list of texts, URLs, numbers or booleans: `Vec<String>`".to_owned(),
        );
    }
}

fn default(raw: &RawField, sink: &Sink) {
    let Some(default) = &raw.default else { return };
    let text = &default.value;
    let wrong = |what: String| {
        sink.report(
            Diagnostic::new(ENV_DEFAULT, default.span, format!("the default of `{}` {what}", raw.field))
                .help(format!(
                    "write `default = {}`",
                    example(&raw.kind, raw.range.map(|range| range.value))
                )),
        );
    };
    let unit = raw.unit.map_or(DurationUnit::Seconds, |given| given.value);
    match number(&raw.kind, unit, text) {
        Err(what) => wrong(what),
        Ok(Some(number)) => {
            if let Some(range) = raw.range.filter(|range| number < range.value.0 || number > range.value.1) {
                let (low, high) = range.value;
                wrong(format!("is {number}, which is not from {low} to {high}"));
            }
        }
        Ok(None) => {}
    }
}

/// Whether a text is valid for a kind; the number that it is, for the range. Agrees with `emp_core::env`.
fn number(kind: &EnvKind, unit: DurationUnit, text: &str) -> Result<Option<f64>, String> {
    Ok(match kind {
        EnvKind::Text | EnvKind::Secret | EnvKind::Other(_) => None,
        EnvKind::Url => {
            let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
            let host = rest.and_then(|rest| rest.split(['/', '?', '#']).next());
            if host.is_none_or(str::is_empty) {
                return Err(format!("is \"{text}\", which is not an absolute http or https URL"));
            }
            None
        }
        EnvKind::Bool => match text.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" | "false" | "0" | "no" | "off" => None,
            _ => return Err(format!("is \"{text}\", which is neither true nor false")),
        },
        EnvKind::Integer { min, max } => match text.parse::<i64>() {
            Ok(number) if (*min..=*max).contains(&number) => Some(number as f64),
            Ok(number) => return Err(format!("is {number}, which does not fit its type")),
            Err(_) => return Err(format!("is \"{text}\", which is not a whole number")),
        },
        EnvKind::Float => match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Some(number),
            _ => return Err(format!("is \"{text}\", which is not a number")),
        },
        EnvKind::Duration => match text.parse::<u64>() {
            Ok(number) if unit == DurationUnit::Millis => Some(number as f64 / 1000.0),
            Ok(number) => Some(number as f64),
            Err(_) => match emp_syntax::duration::parse(text) {
                Ok(duration) => Some(duration.as_secs_f64()),
                Err(_) => return Err(format!("is \"{text}\", which is not a duration")),
            },
        },
        EnvKind::List(inner) => {
            for item in text.split(',').map(str::trim).filter(|item| !item.is_empty()) {
                number(inner, unit, item)?;
            }
            None
        }
    })
}

fn example(kind: &EnvKind, range: Option<(f64, f64)>) -> String {
    match (kind, range) {
        (EnvKind::Duration, Some((low, _))) => format!("\"{low}s\""),
        (_, Some((low, _))) => low.to_string(),
        (EnvKind::Url, _) => "\"https://api.example.com\"".to_owned(),
        (EnvKind::Bool, _) => "true".to_owned(),
        (EnvKind::Integer { .. }, _) => "1".to_owned(),
        (EnvKind::Float, _) => "1.0".to_owned(),
        (EnvKind::Duration, _) => "\"30s\"".to_owned(),
        (EnvKind::List(inner), _) => match inner.as_ref() {
            EnvKind::Integer { .. } | EnvKind::Float => "\"1,2\"".to_owned(),
            EnvKind::Bool => "\"true,false\"".to_owned(),
            EnvKind::Url => "\"https://a.example.com,https://b.example.com\"".to_owned(),
            _ => "\"a,b\"".to_owned(),
        },
        _ => "\"text\"".to_owned(),
    }
}
