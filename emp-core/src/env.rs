//! The environment of a connector: read once, checked whole, reported all at once.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use crate::secret::Secret;
use crate::spec::{DurationUnit, EnvField, EnvKind};

/// Where variables come from.
pub trait EnvSource: Send + Sync {
    /// The variable's text; `None` when it is not set.
    fn get(&self, name: &str) -> Option<String>;
}

/// The environment of this process.
#[derive(Clone, Copy, Debug, Default)]
pub struct ProcessEnv;

impl EnvSource for ProcessEnv {
    fn get(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }
}

impl EnvSource for BTreeMap<String, String> {
    fn get(&self, name: &str) -> Option<String> {
        Self::get(self, name).cloned()
    }
}

/// A fault of one variable. Never holds the value of a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvError {
    /// The variable.
    pub variable: String,
    /// What is wrong, as a phrase.
    pub problem: String,
    /// What would be valid.
    pub expected: String,
}

impl std::fmt::Display for EnvError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}; expected {}", self.variable, self.problem, self.expected)
    }
}

/// The value of one field.
#[derive(Clone, Debug)]
pub enum SettingValue {
    /// Text, number, boolean or list.
    Json(Value),
    /// A duration.
    Duration(Duration),
    /// A credential.
    Secret(Secret),
}

/// The checked values of a connector's fields; an optional one that is unset is not in it.
#[derive(Clone, Debug, Default)]
pub struct Settings(BTreeMap<&'static str, SettingValue>);

impl Settings {
    /// Reads and checks every field. Unset and empty are the same: a default applies, and a required one is missing.
    pub fn load(fields: &'static [EnvField], source: &dyn EnvSource) -> (Self, Vec<EnvError>) {
        let mut settings = Self::default();
        let mut errors = Vec::new();
        for field in fields {
            let given =
                source.get(field.variable).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
            let Some(text) = given.or_else(|| field.default.map(str::to_owned)) else {
                if field.required {
                    errors.push(EnvError {
                        variable: field.variable.to_owned(),
                        problem: "is not set".to_owned(),
                        expected: expected(field.kind, field.range),
                    });
                }
                continue;
            };
            match parse(field.kind, field.unit, &text).and_then(|value| in_range(field, value)) {
                Ok(value) => {
                    settings.0.insert(field.field, value);
                }
                Err(problem) => errors.push(EnvError {
                    variable: field.variable.to_owned(),
                    problem,
                    expected: expected(field.kind, field.range),
                }),
            }
        }
        (settings, errors)
    }

    /// The value of a field.
    pub fn get(&self, field: &str) -> Option<&SettingValue> {
        self.0.get(field)
    }

    /// The value of a field as JSON, for a hole: a duration is its seconds. Never a secret.
    pub fn json(&self, field: &str) -> Option<Value> {
        match self.0.get(field)? {
            SettingValue::Json(value) => Some(value.clone()),
            SettingValue::Duration(duration) if duration.subsec_nanos() == 0 => {
                Some(duration.as_secs().into())
            }
            SettingValue::Duration(duration) => Some(duration.as_secs_f64().into()),
            SettingValue::Secret(_) => None,
        }
    }

    /// The value of a field as text for a credential.
    pub fn credential(&self, field: &str) -> Option<Secret> {
        match self.0.get(field)? {
            SettingValue::Secret(secret) => Some(secret.clone()),
            SettingValue::Json(Value::String(text)) => Some(Secret::new(text.clone())),
            SettingValue::Json(value) => Some(Secret::new(value.to_string())),
            SettingValue::Duration(_) => None,
        }
    }

    /// The value of a field as a duration.
    pub fn duration(&self, field: &str) -> Option<Duration> {
        match self.0.get(field)? {
            SettingValue::Duration(duration) => Some(*duration),
            SettingValue::Json(value) => {
                value.as_f64().and_then(|secs| Duration::try_from_secs_f64(secs).ok())
            }
            SettingValue::Secret(_) => None,
        }
    }

    /// The value of a field as a count.
    pub fn count(&self, field: &str) -> Option<u32> {
        match self.0.get(field)? {
            SettingValue::Json(value) => value.as_u64().and_then(|count| u32::try_from(count).ok()),
            _ => None,
        }
    }

    /// Every secret, for the scrubber.
    pub fn secrets(&self) -> impl Iterator<Item = &Secret> {
        self.0.values().filter_map(|value| match value {
            SettingValue::Secret(secret) => Some(secret),
            _ => None,
        })
    }
}

fn parse(kind: EnvKind, unit: DurationUnit, text: &str) -> Result<SettingValue, String> {
    Ok(match kind {
        EnvKind::Text | EnvKind::Other(_) => SettingValue::Json(text.into()),
        EnvKind::Secret => {
            if text.starts_with("${") {
                return Err("is a template that nobody expanded".to_owned());
            }
            SettingValue::Secret(Secret::new(text))
        }
        EnvKind::Url => {
            let url = url::Url::parse(text).map_err(|error| format!("is not a URL ({error})"))?;
            if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
                return Err("is not an absolute http or https URL".to_owned());
            }
            SettingValue::Json(text.into())
        }
        EnvKind::Bool => match text.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => SettingValue::Json(true.into()),
            "false" | "0" | "no" | "off" => SettingValue::Json(false.into()),
            _ => return Err(format!("is `{text}`")),
        },
        EnvKind::Integer { min, max } => {
            let number: i64 = text.parse().map_err(|_| format!("is `{text}`"))?;
            if number < min || number > max {
                return Err(format!("is {number}"));
            }
            SettingValue::Json(number.into())
        }
        EnvKind::Float => match text.parse::<f64>() {
            Ok(number) if number.is_finite() => SettingValue::Json(number.into()),
            _ => return Err(format!("is `{text}`")),
        },
        EnvKind::Duration => SettingValue::Duration(parse_duration(unit, text)?),
        EnvKind::List(kind) => {
            let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
            let values = items.map(|item| match parse(*kind, unit, item)? {
                SettingValue::Json(value) => Ok(value),
                SettingValue::Duration(duration) => Ok(duration.as_secs_f64().into()),
                SettingValue::Secret(_) => Err("holds secrets, which a list cannot".to_owned()),
            });
            SettingValue::Json(Value::Array(values.collect::<Result<_, String>>()?))
        }
    })
}

fn parse_duration(unit: DurationUnit, text: &str) -> Result<Duration, String> {
    if let Ok(number) = text.parse::<u64>() {
        return Ok(match unit {
            DurationUnit::Seconds => Duration::from_secs(number),
            DurationUnit::Millis => Duration::from_millis(number),
        });
    }
    emp_syntax::duration::parse(text).map_err(|_| format!("is `{text}`"))
}

fn in_range(field: &EnvField, value: SettingValue) -> Result<SettingValue, String> {
    let number = match &value {
        SettingValue::Json(json) => json.as_f64(),
        SettingValue::Duration(duration) => Some(duration.as_secs_f64()),
        SettingValue::Secret(_) => None,
    };
    match (number, field.range) {
        (Some(number), Some((min, max))) if number < min || number > max => Err(format!("is {number}")),
        _ => Ok(value),
    }
}

impl EnvField {
    /// What would be valid, in words.
    pub fn expected(&self) -> String {
        expected(self.kind, self.range)
    }
}

/// What would be valid, in words.
fn expected(kind: EnvKind, range: Option<(f64, f64)>) -> String {
    let what = match kind {
        EnvKind::Text => "a text".to_owned(),
        EnvKind::Secret => "a secret".to_owned(),
        EnvKind::Url => "a URL such as https://api.example.com".to_owned(),
        EnvKind::Bool => "true or false".to_owned(),
        EnvKind::Integer { min, max } if range.is_none() && max != i64::MAX => {
            format!("a whole number from {min} to {max}")
        }
        EnvKind::Integer { .. } => "a whole number".to_owned(),
        EnvKind::Float => "a number".to_owned(),
        EnvKind::Duration => "a duration such as 30s".to_owned(),
        EnvKind::List(kind) => format!("a comma-separated list, each {}", expected(*kind, None)),
        EnvKind::Other(type_name) => format!("a valid {type_name}"),
    };
    match range {
        Some((min, f64::MAX)) => format!("{what} of at least {min}"),
        Some((min, max)) => format!("{what} from {min} to {max}"),
        None => what,
    }
}

/// A field's type, filled from its checked setting.
///
/// Implemented for `String, Secret, Url, bool`, the integers and floats, `Duration`, `Vec<T>` and `Option<T>`; any other type of a
/// field is filled through its `FromStr`.
pub trait FromSetting: Sized {
    /// The field's value; `None` when the setting is missing (which `Settings::load` has reported).
    fn from_setting(value: Option<&SettingValue>) -> Option<Self>;
}

impl FromSetting for String {
    fn from_setting(value: Option<&SettingValue>) -> Option<Self> {
        match value? {
            SettingValue::Json(Value::String(text)) => Some(text.clone()),
            _ => None,
        }
    }
}

impl FromSetting for Secret {
    fn from_setting(value: Option<&SettingValue>) -> Option<Self> {
        match value? {
            SettingValue::Secret(secret) => Some(secret.clone()),
            _ => None,
        }
    }
}

impl FromSetting for url::Url {
    fn from_setting(value: Option<&SettingValue>) -> Option<Self> {
        String::from_setting(value)?.parse().ok()
    }
}

impl FromSetting for bool {
    fn from_setting(value: Option<&SettingValue>) -> Option<Self> {
        match value? {
            SettingValue::Json(json) => json.as_bool(),
            _ => None,
        }
    }
}

impl FromSetting for Duration {
    fn from_setting(value: Option<&SettingValue>) -> Option<Self> {
        match value? {
            SettingValue::Duration(duration) => Some(*duration),
            _ => None,
        }
    }
}

macro_rules! from_number {
    ($($type:ty),*) => {$(
        impl FromSetting for $type {
            fn from_setting(value: Option<&SettingValue>) -> Option<Self> {
                match value? {
                    SettingValue::Json(json) => serde_json::from_value(json.clone()).ok(),
                    _ => None,
                }
            }
        }
    )*};
}

from_number!(u8, u16, u32, u64, usize, i8, i16, i32, i64, isize, f32, f64);

impl<T: FromSetting> FromSetting for Option<T> {
    fn from_setting(value: Option<&SettingValue>) -> Option<Self> {
        match value {
            None => Some(None),
            Some(_) => T::from_setting(value).map(Some),
        }
    }
}

impl<T: FromSetting> FromSetting for Vec<T> {
    fn from_setting(value: Option<&SettingValue>) -> Option<Self> {
        match value? {
            SettingValue::Json(Value::Array(items)) => {
                items.iter().map(|item| T::from_setting(Some(&SettingValue::Json(item.clone())))).collect()
            }
            _ => None,
        }
    }
}

impl Settings {
    /// The field, for a type that this crate knows.
    pub fn field<T: FromSetting>(&self, name: &str) -> Option<T> {
        T::from_setting(self.0.get(name))
    }

    /// The field, for an author's own type.
    pub fn parse<T>(&self, field: &EnvField, errors: &mut Vec<EnvError>) -> Option<T>
    where
        T: std::str::FromStr,
        T::Err: std::fmt::Display,
    {
        let text: String = self.field(field.field)?;
        text.parse()
            .map_err(|error| {
                errors.push(EnvError {
                    variable: field.variable.to_owned(),
                    problem: format!("is `{text}` ({error})"),
                    expected: expected(field.kind, field.range),
                });
            })
            .ok()
    }
}
