//! References: what a request, a template or a selector may name.
//!
//! ```text
//! hole = root { "." name | "[" integer "]" } [ "?" ] [ "??" ( hole | literal ) ]
//! root = "payload" | "env" | "job" | "queue" | "item" | "prepared" | "webhook"
//! ```

use crate::{List, SyntaxError, Text, nearest};

/// Where a reference begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Root {
    /// The job's payload, as the client sent it.
    Payload,
    /// A field of the connector's struct, filled from the environment. Never a secret.
    Env,
    /// The service job: `id`, `assigned_id`, and every name that `capture(..)` stored.
    Job,
    /// The queue's own facts: `job_id`, `attempt`, `budget_secs`, `budget_millis`.
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

impl Hole {
    /// Parses the text between the braces of a template: `payload.model ?? env.model`, `job.id`, `payload.size ?? "1k"`.
    pub fn parse(text: &str) -> Result<Self, SyntaxError> {
        let mut scan = Scan { text, at: 0 };
        let reference = scan.reference()?;
        let mut hole = Self { reference, optional: false, default: None };
        scan.blanks();
        if scan.eat("??") {
            scan.blanks();
            hole.default = Some(scan.default()?);
        } else if scan.eat("?") {
            hole.optional = true;
        }
        scan.blanks();
        if scan.rest().is_empty() {
            return Ok(hole);
        }
        Err(SyntaxError::new(scan.at, format!("`{}` does not belong here", scan.rest()))
            .help("a hole is a reference such as `payload.model`, then `?` or `?? default`"))
    }
}

impl Reference {
    /// Parses `root.name[0]`.
    pub fn parse(text: &str) -> Result<Self, SyntaxError> {
        let mut scan = Scan { text, at: 0 };
        let reference = scan.reference()?;
        if scan.rest().is_empty() {
            return Ok(reference);
        }
        Err(SyntaxError::new(scan.at, format!("`{}` does not belong here", scan.rest())))
    }

    /// The value at this reference's path below a value; absent and null are both `None`.
    pub fn lookup<'v>(&self, root: &'v serde_json::Value) -> Option<&'v serde_json::Value> {
        self.path
            .iter()
            .try_fold(root, |value, step| match step {
                Step::Name(name) => value.get(name.as_ref()),
                Step::Index(index) => value.get(*index),
            })
            .filter(|value| !value.is_null())
    }
}

impl Literal {
    /// The literal as JSON.
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Null => serde_json::Value::Null,
            Self::Bool(value) => (*value).into(),
            Self::Int(value) => (*value).into(),
            Self::Float(value) => (*value).into(),
            Self::Text(value) => value.as_ref().into(),
        }
    }
}

impl std::fmt::Display for Literal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.to_json().fmt(f)
    }
}

impl std::fmt::Display for Hole {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.reference.fmt(f)?;
        match &self.default {
            Some(HoleDefault::Reference(reference)) => write!(f, " ?? {reference}"),
            Some(HoleDefault::Literal(literal)) => write!(f, " ?? {literal}"),
            None if self.optional => f.write_str("?"),
            None => Ok(()),
        }
    }
}

/// A place in a text that is being read.
struct Scan<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Scan<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn blanks(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    fn eat(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    fn take(&mut self, wanted: impl Fn(char) -> bool) -> &'t str {
        let rest = self.rest();
        let end = rest.find(|c| !wanted(c)).unwrap_or(rest.len());
        self.at += end;
        rest.get(..end).unwrap_or_default()
    }

    fn name(&mut self) -> &'t str {
        self.take(|c| c.is_alphanumeric() || c == '_')
    }

    fn reference(&mut self) -> Result<Reference, SyntaxError> {
        self.blanks();
        let start = self.at;
        let word = self.name();
        let Some(root) = Root::from_word(word) else {
            let error =
                SyntaxError::new(start, format!("`{word}` is not something that a hole can refer to"));
            let roots = Root::ALL.map(|(name, _)| name);
            return Err(match nearest(word, roots) {
                Some(near) => error.help(format!("did you mean `{near}`?")),
                None => error.help(format!("a hole begins with one of {}", roots.join(", "))),
            });
        };
        let mut path = Vec::new();
        loop {
            let start = self.at;
            if self.eat(".") {
                let name = self.name();
                if name.is_empty() {
                    return Err(SyntaxError::new(start, "a name is missing after `.`"));
                }
                path.push(Step::Name(name.to_owned().into()));
            } else if self.eat("[") {
                let digits = self.take(|c| c.is_ascii_digit());
                let index = digits
                    .parse()
                    .map_err(|_| SyntaxError::new(start, "`[` wants a whole number, then `]`"))?;
                if !self.eat("]") {
                    return Err(SyntaxError::new(self.at, "`]` is missing"));
                }
                path.push(Step::Index(index));
            } else {
                return Ok(Reference { root, path: path.into() });
            }
        }
    }

    fn default(&mut self) -> Result<HoleDefault, SyntaxError> {
        let start = self.at;
        let rest = self.rest();
        if rest.starts_with(|c: char| c.is_alphabetic()) && !matches!(rest, "true" | "false" | "null") {
            return self.reference().map(HoleDefault::Reference);
        }
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<serde_json::Value>();
        let literal = match values.next() {
            Some(Ok(serde_json::Value::Null)) => Literal::Null,
            Some(Ok(serde_json::Value::Bool(value))) => Literal::Bool(value),
            Some(Ok(serde_json::Value::String(value))) => Literal::Text(value.into()),
            Some(Ok(serde_json::Value::Number(number))) => match number.as_i64() {
                Some(int) => Literal::Int(int),
                None => Literal::Float(number.as_f64().unwrap_or_default()),
            },
            _ => {
                return Err(SyntaxError::new(start, "a default is missing after `??`").help(
                    "write a string in double quotes, a number, `true`, `false`, `null`, or a reference",
                ));
            }
        };
        self.at += values.byte_offset();
        Ok(HoleDefault::Literal(literal))
    }
}
