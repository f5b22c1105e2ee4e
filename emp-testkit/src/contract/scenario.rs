//! What the kit asks of a connector, one question at a time.

use schemars::JsonSchema;
use serde::Serialize;

/// What a group of scenarios is about, in the order in which a grade needs them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Group {
    /// A job goes through, from its submit to its result.
    Happy,
    /// What the declaration says can work, judged without a job.
    Static,
    /// The declaration agrees with the recorded description of the service.
    Record,
    /// Every status word and every rule means what it should.
    States,
    /// A cancel, at every stage of a job.
    Cancel,
    /// Conduct under the faults F24 to F43 of a service.
    Conduct,
    /// A worker that dies, at every phase of a job.
    Crash,
}

impl Group {
    /// The word that begins the ids of its scenarios.
    pub fn word(self) -> &'static str {
        match self {
            Self::Happy => "happy",
            Self::Static => "static",
            Self::Record => "record",
            Self::States => "states",
            Self::Cancel => "cancel",
            Self::Conduct => "conduct",
            Self::Crash => "crash",
        }
    }
}

/// One question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Scenario {
    /// `group.name`, the same in every run: `conduct.F26.no_id`.
    pub id: String,
    /// What it is about.
    pub group: Group,
    /// What should hold, in one line.
    pub about: String,
}

impl Scenario {
    pub(crate) fn new(group: Group, name: impl AsRef<str>, about: impl Into<String>) -> Self {
        Self { id: format!("{}.{}", group.word(), name.as_ref()), group, about: about.into() }
    }
}

/// How a scenario went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// As it should.
    Pass,
    /// It works, and could be better: the reason says how. Keeps the best grade away, and fails nothing.
    Advice,
    /// It does not apply to this connector; the reason says why.
    NotApplicable,
    /// Not as it should.
    Fail,
}

impl Outcome {
    /// The word that a table has for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Advice => "advice",
            Self::NotApplicable => "n/a",
            Self::Fail => "FAIL",
        }
    }
}

/// An outcome with its reason; a pass needs none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Judged {
    pub(crate) outcome: Outcome,
    pub(crate) reason: String,
}

impl Judged {
    pub(crate) fn pass() -> Self {
        Self { outcome: Outcome::Pass, reason: String::new() }
    }

    pub(crate) fn passes(reason: impl Into<String>) -> Self {
        Self { outcome: Outcome::Pass, reason: reason.into() }
    }

    pub(crate) fn advice(reason: impl Into<String>) -> Self {
        Self { outcome: Outcome::Advice, reason: reason.into() }
    }

    pub(crate) fn not_applicable(reason: impl Into<String>) -> Self {
        Self { outcome: Outcome::NotApplicable, reason: reason.into() }
    }

    pub(crate) fn fail(reason: impl Into<String>) -> Self {
        Self { outcome: Outcome::Fail, reason: reason.into() }
    }
}

impl From<Result<(), String>> for Judged {
    fn from(judged: Result<(), String>) -> Self {
        judged.map_or_else(Self::fail, |()| Self::pass())
    }
}
