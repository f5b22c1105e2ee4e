//! What a server answers, as far as our scripts and commands answer anything.

use emp_core::Timestamp;
use redis::Value;

use crate::store::StoreError;

/// The text of an answer.
pub(super) fn text(value: &Value) -> Option<&str> {
    match value {
        Value::BulkString(bytes) => std::str::from_utf8(bytes).ok(),
        Value::SimpleString(text) => Some(text),
        _ => None,
    }
}

/// The number that an answer is.
pub(super) fn number(value: &Value) -> Option<i64> {
    match value {
        Value::Int(number) => Some(*number),
        other => text(other)?.parse().ok(),
    }
}

/// The items of an answer.
pub(super) fn items(value: Value) -> Vec<Value> {
    match value {
        Value::Array(items) | Value::Set(items) => items,
        Value::Map(pairs) => pairs.into_iter().flat_map(|(name, value)| [name, value]).collect(),
        _ => Vec::new(),
    }
}

/// The pairs of an answer.
pub(super) fn pairs(value: Value) -> Vec<(String, String)> {
    let items = items(value);
    let texts: Vec<String> = items.iter().map(|item| text(item).unwrap_or_default().to_owned()).collect();
    texts.chunks_exact(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect()
}

/// What a script answers: a word, the store's moment, and what belongs to the word.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) word: String,
    pub(super) moment: Timestamp,
    pub(super) rest: Vec<Value>,
}

impl Reply {
    /// Reads one.
    pub(super) fn read(value: Value) -> Result<Self, StoreError> {
        let mut items = items(value).into_iter();
        let word = items.next().as_ref().and_then(text).map(str::to_owned);
        let moment = items.next().as_ref().and_then(number);
        match (word, moment) {
            (Some(word), Some(moment)) => Ok(Self { word, moment: Timestamp(moment), rest: items.collect() }),
            _ => Err(strange("a script")),
        }
    }
}

/// An answer that nothing here gives.
pub(super) fn strange(what: &str) -> StoreError {
    StoreError::Corrupt(format!(
        "{what} of the store gave an answer that it never gives; is this server a Redis?"
    ))
}
