//! The body of a request: JSON of a bounded size that comes in a bounded time.

use axum::extract::Request;
use axum::http::{HeaderMap, header};
use emp_core::strict_json;
use futures_util::StreamExt;
use serde_json::Value;

use crate::code::Code;

use crate::problem::{Refusal, Violation};
use crate::state::Limits;

/// The JSON of a request's body.
pub(crate) async fn read_json(request: Request, limits: &Limits) -> Result<Value, Refusal> {
    check_content_type(request.headers())?;
    parse(&read(request, limits).await?)
}

/// The same for a body that may be left out.
pub(crate) async fn read_optional_json(request: Request, limits: &Limits) -> Result<Option<Value>, Refusal> {
    let content_type = check_content_type(request.headers());
    let body = read(request, limits).await?;
    if body.is_empty() {
        return Ok(None);
    }
    content_type?;
    parse(&body).map(Some)
}

async fn read(request: Request, limits: &Limits) -> Result<Vec<u8>, Refusal> {
    let too_large = || Refusal::new(Code::TooLarge, format!("the body has more than {} bytes", limits.body));
    let announced = request
        .headers()
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > limits.body as u64) {
        return Err(too_large());
    }
    let read = async {
        let mut chunks = request.into_body().into_data_stream();
        let mut body = Vec::new();
        while let Some(chunk) = chunks.next().await {
            let chunk =
                chunk.map_err(|_| Refusal::new(Code::BadJson, "the body broke off before its end"))?;
            if body.len() + chunk.len() > limits.body {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    };
    let slow =
        || Refusal::new(Code::RequestTimeout, format!("the body took longer than {:?}", limits.body_timeout));
    tokio::time::timeout(limits.body_timeout, read).await.map_err(|_| slow())?
}

/// How many values one body may hold.
const MAX_NODES: usize = 100_000;

fn parse(body: &[u8]) -> Result<Value, Refusal> {
    strict_json::parse(body, MAX_NODES).map_err(|fault| {
        let detail = format!("{} at line {} column {}", fault.message, fault.line, fault.column);
        let violation = Violation {
            pointer: fault.pointer,
            detail: fault.message,
            expected: Some("valid JSON".to_owned()),
        };
        Refusal::new(Code::BadJson, detail).errors(vec![violation])
    })
}

fn check_content_type(headers: &HeaderMap) -> Result<(), Refusal> {
    let refused = |detail: &str| {
        Err(Refusal::new(
            Code::ContentType,
            format!("{detail}; send the header `Content-Type: application/json`"),
        ))
    };
    let encoded = headers.get(header::CONTENT_ENCODING).is_some_and(|value| value.as_bytes() != b"identity");
    if encoded {
        return refused("the body is compressed");
    }
    let Some(value) = headers.get(header::CONTENT_TYPE) else { return refused("the body has no type") };
    let value = value.to_str().unwrap_or_default();
    let mut parts = value.split(';').map(str::trim);
    if !parts.next().is_some_and(|essence| essence.eq_ignore_ascii_case("application/json")) {
        return refused("the body is of another type");
    }
    let utf8 = |parameter: &str| {
        parameter.split_once('=').is_some_and(|(name, value)| {
            name.eq_ignore_ascii_case("charset") && value.trim_matches('"').eq_ignore_ascii_case("utf-8")
        })
    };
    if parts.all(utf8) { Ok(()) } else { refused("the body is not said to be UTF-8") }
}
