//! An answer as the evaluator sees it: code, headers, text, and JSON when it is JSON that we accept.

use bytes::Bytes;
use http::HeaderMap;
use serde_json::Value;

use crate::strict_json;

/// An answer, read whole and within the limits.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// The HTTP status code.
    pub code: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as it came.
    pub bytes: Bytes,
    /// The body as text; bytes that are not UTF-8 are replaced.
    pub text: String,
    /// The body as JSON, or why it is none.
    pub json: Result<Value, String>,
    /// The bodies of the answers to further questions, by their names.
    pub also: Vec<(&'static str, Value)>,
    /// It is an element of a list, so that an envelope was the list's.
    pub listed: bool,
}

impl Exchange {
    /// Reads an answer's body. It is JSON when it parses within the guards of [`strict_json`] and its content type
    /// does not say otherwise: an error page in HTML is not data.
    pub fn new(code: u16, headers: HeaderMap, body: &[u8]) -> Self {
        Self::of(code, headers, Bytes::copy_from_slice(body))
    }

    /// As [`new`](Self::new), without a copy.
    pub fn of(code: u16, headers: HeaderMap, bytes: Bytes) -> Self {
        let json = match other_type(&headers) {
            Some(kind) => Err(format!("the content type is {kind}")),
            None => strict_json::parse(&bytes),
        };
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Self { code, headers, bytes, text, json, also: Vec::new(), listed: false }
    }

    /// An element of this answer, which is a list, as an answer of its own.
    #[must_use]
    pub fn element(&self, document: Value) -> Self {
        let text = document.to_string();
        Self {
            code: self.code,
            headers: self.headers.clone(),
            bytes: Bytes::copy_from_slice(text.as_bytes()),
            text,
            json: Ok(document),
            also: Vec::new(),
            listed: true,
        }
    }

    /// The body of the answer to a further question.
    pub fn beside(&self, name: &str) -> Option<&Value> {
        self.also.iter().find_map(|(known, body)| (*known == name).then_some(body))
    }

    /// A 2xx answer.
    pub fn ok(&self) -> bool {
        (200..300).contains(&self.code)
    }

    /// The first value of a header as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body says that nothing is there: `{}`, `[]`, `null` or no bytes.
    pub fn is_empty(&self) -> bool {
        match &self.json {
            Ok(Value::Null) => true,
            Ok(Value::Array(items)) => items.is_empty(),
            Ok(Value::Object(members)) => members.is_empty(),
            Ok(_) => false,
            Err(_) => self.text.trim().is_empty(),
        }
    }
}

/// The content type, when it names something that is certainly not JSON.
fn other_type(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(http::header::CONTENT_TYPE)?.to_str().ok()?;
    let (kind, parameters) = value.split_once(';').unwrap_or((value, ""));
    let kind = kind.trim().to_ascii_lowercase();
    let charset = parameters.to_ascii_lowercase();
    let foreign =
        ["text/html", "text/xml", "application/xml", "application/xhtml+xml", "application/octet-stream"];
    let media = ["image/", "audio/", "video/", "multipart/"];
    if charset.contains("charset=") && !charset.contains("utf-8") && !charset.contains("us-ascii") {
        return Some(format!("{kind} in another charset than UTF-8"));
    }
    (foreign.contains(&kind.as_str()) || media.iter().any(|prefix| kind.starts_with(prefix))).then_some(kind)
}
