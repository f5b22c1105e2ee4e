//! A request with holes.

use std::time::Duration;

use emp_syntax::hole::{Hole, Reference};
use emp_syntax::json::{Json, Member};
use emp_syntax::template::Template;

use super::Setting;

/// An HTTP request with holes.
#[derive(Clone, Debug)]
pub struct RequestSpec {
    /// `GET`, `POST`, …
    pub method: &'static str,
    /// Where.
    pub url: UrlSpec,
    /// Query pairs, appended in order.
    pub query: &'static [Pair],
    /// Headers, lower-case names.
    pub headers: &'static [Pair],
    /// The body.
    pub body: Body,
    /// Largest body, bytes; that of [`Limits`](super::Limits) when absent.
    pub max_body: Option<u64>,
    /// For how long the request may take in all; the engine's default when absent.
    pub timeout: Option<Setting<Duration>>,
}

/// Where a request goes.
#[derive(Clone, Debug)]
pub enum UrlSpec {
    /// A path below the base; begins with `/`.
    Path(Template),
    /// A URL that the service supplied: `job.poll_url`. Checked against the origins, always.
    Captured(Reference),
}

/// A header or a query pair.
#[derive(Clone, Debug)]
pub struct Pair {
    /// Its name.
    pub name: &'static str,
    /// Its value; an optional hole without a value leaves the pair out.
    pub value: PairValue,
}

/// The value of a header or a query pair.
#[derive(Clone, Debug)]
pub enum PairValue {
    /// Text with holes.
    Text(Template),
    /// One hole.
    Hole(Hole),
}

/// A request's body.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Body {
    /// None.
    None,
    /// Typed-hole JSON.
    Json(Json),
    /// `application/x-www-form-urlencoded`: names and texts.
    Form(&'static [Member]),
    /// `multipart/form-data`: names, texts and files. A list has a part for each element.
    Multipart(&'static [Member]),
    /// The text of one value, or the bytes of one asset.
    Raw {
        /// What is sent.
        value: Json,
        /// `Content-Type`; that of the asset when absent.
        content_type: Option<&'static str>,
    },
}
