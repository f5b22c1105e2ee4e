//! What the result is, as it was written.
#![allow(missing_docs, reason = "a field is the key of its attribute, and `parse::keys` documents every key")]

use std::time::Duration;

use emp_syntax::rule::{FailureKind, Predicate, StateRule};
use emp_syntax::selector::Selector;
use proc_macro2::Span;

use super::{Given, RawRequest};
use crate::spec::{Capture, PairValue, Spanned};

/// `#[outcome(..)]`
#[derive(Clone, Debug, Default)]
pub struct RawOutcome {
    pub request: RawRequest,
    pub rules: Vec<StateRule>,
    pub on_http_error: Given<FailureKind>,
    pub take: RawTake,
    pub first_of: Given<Vec<RawPart>>,
    pub also: Vec<RawExtra>,
    pub types: Given<Vec<Spanned<String>>>,
    pub min: Given<u32>,
    pub too_few: Given<FailureKind>,
    pub partial: Given<RawPartial>,
    pub refresh: Given<()>,
    pub meta: Vec<Capture>,
    pub keep_for: Given<Duration>,
}

/// `partial(when = predicate)`
#[derive(Clone, Debug, Default)]
pub struct RawPartial {
    pub when: Given<Predicate>,
}

/// What is taken out of one answer.
#[derive(Clone, Debug, Default)]
pub struct RawTake {
    pub json: Given<Vec<Selector>>,
    pub text: Given<Vec<Selector>>,
    pub jsonl: bool,
    pub raw: Option<Span>,
    pub mime: Given<Vec<Selector>>,
    pub base64: Given<Vec<Selector>>,
    pub files: Given<RawFiles>,
}

impl RawTake {
    /// Whether files are among it.
    pub fn has_files(&self) -> bool {
        self.raw.is_some() || self.base64.is_some() || self.files.is_some()
    }
}

/// A place for the result, or a part of it.
#[derive(Clone, Debug)]
pub struct RawPart {
    pub span: Span,
    /// `get(..)`
    pub get: bool,
    /// The URL is where these find it.
    pub from: Vec<Selector>,
    pub request: RawRequest,
    pub take: RawTake,
}

/// `also(name = get(..) if predicate)`
#[derive(Clone, Debug)]
pub struct RawExtra {
    pub name: Spanned<String>,
    pub part: RawPart,
    pub when: Option<Predicate>,
}

/// `files = ..`
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant, reason = "one of it lives for one expansion")]
pub enum RawFiles {
    Urls(Vec<Selector>),
    Auto,
    Each(RawEach),
}

/// `each(..)`
#[derive(Clone, Debug)]
pub struct RawEach {
    pub items: Selector,
    pub request: RawRequest,
    pub name: Option<PairValue>,
}
