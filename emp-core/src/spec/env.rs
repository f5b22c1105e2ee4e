//! The environment that a connector reads.

/// A variable of the environment that a connector reads.
#[derive(Clone, Copy, Debug)]
pub struct EnvField {
    /// The struct's field.
    pub field: &'static str,
    /// The variable.
    pub variable: &'static str,
    /// What its text must be.
    pub kind: EnvKind,
    /// Neither a default nor `Option`.
    pub required: bool,
    /// The text used when the variable is unset or empty.
    pub default: Option<&'static str>,
    /// Smallest and largest allowed number; for durations in seconds.
    pub range: Option<(f64, f64)>,
    /// What a bare number means in a duration.
    pub unit: DurationUnit,
    /// The field's doc comment.
    pub description: &'static str,
}

impl EnvField {
    /// Never shown.
    pub fn secret(&self) -> bool {
        matches!(self.kind, EnvKind::Secret)
    }
}

/// What the text of a variable must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EnvKind {
    /// Any text.
    Text,
    /// A credential.
    Secret,
    /// An absolute http or https URL.
    Url,
    /// `true`, `false`, `1`, `0`, `yes`, `no`, `on`, `off`.
    Bool,
    /// A whole number that fits the field's type.
    Integer {
        /// The type's smallest value.
        min: i64,
        /// The type's largest value, up to `i64::MAX`.
        max: i64,
    },
    /// A finite number.
    Float,
    /// `30s`, `1m 30s`, or a bare number in the declared unit.
    Duration,
    /// A comma-separated list.
    List(&'static EnvKind),
    /// A type of the author's that implements `FromStr`; the type's name.
    Other(&'static str),
}

/// What a bare number means in a duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DurationUnit {
    /// Seconds.
    Seconds,
    /// Milliseconds.
    Millis,
}
