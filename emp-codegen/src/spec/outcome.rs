//! `#[outcome]`: where the result is.

use std::time::Duration;

use emp_syntax::rule::{FailureKind, Predicate, StateRule};
use emp_syntax::selector::Selector;

use super::{Capture, PairValue, Request, Spanned};

/// Where the result is.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// The request whose answer is the result.
    pub request: Option<ResultRequest>,
    /// What is taken out of that answer.
    pub take: Take,
    /// Other places, instead of `take`.
    pub first_of: Vec<Part>,
    /// More answers that belong to the result.
    pub also: Vec<Extra>,
    /// Media types that a file may have.
    pub types: Vec<String>,
    /// Fewer are no success.
    pub min: Option<(u32, FailureKind)>,
    /// An answer with some of the result and not all.
    pub partial: Option<Predicate>,
    /// An expired link is asked after again.
    pub refresh: bool,
    /// Facts about it.
    pub meta: Vec<Capture>,
    /// For how long the service keeps it.
    pub keep_for: Option<Duration>,
}

/// One of the places of `first_of(..)`.
#[derive(Clone, Debug)]
pub struct Part {
    /// Where the answer comes from.
    pub at: Option<ResultAt>,
    /// What is taken out of it.
    pub take: Take,
}

/// `also(name = get(..) if predicate)`
#[derive(Clone, Debug)]
pub struct Extra {
    /// What it is called.
    pub name: Spanned<String>,
    /// Where it comes from.
    pub at: ResultAt,
    /// What is taken out of it.
    pub take: Take,
    /// Only then.
    pub when: Option<Predicate>,
}

/// Where an answer with a part of the result comes from.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant)] // a few per connector, at compile time
pub enum ResultAt {
    /// A declared request.
    Request(Request),
    /// The URL that the answer before names.
    Found(Vec<Selector>),
}

/// A request for the result.
#[derive(Clone, Debug)]
pub struct ResultRequest {
    /// The request.
    pub request: Request,
    /// What its answer says.
    pub rules: Vec<StateRule>,
    /// What a 4xx or 5xx answer means.
    pub on_http_error: Option<FailureKind>,
}

/// What is taken out of an answer.
#[derive(Clone, Debug, Default)]
pub struct Take {
    /// As JSON.
    pub json: Vec<Selector>,
    /// As text.
    pub text: Vec<Selector>,
    /// JSON by lines.
    pub jsonl: bool,
    /// The bytes, as a file.
    pub raw: bool,
    /// The media type of those bytes.
    pub mime: Vec<Selector>,
    /// Files in base64.
    pub base64: Vec<Selector>,
    /// Files behind URLs.
    pub files: Files,
}

/// Files behind URLs.
#[derive(Clone, Debug, Default)]
pub enum Files {
    /// None.
    #[default]
    None,
    /// Those that the selectors find.
    Urls(Vec<Selector>),
    /// All in the result.
    Auto,
    /// One for each item.
    Each(Box<Each>),
}

/// One request for each item.
#[derive(Clone, Debug)]
pub struct Each {
    /// The items.
    pub items: Selector,
    /// The request for one.
    pub request: Request,
    /// What the file is called.
    pub name: Option<PairValue>,
}
