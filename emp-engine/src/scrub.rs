//! Takes known secrets out of any text, in every spelling in which they are known to come back.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use emp_core::{JobError, Secret};
use http::HeaderValue;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use crate::exchange::Exchange;

/// What stands where a secret stood.
pub const REDACTED: &str = "[redacted]";
/// Shorter values are words that occur by themselves.
const SHORTEST: usize = 8;

/// Knows the secrets of a connector.
#[derive(Clone, Default)]
pub struct Scrubber(Vec<String>);

impl std::fmt::Debug for Scrubber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Scrubber({} spellings)", self.0.len())
    }
}

impl Scrubber {
    /// A scrubber of these secrets; those shorter than 8 bytes are not looked for.
    pub fn new<'s>(secrets: impl IntoIterator<Item = &'s Secret>) -> Self {
        let mut spellings: Vec<String> = secrets
            .into_iter()
            .map(Secret::expose)
            .filter(|secret| secret.len() >= SHORTEST)
            .flat_map(spellings)
            .collect();
        // The longest first: a spelling that holds another one must go whole.
        spellings.sort_by(|left, right| right.len().cmp(&left.len()).then_with(|| left.cmp(right)));
        spellings.dedup();
        Self(spellings)
    }

    /// An answer without the secrets: a service may echo a request's headers or its URL.
    pub(crate) fn exchange(&self, exchange: &mut Exchange) {
        if self.knows(&exchange.text) {
            exchange.text = self.text(&exchange.text);
        }
        if let Ok(json) = &mut exchange.json {
            self.value(json);
        }
        for value in exchange.headers.values_mut() {
            let clean = value.to_str().ok().filter(|text| self.knows(text)).map(|text| self.text(text));
            if let Some(clean) = clean.and_then(|text| HeaderValue::from_str(&text).ok()) {
                *value = clean;
            }
        }
    }

    fn knows(&self, text: &str) -> bool {
        self.0.iter().any(|spelling| text.contains(spelling.as_str()))
    }

    /// The text without the secrets.
    pub fn text(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, spelling| {
            if text.contains(spelling.as_str()) { text.replace(spelling.as_str(), REDACTED) } else { text }
        })
    }

    /// The error without the secrets.
    #[must_use]
    pub fn error(&self, mut error: JobError) -> JobError {
        error.message = self.text(&error.message);
        error.detail = error.detail.map(|detail| self.text(&detail));
        error
    }

    /// Every text and name inside a value, without the secrets.
    pub fn value(&self, value: &mut Value) {
        match value {
            Value::String(text) => {
                if self.knows(text) {
                    *text = self.text(text);
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.value(item)),
            Value::Object(members) => {
                if members.keys().any(|name| self.knows(name)) {
                    let named = std::mem::take(members).into_iter();
                    members.extend(named.map(|(name, member)| (self.text(&name), member)));
                }
                members.values_mut().for_each(|member| self.value(member));
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

fn spellings(secret: &str) -> Vec<String> {
    let percent = utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string();
    let json = serde_json::to_string(secret).unwrap_or_default();
    let hex = crate::key::hex(secret.as_bytes());
    let mut spellings = vec![
        secret.to_owned(),
        lower_escapes(&percent),
        percent,
        url::form_urlencoded::byte_serialize(secret.as_bytes()).collect(),
        json.trim_matches('"').to_owned(),
        hex.to_uppercase(),
        hex,
    ];
    for alignment in 0..3 {
        spellings.extend(base64_interior(secret, alignment));
    }
    spellings
}

/// The characters of a base64 text that only the secret decides when it stands at an offset within three bytes.
fn base64_interior(secret: &str, alignment: usize) -> Vec<String> {
    let mut bytes = vec![0; alignment];
    bytes.extend_from_slice(secret.as_bytes());
    let whole = bytes.len() / 3 * 3;
    let skip = if alignment == 0 { 0 } else { 4 };
    [STANDARD_NO_PAD.encode(&bytes[..whole]), URL_SAFE_NO_PAD.encode(&bytes[..whole])]
        .iter()
        .filter_map(|text| text.get(skip..))
        .filter(|text| text.len() >= SHORTEST)
        .map(str::to_owned)
        .collect()
}

fn lower_escapes(percent: &str) -> String {
    let mut escape = 0;
    percent
        .chars()
        .map(|c| {
            escape = if c == '%' { 2 } else { escape };
            if c != '%' && escape > 0 {
                escape -= 1;
                return c.to_ascii_lowercase();
            }
            c
        })
        .collect()
}
