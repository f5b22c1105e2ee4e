//! Where the result of a job is: in the answer that says so, in one of its own, or in files that are fetched.

use std::time::Duration;

use emp_syntax::rule::{FailureKind, Predicate, StateRule};
use emp_syntax::selector::Selector;

use super::{Capture, PairValue, RequestSpec};

/// Where the result is.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The request whose answer is the result; `None` when the answer that says that the job is done has it.
    pub request: Option<ResultRequest>,
    /// What is taken out of that answer.
    pub take: Take,
    /// Other places, instead of `take`: the first that has something is the result.
    pub first_of: &'static [Part],
    /// More answers that belong to the result.
    pub also: &'static [Extra],
    /// Media types that a file may have, such as `image/*`; empty for any but a page of HTML.
    pub types: &'static [&'static str],
    /// Fewer files than this, or results where there are no files, are no success.
    pub min: Option<Minimum>,
    /// An answer for which it holds has some of the result and not all.
    pub partial: Option<Predicate>,
    /// A file that is refused with 401, 403, 404 or 410 is asked after again: the next poll may have a fresh link.
    pub refresh: bool,
    /// Facts about the result: usage, cost, seed.
    pub meta: &'static [Capture],
    /// For how long the service keeps the result.
    pub keep_for: Option<Duration>,
}

impl Outcome {
    /// What a connector that says nothing gets: the whole body of the answer that says that the job is done.
    pub const DEFAULT: Self = Self {
        request: None,
        take: Take::DEFAULT,
        first_of: &[],
        also: &[],
        types: &[],
        min: None,
        partial: None,
        refresh: false,
        meta: &[],
        keep_for: None,
    };

    /// Whether a result names files; then it is an object with `files`, whatever else is in it.
    pub fn has_files(&self) -> bool {
        let others =
            self.first_of.iter().map(|part| &part.take).chain(self.also.iter().map(|extra| &extra.take));
        self.take.has_files() || others.into_iter().any(Take::has_files)
    }
}

/// One of the places of `first_of(..)`.
#[derive(Clone, Debug)]
pub struct Part {
    /// Where the answer comes from; `None` for the one that is there already.
    pub at: Option<ResultAt>,
    /// What is taken out of it.
    pub take: Take,
}

/// `also(name = get(..) if predicate)`
#[derive(Clone, Debug)]
pub struct Extra {
    /// What it is called in the result.
    pub name: &'static str,
    /// Where it comes from.
    pub at: ResultAt,
    /// What is taken out of it.
    pub take: Take,
    /// Only then.
    pub when: Option<Predicate>,
}

/// Where an answer with a part of the result comes from.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant)] // as `Protocol`
pub enum ResultAt {
    /// A declared request.
    Request(RequestSpec),
    /// A GET of the URL that the answer before names, by the same rules as a file's; without a URL there is nothing.
    Found(&'static [Selector]),
}

/// A request for the result, sent when the job is done.
#[derive(Clone, Debug)]
pub struct ResultRequest {
    /// The request.
    pub request: RequestSpec,
    /// What its answer says; the first that applies decides. `running` means that the result is not there yet.
    pub rules: &'static [StateRule],
    /// What a 4xx or 5xx answer means; as `#[errors]` says when absent.
    pub on_http_error: Option<FailureKind>,
}

/// What is taken out of an answer.
#[derive(Clone, Copy, Debug)]
pub struct Take {
    /// A value; the whole body when nothing at all is declared.
    pub json: &'static [Selector],
    /// A text, beside or instead of `json`.
    pub text: &'static [Selector],
    /// The answer is JSON by lines, perhaps compressed with gzip: an array for the selectors.
    pub jsonl: bool,
    /// The answer's own bytes, as a file.
    pub raw: bool,
    /// Where the media type of those bytes is, or of the base64 ones; the `Content-Type` or the first bytes when absent.
    pub mime: &'static [Selector],
    /// Files in base64, in fallback order: each node that the first selector finds is one.
    pub base64: &'static [Selector],
    /// Files behind URLs.
    pub files: Files,
}

impl Take {
    /// Nothing in particular.
    pub const DEFAULT: Self =
        Self { json: &[], text: &[], jsonl: false, raw: false, mime: &[], base64: &[], files: Files::None };

    /// Whether files are among it.
    pub fn has_files(&self) -> bool {
        self.raw || !self.base64.is_empty() || !matches!(self.files, Files::None)
    }
}

/// Files behind URLs.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Files {
    /// None.
    None,
    /// Every URL that the selectors find: texts, lists of texts, and objects of texts, whose member names are the files' names.
    Urls(&'static [Selector]),
    /// Every text in the result that is a URL from which files may be fetched (`#[origins(download = ..)]`).
    Auto,
    /// One request for each item.
    Each(&'static Each),
}

/// `each(selector, get = "/view", query("filename" = item.filename))`
#[derive(Clone, Debug)]
pub struct Each {
    /// The items, later `item`.
    pub items: Selector,
    /// The request for the file of an item.
    pub request: RequestSpec,
    /// What the file is called.
    pub name: Option<PairValue>,
}

/// `min = 1`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Minimum {
    /// So many at least.
    pub count: u32,
    /// What fewer mean: most often that the service has held results back.
    pub kind: FailureKind,
}
