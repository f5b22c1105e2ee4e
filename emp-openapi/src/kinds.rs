//! Sets of JSON kinds.

use serde_json::Value;

/// A set of JSON kinds: what a value can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Kinds(u8);

/// Each kind with its word in a message.
const WORDS: [(Kinds, &str); 6] = [
    (Kinds::NULL, "null"),
    (Kinds::BOOL, "a boolean"),
    (Kinds::NUMBER, "a number"),
    (Kinds::TEXT, "text"),
    (Kinds::ARRAY, "an array"),
    (Kinds::OBJECT, "an object"),
];

impl Kinds {
    /// Nothing.
    pub const NONE: Self = Self(0);
    /// `null`
    pub const NULL: Self = Self(1);
    /// `true`, `false`
    pub const BOOL: Self = Self(2);
    /// Whole or not.
    pub const NUMBER: Self = Self(4);
    /// A string.
    pub const TEXT: Self = Self(8);
    /// An array.
    pub const ARRAY: Self = Self(16);
    /// An object.
    pub const OBJECT: Self = Self(32);
    /// Anything.
    pub const ALL: Self = Self(63);

    /// What is in one of both.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is in both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether they have a kind in common.
    pub const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether all of these kinds are in the other set.
    pub const fn within(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }

    /// Without a kind.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// The kind of a value.
    pub fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::NULL,
            Value::Bool(_) => Self::BOOL,
            Value::Number(_) => Self::NUMBER,
            Value::String(_) => Self::TEXT,
            Value::Array(_) => Self::ARRAY,
            Value::Object(_) => Self::OBJECT,
        }
    }

    /// The kinds of a schema's `type`; a word that is none of JSON Schema's is anything.
    pub(crate) fn of_type(value: &Value) -> Self {
        match value {
            Value::String(word) => match word.as_str() {
                "null" => Self::NULL,
                "boolean" => Self::BOOL,
                "number" | "integer" => Self::NUMBER,
                "string" => Self::TEXT,
                "array" => Self::ARRAY,
                "object" => Self::OBJECT,
                _ => Self::ALL,
            },
            Value::Array(words) => words.iter().map(Self::of_type).fold(Self::NONE, Self::or),
            _ => Self::ALL,
        }
    }
}

impl std::fmt::Display for Kinds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if *self == Self::ALL {
            return f.write_str("anything");
        }
        let words: Vec<_> =
            WORDS.iter().filter(|(kind, _)| self.meets(*kind)).map(|(_, word)| *word).collect();
        f.write_str(if words.is_empty() { "nothing" } else { "" })?;
        f.write_str(&words.join(" or "))
    }
}
