//! References: what a request, a template or a selector may name.
//!
//! ```text
//! hole = root { "." name | "[" integer "]" } [ "?" ] [ "??" ( hole | literal ) ]
//! root = "payload" | "env" | "job" | "queue" | "item" | "prepared" | "webhook"
//! ```

use crate::{List, Text};

/// Where a reference begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Root {
    /// The job's payload, as the client sent it.
    Payload,
    /// A field of the connector's struct, filled from the environment. Never a secret.
    Env,
    /// The service job: `id`, `assigned_id`, and every name that `capture(..)` stored.
    Job,
    /// The queue's own facts: `job_id`, `attempt`, `budget_secs`, `budget_millis`, `ttl_millis`.
    Queue,
    /// The current element of an `each` step.
    Item,
    /// A value captured by a `prepare` step.
    Prepared,
    /// The webhook that the service is asked to call: `url`, `events`.
    Webhook,
}

impl Root {
    /// Every root with the word that names it.
    pub const ALL: [(&'static str, Self); 7] = [
        ("payload", Self::Payload),
        ("env", Self::Env),
        ("job", Self::Job),
        ("queue", Self::Queue),
        ("item", Self::Item),
        ("prepared", Self::Prepared),
        ("webhook", Self::Webhook),
    ];

    /// The root that a word names.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find_map(|(name, root)| (name == word).then_some(root))
    }

    /// The word that names this root.
    pub fn word(self) -> &'static str {
        Self::ALL.into_iter().find_map(|(name, root)| (root == self).then_some(name)).unwrap_or("payload")
    }
}

/// One step of a reference's path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A member of an object.
    Name(Text),
    /// An element of an array, counted from 0.
    Index(usize),
}

/// A reference: `payload.input.prompt`, `env.model`, `job.id`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// Where it begins.
    pub root: Root,
    /// The path from there; empty for the whole of `payload`.
    pub path: List<Step>,
}

impl std::fmt::Display for Reference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.root.word())?;
        for step in self.path.iter() {
            match step {
                Step::Name(name) => write!(f, ".{name}")?,
                Step::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

/// A reference with what to do when the value is absent or null.
#[derive(Clone, Debug, PartialEq)]
pub struct Hole {
    /// The value's place.
    pub reference: Reference,
    /// `?`: leave the member, header or query pair out when the value is absent or null.
    pub optional: bool,
    /// `?? x`: the value to use instead when it is absent or null.
    pub default: Option<HoleDefault>,
}

/// What stands behind `??`.
#[derive(Clone, Debug, PartialEq)]
pub enum HoleDefault {
    /// Another reference, which must have a value.
    Reference(Reference),
    /// A literal.
    Literal(Literal),
}

/// A JSON scalar in a declaration.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number with a fraction or an exponent.
    Float(f64),
    /// A string, as it stands.
    Text(Text),
}
