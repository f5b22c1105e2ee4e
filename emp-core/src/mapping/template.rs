//! Values of the mapping that the environment fills: `"${COMFYUI_BASE_PORT:-8188}"` where a port is meant.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use emp_syntax::SyntaxError;
use emp_syntax::env_template::{EnvTemplate, Missing};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What a [`Template`] must be once it is expanded.
pub trait Kind {
    /// The expanded value.
    type Value;

    /// The kind's name in the schema.
    const NAME: &'static str;

    /// What would be valid, as a phrase: `a port from 1 to 65535`.
    const EXPECTED: &'static str;

    /// The values that JSON may hold instead of a text.
    fn scalars() -> Vec<Schema>;

    /// Reads the expanded text.
    fn read(text: &str) -> Option<Self::Value>;
}

/// Any text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Words {}

/// A port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Port {}

/// A number of things.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {}

/// A duration; a bare number is seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seconds {}

/// A number of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bytes {}

impl Kind for Words {
    type Value = String;
    const NAME: &'static str = "TextTemplate";
    const EXPECTED: &'static str = "a text";

    fn scalars() -> Vec<Schema> {
        vec![json_schema!({ "type": ["number", "boolean"] })]
    }

    fn read(text: &str) -> Option<String> {
        Some(text.to_owned())
    }
}

impl Kind for Port {
    type Value = u16;
    const NAME: &'static str = "PortTemplate";
    const EXPECTED: &'static str = "a port from 1 to 65535";

    fn scalars() -> Vec<Schema> {
        vec![json_schema!({ "type": "integer", "minimum": 1, "maximum": 65535 })]
    }

    fn read(text: &str) -> Option<u16> {
        digits(text)?.parse().ok().filter(|port| *port > 0)
    }
}

impl Kind for Count {
    type Value = u32;
    const NAME: &'static str = "CountTemplate";
    const EXPECTED: &'static str = "a whole number of at least 0";

    fn scalars() -> Vec<Schema> {
        vec![json_schema!({ "type": "integer", "minimum": 0, "maximum": u32::MAX })]
    }

    fn read(text: &str) -> Option<u32> {
        digits(text)?.parse().ok()
    }
}

impl Kind for Seconds {
    type Value = Duration;
    const NAME: &'static str = "DurationTemplate";
    const EXPECTED: &'static str = "a number of seconds, or a duration such as `2m`";

    fn scalars() -> Vec<Schema> {
        vec![json_schema!({ "type": "number", "minimum": 0 })]
    }

    fn read(text: &str) -> Option<Duration> {
        match text.trim().parse::<f64>() {
            Ok(seconds) => Duration::try_from_secs_f64(seconds).ok(),
            Err(_) => emp_syntax::duration::parse(text).ok(),
        }
    }
}

impl Kind for Bytes {
    type Value = u64;
    const NAME: &'static str = "SizeTemplate";
    const EXPECTED: &'static str = "a size such as `8GiB`";

    fn scalars() -> Vec<Schema> {
        vec![json_schema!({ "type": "integer", "minimum": 0 })]
    }

    fn read(text: &str) -> Option<u64> {
        emp_syntax::size::parse(text).ok()
    }
}

/// Whole numbers are digits only: `+1` and `1e3` are slips of the pen.
fn digits(text: &str) -> Option<&str> {
    let text = text.trim();
    text.bytes().all(|byte| byte.is_ascii_digit()).then_some(text)
}

/// A value that may hold `${VARIABLE:-default}` and, expanded, is of kind `K`. Keeps the text as it was written.
pub struct Template<K> {
    text: String,
    kind: PhantomData<fn() -> K>,
}

impl<K> Template<K> {
    /// A template of this text, which is not looked at until it is expanded.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), kind: PhantomData }
    }

    /// The text as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl<K: Kind> Template<K> {
    /// The value that the variables make; `None` when they are unset and nothing stands in for them.
    ///
    /// # Errors
    /// When the text is no template, when a variable that it requires is unset, or when what comes out is not of the kind.
    pub fn value(&self, lookup: &dyn Fn(&str) -> Option<String>) -> Result<Option<K::Value>, TemplateError> {
        let template = EnvTemplate::parse(&self.text)?;
        let text = template.expand(lookup)?;
        if text.is_empty() && template.as_literal().is_none() {
            return Ok(None);
        }
        match K::read(&text) {
            Some(value) => Ok(Some(value)),
            None => Err(TemplateError::Value { text, expected: K::EXPECTED }),
        }
    }

    /// The value where no variable is set; `None` when there is no default.
    ///
    /// # Errors
    /// As [`Template::value`], but for required variables, which have no default.
    pub fn default(&self) -> Result<Option<K::Value>, TemplateError> {
        match self.value(&|_| None) {
            Err(TemplateError::Missing(_)) => Ok(None),
            other => other,
        }
    }
}

/// Why a template has no value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// The text is no template.
    #[error(transparent)]
    Syntax(#[from] SyntaxError),
    /// Variables that it requires are unset.
    #[error(transparent)]
    Missing(#[from] Missing),
    /// The expanded text is not of the kind.
    #[error("`{text}` is not {expected}")]
    Value {
        /// The expanded text.
        text: String,
        /// What would be valid.
        expected: &'static str,
    },
}

impl<K> Clone for Template<K> {
    fn clone(&self) -> Self {
        Self::new(self.text.clone())
    }
}

impl<K> fmt::Debug for Template<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text.fmt(f)
    }
}

impl<K> PartialEq for Template<K> {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl<K> Eq for Template<K> {}

impl<K> Serialize for Template<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de, K: Kind> Deserialize<'de> for Template<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Scalar;

        impl Visitor<'_> for Scalar {
            type Value = String;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, a number or a boolean")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<String, E> {
                Ok(text.to_owned())
            }

            fn visit_bool<E: Error>(self, value: bool) -> Result<String, E> {
                Ok(value.to_string())
            }

            fn visit_u64<E: Error>(self, value: u64) -> Result<String, E> {
                Ok(value.to_string())
            }

            fn visit_i64<E: Error>(self, value: i64) -> Result<String, E> {
                Ok(value.to_string())
            }

            fn visit_f64<E: Error>(self, value: f64) -> Result<String, E> {
                Ok(value.to_string())
            }
        }

        deserializer.deserialize_any(Scalar).map(Self::new)
    }
}

impl<K: Kind> JsonSchema for Template<K> {
    fn schema_name() -> Cow<'static, str> {
        K::NAME.into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let mut choices = vec![json_schema!({ "type": "string" })];
        choices.extend(K::scalars());
        json_schema!({
            "description": format!("{}; may be a template such as `${{VARIABLE:-default}}`", capitalised(K::EXPECTED)),
            "anyOf": choices,
        })
    }
}

fn capitalised(phrase: &str) -> String {
    let mut letters = phrase.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
