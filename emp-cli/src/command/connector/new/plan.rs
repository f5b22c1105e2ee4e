//! What a new connector will be, before it is written: the same for a skeleton, a curl command and an `OpenAPI` description.

use serde_json::Value;

/// A connector to write.
#[derive(Clone, Debug)]
pub(super) struct NewConnector {
    /// Where it comes from, for the file's own documentation.
    pub(super) source: String,
    /// Origin and fixed path of the service.
    pub(super) base: String,
    /// Where the credential stands.
    pub(super) credential: Credential,
    /// `POST`, …
    pub(super) method: String,
    /// Below the base; may have holes.
    pub(super) path: String,
    /// Constant query pairs and headers of the submit.
    pub(super) query: Vec<(String, String)>,
    pub(super) headers: Vec<(String, String)>,
    /// Members of the body that are always the same, as JSON.
    pub(super) constants: Vec<(String, Value)>,
    /// Members of the payload, and of the body unless they stand in the path.
    pub(super) fields: Vec<Field>,
    /// How the job is asked after; `None` for a service that answers with the result.
    pub(super) polled: Option<Polled>,
    /// Where the result is; empty for the whole answer.
    pub(super) outcome: String,
    /// What a person should look at next.
    pub(super) next: Vec<String>,
}

/// Where a credential stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Credential {
    None,
    Bearer,
    /// A header with a text before the secret.
    Header {
        name: String,
        prefix: String,
    },
    Query {
        name: String,
    },
    Basic,
}

/// A member of the payload.
#[derive(Clone, Debug)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) doc: String,
    pub(super) required: bool,
    pub(super) example: Option<Value>,
    /// It stands in the path, not in the body.
    pub(super) in_path: bool,
}

/// The Rust type of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Integer,
    Number,
    Bool,
    List,
    Object,
    Any,
}

impl Kind {
    /// The type of a value.
    pub(super) fn of(value: &Value) -> Self {
        match value {
            Value::String(_) => Self::Text,
            Value::Bool(_) => Self::Bool,
            Value::Number(number) if number.is_i64() => Self::Integer,
            Value::Number(_) => Self::Number,
            Value::Array(_) => Self::List,
            Value::Object(_) => Self::Object,
            Value::Null => Self::Any,
        }
    }

    pub(super) fn rust(self) -> &'static str {
        match self {
            Self::Text => "String",
            Self::Integer => "i64",
            Self::Number => "f64",
            Self::Bool => "bool",
            Self::List => "Vec<Value>",
            Self::Object => "Map<String, Value>",
            Self::Any => "Value",
        }
    }
}

/// How a job is asked after.
#[derive(Clone, Debug)]
pub(super) struct Polled {
    /// Where the submit's answer has the id.
    pub(super) id: String,
    pub(super) method: String,
    pub(super) path: String,
    /// Where the status is.
    pub(super) status: String,
    pub(super) words: Words,
    /// Method and path.
    pub(super) cancel: Option<(String, String)>,
}

/// The status words by meaning.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Words {
    pub(super) queued: Vec<String>,
    pub(super) running: Vec<String>,
    pub(super) succeeded: Vec<String>,
    pub(super) failed: Vec<String>,
    pub(super) canceled: Vec<String>,
    /// Nothing in them says what they mean; taken for running until somebody looks.
    pub(super) unclear: Vec<String>,
}

const QUEUED: &[&str] = &[
    "queued",
    "pending",
    "waiting",
    "submitted",
    "created",
    "starting",
    "scheduled",
    "new",
    "accepted",
    "notstarted",
    "inqueue",
    "throttled",
    "validating",
];
const RUNNING: &[&str] = &[
    "running",
    "processing",
    "inprogress",
    "started",
    "generating",
    "working",
    "active",
    "finalizing",
    "dreaming",
    "preparing",
    "canceling",
    "cancelling",
];
const SUCCEEDED: &[&str] = &[
    "succeeded",
    "success",
    "successful",
    "completed",
    "complete",
    "done",
    "finished",
    "ready",
    "ok",
    "succeed",
    "ended",
];
const FAILED: &[&str] = &[
    "failed",
    "failure",
    "error",
    "errored",
    "rejected",
    "timeout",
    "timedout",
    "expired",
    "incomplete",
    "requestmoderated",
    "contentmoderated",
];
const CANCELED: &[&str] = &["canceled", "cancelled", "aborted", "stopped", "terminated"];

impl Words {
    /// The words of a service that nobody has described.
    pub(super) fn usual() -> Self {
        Self::sorted([
            "queued",
            "pending",
            "processing",
            "running",
            "succeeded",
            "completed",
            "failed",
            "error",
            "canceled",
            "cancelled",
        ])
    }

    /// Sorts words by what they usually mean. Where none of the words ends a job, the usual ones are added.
    pub(super) fn sorted<'w>(words: impl IntoIterator<Item = &'w str>) -> Self {
        let mut sorted = Self::default();
        for word in words {
            let plain: String = word
                .chars()
                .filter(char::is_ascii_alphanumeric)
                .map(|letter| letter.to_ascii_lowercase())
                .collect();
            let is = |known: &[&str]| known.contains(&plain.as_str());
            let list = if is(QUEUED) {
                &mut sorted.queued
            } else if is(RUNNING) {
                &mut sorted.running
            } else if is(SUCCEEDED) {
                &mut sorted.succeeded
            } else if is(FAILED) {
                &mut sorted.failed
            } else if is(CANCELED) {
                &mut sorted.canceled
            } else {
                &mut sorted.unclear
            };
            list.push(word.to_owned());
        }
        if sorted.succeeded.is_empty() {
            sorted.succeeded.push("succeeded".to_owned());
        }
        if sorted.failed.is_empty() {
            sorted.failed.push("failed".to_owned());
        }
        sorted
    }
}

/// Whether a text can be a field of a struct and a hole of the language.
pub(super) fn is_ident(name: &str) -> bool {
    const KEYWORDS: &[&str] = &[
        "as", "async", "await", "box", "break", "const", "continue", "crate", "do", "dyn", "else", "enum",
        "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro", "match",
        "mod", "move", "mut", "override", "priv", "pub", "ref", "return", "self", "static", "struct",
        "super", "trait", "true", "try", "type", "typeof", "unsafe", "unsized", "use", "virtual", "where",
        "while", "yield", "abstract", "become",
    ];
    let mut letters = name.chars();
    letters.next().is_some_and(|first| first.is_ascii_lowercase() || first == '_')
        && name != "_"
        && letters.all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_')
        && !KEYWORDS.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_sorted_by_what_they_mean() {
        let words = Words::sorted([
            "IN_QUEUE",
            "In Progress",
            "Succeeded",
            "Request Moderated",
            "Aborted",
            "frobbing",
        ]);
        assert_eq!(words.queued, ["IN_QUEUE"]);
        assert_eq!(words.running, ["In Progress"]);
        assert_eq!(words.succeeded, ["Succeeded"]);
        assert_eq!(words.failed, ["Request Moderated"]);
        assert_eq!(words.canceled, ["Aborted"]);
        assert_eq!(words.unclear, ["frobbing"]);
    }
}
