//! The closed list of reducers. Each is total: what does not fit is absent, and nothing panics.

use std::borrow::Cow;
use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use emp_syntax::jsonpath::JsonPath;
use emp_syntax::selector::Reducer;
use serde_json::Value;

use crate::patterns;
use crate::select::View;
use crate::strict_json;

/// Applies one reducer; `None` when the value is absent or does not fit.
pub(crate) fn apply<'v>(
    values: Vec<Cow<'v, Value>>,
    reducer: &Reducer,
    view: &View<'_>,
) -> Option<Vec<Cow<'v, Value>>> {
    let one = |value: Value| Some(vec![Cow::Owned(value)]);
    match reducer {
        Reducer::All => return one(Value::Array(values.into_iter().map(Cow::into_owned).collect())),
        Reducer::Count => return one(values.len().into()),
        Reducer::Join(separator) => return one(join(&values, separator)?.into()),
        _ => {}
    }
    let value = values.into_iter().next()?;
    match reducer {
        Reducer::At(path) => one((*view.fill(path)?.nodes(&value).first()?).clone()),
        Reducer::ParseJson => one(strict_json::parse(value.as_str()?.as_bytes()).ok()?),
        Reducer::Base64 => {
            let bytes = STANDARD.decode(value.as_str()?.trim()).ok()?;
            one(String::from_utf8(bytes).ok()?.into())
        }
        Reducer::Number | Reducer::Seconds => one(number(&value)?.into()),
        Reducer::Percent => one((percent(&value)? / 100.0).clamp(0.0, 1.0).into()),
        Reducer::Fraction => one(number(&value)?.clamp(0.0, 1.0).into()),
        Reducer::Ratio(path) => one(ratio(number(&value)?, path, view)?.into()),
        Reducer::Invert => one((1.0 - number(&value)?).into()),
        Reducer::Between(from, to) => one((from + (to - from) * number(&value)?.clamp(0.0, 1.0)).into()),
        Reducer::Millis => one((number(&value)? / 1000.0).into()),
        Reducer::Duration => one(duration(value.as_str()?)?.into()),
        Reducer::HttpDate => {
            let date = httpdate::parse_http_date(value.as_str()?).ok()?;
            let at = date.duration_since(SystemTime::UNIX_EPOCH).ok()?.as_secs_f64();
            one((at - view.now.0 as f64 / 1000.0).into())
        }
        Reducer::Tail(count) => one(tail(&text(&value)?, *count).into()),
        Reducer::LastMatch(pattern) => one(last_match(pattern, &text(&value)?)?.into()),
        Reducer::Lower => one(text(&value)?.to_lowercase().into()),
        Reducer::First | Reducer::All | Reducer::Count | Reducer::Join(_) => Some(vec![value]),
    }
}

/// A scalar as text.
pub(crate) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(value) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A finite number, or text that is one.
pub(crate) fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
    .filter(|number: &f64| number.is_finite())
}

/// A number of hundredths; `"50%"` and `"50"` are the same.
fn percent(value: &Value) -> Option<f64> {
    match value {
        Value::String(text) => {
            text.trim().trim_end_matches('%').trim_end().parse().ok().filter(|n: &f64| n.is_finite())
        }
        value => number(value),
    }
}

fn ratio(part: f64, path: &JsonPath, view: &View<'_>) -> Option<f64> {
    let whole = number(view.fill(path)?.nodes(view.exchange.json.as_ref().ok()?).first()?)?;
    Some(part / whole).filter(|ratio| ratio.is_finite())
}

fn join(values: &[Cow<'_, Value>], separator: &str) -> Option<String> {
    let parts: Vec<String> = match values {
        [one] => match one.as_ref() {
            Value::Array(items) => items.iter().filter_map(text).collect(),
            value => text(value).into_iter().collect(),
        },
        many => many.iter().filter_map(|value| text(value)).collect(),
    };
    Some(parts.join(separator)).filter(|_| !parts.is_empty())
}

/// Seconds of `6m0s`, `250ms`, `1h 5m`, `1.5s`.
pub(crate) fn duration(text: &str) -> Option<f64> {
    let mut total = 0.0;
    let mut rest = text.trim();
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let amount: f64 = rest.get(..digits)?.parse().ok()?;
        rest = rest.get(digits..)?;
        let end = rest.find(|c: char| !c.is_ascii_alphabetic() && c != 'µ').unwrap_or(rest.len());
        total += amount
            * match rest.get(..end)? {
                "ns" => 1e-9,
                "us" | "µs" => 1e-6,
                "ms" => 1e-3,
                "s" => 1.0,
                "m" => 60.0,
                "h" => 3600.0,
                "d" => 86400.0,
                _ => return None,
            };
        rest = rest.get(end..)?.trim_start();
    }
    Some(total).filter(|total| total.is_finite())
}

fn tail(text: &str, count: usize) -> String {
    let skip = text.chars().count().saturating_sub(count);
    text.chars().skip(skip).collect()
}

fn last_match(pattern: &str, text: &str) -> Option<String> {
    let captures = patterns::get(pattern)?.captures_iter(text).last()?;
    captures.get(1).or_else(|| captures.get(0)).map(|found| found.as_str().to_owned())
}
