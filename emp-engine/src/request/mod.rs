//! From a declared request and a context to the request that is sent. Pure: the same input gives the same bytes.
//!
//! Nothing from outside is ever parsed as a URL together with the base, joined to it, or allowed to name the host
//! (`security.md` 3.2, rules 1 and 2).

use std::time::Duration;

use bytes::Bytes;
use emp_core::spec::{
    Body, HttpProtocol, KeyPlace, PairValue, Poll, RequestSpec, Setting, Settle, Submit, UrlSpec,
};
use emp_core::{ErrorCode, JobError};
use emp_syntax::template::{Part, Template};
use http::{HeaderName, HeaderValue, Method};
use serde_json::Value;
use url::Url;

use crate::context::{self, Context};

mod base;
mod body;
mod download;
mod encode;
mod form;
mod origin;
mod path;
mod streamed;
mod token;

pub use base::{Base, base};
pub(crate) use body::json;
pub use download::download;
pub use origin::{Origins, Trust, server_url};
pub(crate) use token::token_endpoint;

/// Largest request body when the connector declares none, bytes.
pub const MAX_BODY: u64 = 16 << 20;
/// Longest header value, bytes.
const MAX_HEADER: usize = 8 << 10;
/// Longest URL, bytes.
const MAX_URL: usize = 8 << 10;

/// A request, ready for the gateway. It has no credential yet: that is put on last, and only for the credential's origin.
#[derive(Clone, Debug, PartialEq)]
pub struct OutboundRequest {
    /// `GET`, `POST`, …
    pub method: Method,
    /// Where, checked.
    pub url: Url,
    /// Whether the URL is the base's own origin or a declared other one.
    pub trust: Trust,
    /// Headers, checked; without the credential.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The body, serialised once.
    pub body: Option<Bytes>,
    /// For how long it may take in all; `None` for the gateway's default.
    pub timeout: Option<Duration>,
    /// For how long the service is asked to hold its answer back; the gateway waits for longer than that, whatever `timeout` says.
    pub hold: Option<Duration>,
    /// It is a submit: sent to one place once, and never sent on by a redirect.
    pub submit: bool,
}

/// Builds a declared request.
///
/// # Errors
/// `E_INVALID_INPUT` names a payload member that is missing or does not fit its place, `E_BAD_REQUEST` any other value,
/// `E_BAD_SERVICE_ID` an id of the service that may not stand in a URL, `E_ORIGIN_REFUSED` a URL of the service's that leads to an
/// undeclared origin, `E_ENVIRONMENT` a base that cannot be one.
pub fn request(
    http: &HttpProtocol,
    spec: &RequestSpec,
    context: &Context<'_>,
) -> Result<OutboundRequest, JobError> {
    build(http, spec, context, None)
}

/// Builds a submit, with its idempotency key in place.
pub fn submit(
    http: &HttpProtocol,
    submit: &Submit,
    context: &Context<'_>,
) -> Result<OutboundRequest, JobError> {
    let hold = submit.hold.as_ref().map(|hold| context::duration(hold, context.connector));
    build(http, &submit.request, &Context { hold, ..*context }, Some(submit))
}

/// Builds a poll. The service is asked to hold its answer back for no longer than what is left of the job's time.
pub fn poll(
    http: &HttpProtocol,
    poll: &Poll,
    context: &Context<'_>,
    left: Duration,
) -> Result<OutboundRequest, JobError> {
    let hold = poll.hold.as_ref().map(|hold| context::duration(hold, context.connector).min(left));
    let request = build(http, &poll.request, &Context { hold, ..*context }, None)?;
    Ok(OutboundRequest { hold, ..request })
}

fn build(
    http: &HttpProtocol,
    spec: &RequestSpec,
    context: &Context<'_>,
    submit: Option<&Submit>,
) -> Result<OutboundRequest, JobError> {
    let base = base(http, context.connector)?;
    let (mut url, trust) = match &spec.url {
        UrlSpec::Path(template) => (base.below(&path::render(template, context)?)?, Trust::Base),
        UrlSpec::Captured(reference) => {
            let value = context.lookup(reference).ok_or_else(|| missing(&reference.to_string()))?;
            let Value::String(text) = value else {
                return Err(origin::refused(&format!("`{reference}` is not a text")));
            };
            server_url(&text, &base, http.follow)?
        }
    };
    for pair in spec.query {
        if let Some(value) = value_text(&pair.value, context)? {
            url.query_pairs_mut().append_pair(pair.name, &value);
        }
    }
    if url.as_str().len() > MAX_URL {
        return Err(JobError::new(
            ErrorCode::EBadRequest,
            format!("the URL would be longer than {MAX_URL} bytes"),
        ));
    }
    let mut headers = Vec::with_capacity(spec.headers.len() + 2);
    for pair in spec.headers {
        if let Some(text) = value_text(&pair.value, context)? {
            headers.push(header(pair.name, &text)?);
        }
    }
    let mut field = None;
    match submit.map(|submit| &submit.settle) {
        Some(Settle::Idempotent { key: KeyPlace::Header(name), .. }) => {
            headers.push(header(name, context.assigned_id)?);
        }
        Some(Settle::Idempotent { key: KeyPlace::Field(name), .. }) => {
            field = Some((*name, context.assigned_id));
        }
        _ => {}
    }
    let streamed = match &spec.body {
        Body::Json(json) if submit.is_some() => Some(streamed::body(http, json, context)),
        _ => None,
    };
    let body = match encode::body(spec, streamed.as_deref(), field, context)? {
        Some(encoded) => {
            // The boundary stands in the type: a declared one cannot know it.
            if matches!(spec.body, Body::Multipart(_)) {
                headers.retain(|(name, _)| name != http::header::CONTENT_TYPE);
            }
            if !headers.iter().any(|(name, _)| name == http::header::CONTENT_TYPE) {
                headers.push(header("content-type", &encoded.content_type)?);
            }
            Some(encoded.bytes)
        }
        None => None,
    };
    let method = Method::from_bytes(spec.method.as_bytes())
        .map_err(|_| JobError::new(ErrorCode::EBadRequest, format!("`{}` is not a method", spec.method)))?;
    let duration = |setting: &Setting<Duration>| context::duration(setting, context.connector);
    let timeout = spec.timeout.as_ref().map(duration);
    Ok(OutboundRequest {
        method,
        url,
        trust,
        headers,
        body,
        timeout,
        hold: context.hold,
        submit: submit.is_some(),
    })
}

/// The text of a header or query value, or of a name; `None` when an optional hole has no value.
pub(crate) fn value_text(value: &PairValue, context: &Context<'_>) -> Result<Option<String>, JobError> {
    match value {
        PairValue::Text(template) => text(template, context),
        PairValue::Hole(hole) => match context.hole(hole) {
            Some(value) => scalar(&value, &context.place(&hole.reference)).map(Some),
            None if hole.optional => Ok(None),
            None => Err(missing(&context.place(&hole.reference))),
        },
    }
}

/// A template without escapes: a header's or query's value, or a string of a body. `None` when an optional hole has no value.
fn text(template: &Template, context: &Context<'_>) -> Result<Option<String>, JobError> {
    let mut text = String::new();
    for part in template.parts.iter() {
        match part {
            Part::Literal(literal) => text.push_str(literal),
            Part::Hole { hole, .. } => match context.hole(hole) {
                Some(value) => text.push_str(&scalar(&value, &context.place(&hole.reference))?),
                None if hole.optional => return Ok(None),
                None => return Err(missing(&context.place(&hole.reference))),
            },
        }
    }
    Ok(Some(text))
}

/// A value as text. Lists and objects have none, and neither has a number that a float has rounded.
fn scalar(value: &Value, place: &str) -> Result<String, JobError> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        Value::Bool(value) => Ok(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => {
            Err(bad(place, "is not a text, a number or a boolean"))
        }
    }
}

fn header(name: &'static str, text: &str) -> Result<(HeaderName, HeaderValue), JobError> {
    let place = format!("header `{name}`");
    if text.len() > MAX_HEADER {
        return Err(bad(&place, &format!("is longer than {MAX_HEADER} bytes")));
    }
    if !text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return Err(bad(&place, "has a character other than printable ASCII"));
    }
    let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| bad(&place, "is not a header name"))?;
    let value = HeaderValue::from_str(text).map_err(|_| bad(&place, "is not a header value"))?;
    Ok((name, value))
}

/// A hole that must have a value has none.
fn missing(place: &str) -> JobError {
    bad(place, "has no value")
}

/// A value does not fit; a member of the payload is the client's to mend.
fn bad(place: &str, problem: &str) -> JobError {
    let code = if place.starts_with("payload") { ErrorCode::EInvalidInput } else { ErrorCode::EBadRequest };
    JobError::new(code, format!("{place} {problem}"))
}
