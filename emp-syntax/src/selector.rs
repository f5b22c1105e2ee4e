//! Selectors: where in an answer a value is, and how it is reduced to what is wanted.
//!
//! ```text
//! selector  = ( jsonpath | hook | header("name") | code | raw | age | state | absent_for | deltas | probe "." jsonpath | reference ) { "|" reducer }
//! selectors = selector | "[" selector { "," selector } "]"      the first that yields a non-null value wins
//! ```

use crate::hole::Reference;
use crate::hook::{Hook, Select};
use crate::jsonpath::JsonPath;
use crate::{List, Text};

/// Where a value is, and what to do with it.
#[derive(Clone, Debug, PartialEq)]
pub struct Selector {
    /// Where it comes from.
    pub source: Source,
    /// Applied in order. A path to several nodes without a reducer for lists means `first`.
    pub reducers: List<Reducer>,
}

/// What a selector reads.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// Nodes of the JSON body; absent when the body is not JSON.
    Path(JsonPath),
    /// Nodes of the JSON answer to a further question, by the name that `also(..)` gave it: `queue."$.running[*]"`.
    Probe(Text, JsonPath),
    /// A response header, by lower-case name.
    Header(Text),
    /// The HTTP status code, a number.
    Code,
    /// The body as text.
    Raw,
    /// Seconds since the submit was answered.
    Age,
    /// The state so far, as its word: `queued`, `running`.
    State,
    /// Seconds for which no poll has found the service job.
    AbsentFor,
    /// All the text that a stream has brought so far.
    Deltas,
    /// A value that is known already: `job.id`, `payload.model`.
    Reference(Reference),
    /// What a function of the author's finds: `with(Self::progress)`.
    Hook(Hook<Select>),
}

/// A step from what a selector found to what is wanted of it. A closed list: there is no evaluator.
#[derive(Clone, Debug, PartialEq)]
pub enum Reducer {
    /// The first node; what a scalar target does anyway.
    First,
    /// All nodes, as an array.
    All,
    /// All nodes as text, with a separator between them.
    Join(Text),
    /// How many nodes.
    Count,
    /// A path inside the value.
    At(JsonPath),
    /// The value is a string that holds JSON.
    ParseJson,
    /// The value is base64 text; yields it decoded (as text when it is UTF-8).
    Base64,
    /// A number, or text that is one.
    Number,
    /// 0 to 100, to a fraction.
    Percent,
    /// 0 to 1, clamped.
    Fraction,
    /// The value divided by the number at another path.
    Ratio(JsonPath),
    /// 1 minus a fraction.
    Invert,
    /// A fraction, placed between two others: `between(0.3, 0.9)`.
    Between(f64, f64),
    /// A number of milliseconds, to seconds.
    Millis,
    /// A number of seconds.
    Seconds,
    /// A text such as `6m0s` or `250ms`, to seconds.
    Duration,
    /// An HTTP date, to seconds from now.
    HttpDate,
    /// The last n characters of a text.
    Tail(usize),
    /// The last match of a regular expression in a text; its first group when it has one.
    LastMatch(Text),
    /// Lower case.
    Lower,
}

impl Reducer {
    /// The word that names a reducer in a declaration.
    pub fn word(&self) -> &'static str {
        match self {
            Self::First => "first",
            Self::All => "all",
            Self::Join(_) => "join",
            Self::Count => "count",
            Self::At(_) => "at",
            Self::ParseJson => "parse_json",
            Self::Base64 => "base64",
            Self::Number => "number",
            Self::Percent => "percent",
            Self::Fraction => "fraction",
            Self::Ratio(_) => "ratio",
            Self::Invert => "invert",
            Self::Between(..) => "between",
            Self::Millis => "millis",
            Self::Seconds => "seconds",
            Self::Duration => "duration",
            Self::HttpDate => "http_date",
            Self::Tail(_) => "tail",
            Self::LastMatch(_) => "last_match",
            Self::Lower => "lower",
        }
    }

    /// Every word, for suggestions and docs.
    pub const WORDS: [&'static str; 20] = [
        "all",
        "at",
        "base64",
        "between",
        "count",
        "duration",
        "first",
        "fraction",
        "http_date",
        "invert",
        "join",
        "last_match",
        "lower",
        "millis",
        "number",
        "parse_json",
        "percent",
        "ratio",
        "seconds",
        "tail",
    ];
}
