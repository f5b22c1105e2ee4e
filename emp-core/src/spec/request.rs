//! A request with holes.

use std::time::Duration;

use emp_syntax::hole::{Hole, Reference};
use emp_syntax::json::Json;
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
}
