//! Takes known secrets out of any text, in every spelling in which they are known to come back.

use std::sync::{Arc, PoisonError, RwLock};

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

/// Tokens that are still looked for; a service may echo one shortly after it was replaced.
const MOST_LEARNT: usize = 4;

/// Knows the secrets of a connector, and the tokens that are made of them. Clones learn together.
#[derive(Clone, Default)]
pub struct Scrubber {
    known: Vec<String>,
    /// The spellings of each token, the newest last.
    learnt: Arc<RwLock<Vec<Vec<String>>>>,
}

impl std::fmt::Debug for Scrubber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Scrubber({} spellings)", self.known.len())
    }
}

impl Scrubber {
    /// A scrubber of these secrets; those shorter than 8 bytes are not looked for.
    pub fn new<'s>(secrets: impl IntoIterator<Item = &'s Secret>) -> Self {
        Self { known: of_all(secrets), learnt: Arc::default() }
    }

    /// Looks for this secret too, from now on.
    pub(crate) fn learn(&self, secret: &Secret) {
        let mut learnt = self.learnt.write().unwrap_or_else(PoisonError::into_inner);
        if learnt.len() == MOST_LEARNT {
            learnt.remove(0);
        }
        learnt.push(of_all([secret]));
    }

    /// Goes over every spelling, those of tokens first: a token may hold a secret.
    fn spellings<R>(&self, act: impl FnOnce(&mut dyn Iterator<Item = &str>) -> R) -> R {
        let learnt = self.learnt.read().unwrap_or_else(PoisonError::into_inner);
        act(&mut learnt.iter().flatten().chain(&self.known).map(String::as_str))
    }

    /// An answer without the secrets: a service may echo a request's headers or its URL.
    pub(crate) fn exchange(&self, exchange: &mut Exchange) {
        if self.knows(&exchange.text) {
            let text = self.text(&exchange.text);
            // In bytes that are no text, such as an image, a match is made of replacement characters or is chance.
            if std::str::from_utf8(&exchange.bytes).is_ok() {
                exchange.bytes = text.clone().into();
            }
            exchange.text = text;
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
        self.spellings(|mut spellings| Iterator::any(&mut spellings, |spelling| text.contains(spelling)))
    }

    /// The text without the secrets.
    pub fn text(&self, text: &str) -> String {
        self.spellings(|spellings| {
            spellings.fold(text.to_owned(), |text, spelling| {
                if text.contains(spelling) { text.replace(spelling, REDACTED) } else { text }
            })
        })
    }

    /// How much of a text that goes on later can be told already: its end may be the beginning of a secret.
    pub(crate) fn settled(&self, text: &str) -> usize {
        self.spellings(|spellings| {
            spellings.fold(text.len(), |settled, secret| {
                let from = text.ceil_char_boundary(text.len().saturating_sub(secret.len() - 1));
                let mut places = text[from..].char_indices().map(|(place, _)| from + place);
                places
                    .find(|place| secret.starts_with(&text[*place..]))
                    .map_or(settled, |place| place.min(settled))
            })
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

/// Every spelling of every secret, the longest first: one that holds another must go whole.
fn of_all<'s>(secrets: impl IntoIterator<Item = &'s Secret>) -> Vec<String> {
    let long = secrets.into_iter().map(Secret::expose).filter(|secret| secret.len() >= SHORTEST);
    let mut spellings: Vec<String> = long.flat_map(spellings).collect();
    spellings.sort_by(|left, right| right.len().cmp(&left.len()).then_with(|| left.cmp(right)));
    spellings.dedup();
    spellings
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn i48_the_beginning_of_a_secret_waits_for_its_end() {
        let scrubber = Scrubber::new([&Secret::new("sk-secret-value".to_owned())]);
        for (text, told) in [("hello", "hello"), ("say sk-sec", "say "), ("sk", ""), ("ask me", "ask me")] {
            assert_eq!(&text[..scrubber.settled(text)], told, "{text}");
        }
        assert_eq!(Scrubber::default().settled("anything"), 8);
    }
}
