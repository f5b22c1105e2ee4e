//! Hooks: one pure function of the author's where the language has no word, without leaving the rest of it.
//!
//! ```text
//! hook = "with" "(" "Self" "::" name ")"
//! ```
//!
//! A hook may stand for a selector, for a value or all members of a JSON body, for the judgement of an answer, and for the
//! classification of a refusal. It is given what a declaration could have read there and gives what a declaration could have
//! said: it has no clock, no network and no secret, so a crash, a resend and the fake service see the same as the first run.

use serde_json::Value;

use crate::Text;
use crate::hole::Reference;
use crate::rule::{FailureKind, StateVerdict};

/// Finds a value in an answer: `progress = with(Self::progress)`. `None` is an absent value.
pub type Select = fn(&Answer<'_>) -> Option<Value>;
/// Makes a value of a body: `"workflow": with(Self::workflow)`, `..with(Self::members)`. `None` leaves it out.
pub type Make = fn(&Known<'_>) -> Option<Value>;
/// Says what an answer means: `rules(with(Self::judge))`. `None` leaves it to the rules and words that follow.
pub type Judge = fn(&Answer<'_>) -> Option<StateVerdict>;
/// Says what a refusal means: `#[errors(with(Self::classify))]`. `None` leaves it to the rules that follow.
pub type Classify = fn(&Answer<'_>) -> Option<FailureKind>;

/// What is known of a job before an answer: its payload, the environment without its secrets, the service job.
#[derive(Clone, Copy)]
pub struct Known<'a> {
    lookup: &'a dyn Fn(&Reference) -> Option<Value>,
}

impl<'a> Known<'a> {
    /// What a function finds.
    pub fn new(lookup: &'a dyn Fn(&Reference) -> Option<Value>) -> Self {
        Self { lookup }
    }

    /// The value at a reference as a hole writes it: `payload.prompt`, `env.model`, `job.id`. `None` when there is none, and for
    /// a text that is not a reference.
    pub fn get(&self, reference: &str) -> Option<Value> {
        (self.lookup)(&Reference::parse(reference).ok()?)
    }
}

impl std::fmt::Debug for Known<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Known").finish_non_exhaustive()
    }
}

/// An answer of the service, with what is known of the job.
#[derive(Clone, Copy)]
pub struct Answer<'a> {
    /// The HTTP status code.
    pub code: u16,
    /// The body as text.
    pub text: &'a str,
    /// The body, when it is JSON.
    pub json: Option<&'a Value>,
    /// What was known before.
    pub known: Known<'a>,
    header: &'a dyn Fn(&str) -> Option<&'a str>,
}

impl<'a> Answer<'a> {
    /// An answer whose headers a function finds by their lower-case names.
    pub fn new(
        code: u16,
        text: &'a str,
        json: Option<&'a Value>,
        header: &'a dyn Fn(&str) -> Option<&'a str>,
        known: Known<'a>,
    ) -> Self {
        Self { code, text, json, known, header }
    }

    /// The first value of a header.
    pub fn header(&self, name: &str) -> Option<&'a str> {
        (self.header)(&name.to_ascii_lowercase())
    }

    /// The value at a JSON pointer (RFC 6901) of the body: `/data/0/url`.
    pub fn pointer(&self, pointer: &str) -> Option<&'a Value> {
        self.json?.pointer(pointer)
    }
}

impl std::fmt::Debug for Answer<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Answer").field("code", &self.code).finish_non_exhaustive()
    }
}

/// A function of the connector's type. Two hooks are the same when their names are.
#[derive(Clone)]
pub struct Hook<F> {
    /// Its name: `progress` for `with(Self::progress)`.
    pub name: Text,
    /// The function; `None` while compiling, when there is only its name.
    pub call: Option<F>,
}

impl<F> PartialEq for Hook<F> {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl<F> std::fmt::Debug for Hook<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "with(Self::{})", self.name)
    }
}
