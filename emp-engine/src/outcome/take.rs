//! What an answer gives of the result: values, and files that are still to be stored. Pure.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use emp_core::spec::{Each, Files, Outcome, Take};
use emp_core::{ErrorCode, JobError};
use emp_syntax::selector::Selector;
use serde_json::{Map, Value};

use crate::select::View;

/// Most files of one result.
pub const MAX_FILES: usize = 256;

/// What an answer gives of the result.
#[derive(Clone, Debug, Default)]
pub struct Taken {
    /// The declared value.
    pub json: Option<Value>,
    /// The declared text.
    pub text: Option<String>,
    /// The files, in order.
    pub files: Vec<Source>,
}

/// Where a file of the result comes from.
#[derive(Clone, Debug)]
pub enum Source {
    /// It was in the answer.
    Here {
        /// Its bytes.
        bytes: Bytes,
        /// Its media type, if the answer says so.
        mime: Option<String>,
    },
    /// At a URL.
    Url {
        /// The URL, as the service gives it.
        url: String,
        /// What it may be called.
        wish: String,
    },
    /// Behind the request of an `each(..)`.
    Item(&'static Each, Value),
}

/// Takes what is declared out of an answer. `wanted` says whether `auto_urls` means a URL.
///
/// # Errors
/// `E_BAD_RESPONSE` when nothing of it is there, when the body is the result and cannot be read, or when base64 is none.
pub fn take(take: &Take, view: &View<'_>, wanted: impl Fn(&str) -> bool) -> Result<Taken, JobError> {
    let bad = |problem: String| JobError::new(ErrorCode::EBadResponse, problem);
    let whole = take.json.is_empty() && take.text.is_empty() && !take.has_files();
    let body = || match &view.exchange.json {
        Ok(value) => Ok(Some(value.clone()).filter(|value| !value.is_null())),
        Err(problem) => Err(bad(format!("the result cannot be read: {problem}"))),
    };
    let json = if whole { body()? } else { view.first(take.json) };
    let text = view.first_text(take.text);
    let mime = || view.first_text(take.mime);
    let mut files = Vec::new();
    if take.raw {
        let said = mime().or_else(|| view.exchange.header("content-type").map(str::to_owned));
        files.push(Source::Here { bytes: view.exchange.bytes.clone(), mime: said });
    }
    for node in first_found(take.base64, view) {
        let text = node.as_str().ok_or_else(|| bad("a file in base64 is not a text".to_owned()))?;
        let (mime, bytes) = decoded(text, mime()).ok_or_else(|| bad("a file is not in base64".to_owned()))?;
        files.push(Source::Here { bytes, mime });
    }
    match take.files {
        Files::Urls(selectors) => {
            for node in selectors.iter().flat_map(|selector| view.all(selector)) {
                urls(&node, None, &|_| true, &mut files);
            }
        }
        Files::Auto => {
            let root = match &json {
                Some(value) => Some(value),
                None => view.exchange.json.as_ref().ok(),
            };
            if let Some(value) = root {
                deep(value, &wanted, &mut files);
            }
        }
        Files::Each(each) => {
            files.extend(view.all(&each.items).into_iter().map(|item| Source::Item(each, item)));
        }
        _ => {}
    }
    if json.is_none() && text.is_none() && files.is_empty() {
        return Err(bad("the service says success, but the declared result is not there".to_owned()));
    }
    if files.len() > MAX_FILES {
        return Err(bad(format!("the result has {} files; the most are {MAX_FILES}", files.len())));
    }
    Ok(Taken { json, text, files })
}

/// How many results there are, for `min`: files, or else the nodes that `json` finds.
pub fn count(take: &Take, view: &View<'_>, taken: &Taken) -> usize {
    if take.has_files() { taken.files.len() } else { first_found(take.json, view).len() }
}

/// The result as the job keeps it. Its shape follows from the declaration: an object as soon as files are declared, or both value and text;
/// or more answers are; else what the one of them is.
pub fn assemble(
    outcome: &Outcome,
    json: Option<Value>,
    text: Option<String>,
    files: Vec<Value>,
    also: Map<String, Value>,
) -> Value {
    let take = &outcome.take;
    let one = take.json.is_empty() || take.text.is_empty();
    if !outcome.has_files() && one && outcome.also.is_empty() {
        return json.or_else(|| text.map(Value::String)).unwrap_or_default();
    }
    let mut parts = Map::new();
    if outcome.has_files() {
        parts.insert("files".to_owned(), Value::Array(files));
    }
    parts.extend(text.map(|text| ("text".to_owned(), text.into())));
    parts.extend(json.map(|json| ("json".to_owned(), json)));
    if !outcome.also.is_empty() {
        parts.insert("also".to_owned(), Value::Object(also));
    }
    Value::Object(parts)
}

/// The nodes of the first selector that finds any.
fn first_found(selectors: &[Selector], view: &View<'_>) -> Vec<Value> {
    let found = selectors.iter().map(|selector| view.all(selector));
    found
        .map(|mut nodes| {
            nodes.retain(|node| !node.is_null());
            nodes
        })
        .find(|nodes| !nodes.is_empty())
        .unwrap_or_default()
}

/// The URLs in a node: a text, a list of texts, or an object of texts with their names.
fn urls(node: &Value, name: Option<&str>, wanted: &impl Fn(&str) -> bool, files: &mut Vec<Source>) {
    match node {
        Value::String(text) if !text.is_empty() && wanted(text) => files.push(at(text, name)),
        Value::Array(items) => items.iter().for_each(|item| urls(item, name, wanted, files)),
        Value::Object(members) => {
            members.iter().for_each(|(name, member)| urls(member, Some(name), wanted, files));
        }
        _ => {}
    }
}

/// Every text at any depth that is wanted.
fn deep(node: &Value, wanted: &impl Fn(&str) -> bool, files: &mut Vec<Source>) {
    match node {
        Value::String(text) if wanted(text) => files.push(at(text, None)),
        Value::Array(items) => items.iter().for_each(|item| deep(item, wanted, files)),
        Value::Object(members) => members.values().for_each(|member| deep(member, wanted, files)),
        _ => {}
    }
}

/// The file at a URL; a `data:` URL holds it.
fn at(url: &str, name: Option<&str>) -> Source {
    let inside = url.starts_with("data:").then(|| decoded(url, None)).flatten();
    match inside {
        Some((mime, bytes)) => Source::Here { bytes, mime },
        None => Source::Url { url: url.to_owned(), wish: name.unwrap_or(url).to_owned() },
    }
}

/// The bytes of base64 text, in either alphabet, with or without padding, perhaps as a `data:` URL, which has a media type of its own.
fn decoded(text: &str, mime: Option<String>) -> Option<(Option<String>, Bytes)> {
    let (mime, text) = match text.trim().strip_prefix("data:") {
        Some(rest) => {
            let (head, data) = rest.split_once(',')?;
            let kind = head.strip_suffix(";base64")?;
            (Some(kind.to_owned()).filter(|kind| !kind.is_empty()).or(mime), data)
        }
        None => (mime, text),
    };
    let bare: String = text.chars().filter(|character| !character.is_ascii_whitespace()).collect();
    let bare = bare.trim_end_matches('=');
    let bytes = STANDARD_NO_PAD.decode(bare).or_else(|_| URL_SAFE_NO_PAD.decode(bare)).ok()?;
    Some((mime, bytes.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(node: &Value, pick: fn(&Value, &mut Vec<Source>)) -> Vec<String> {
        let mut files = Vec::new();
        pick(node, &mut files);
        files
            .into_iter()
            .map(|file| match file {
                Source::Url { url, wish } => format!("{wish}={url}"),
                Source::Here { bytes, mime } => format!("{}:{}", mime.unwrap_or_default(), bytes.len()),
                Source::Item(..) => "item".to_owned(),
            })
            .collect()
    }

    #[test]
    fn m40_urls_stand_in_texts_lists_and_maps() {
        let node = serde_json::json!({ "glb": "https://x/a", "maps": ["https://x/b", null, 7], "none": "" });
        let all = |node: &Value, files: &mut Vec<Source>| urls(node, None, &|_| true, files);
        assert_eq!(found(&node, all), ["glb=https://x/a", "maps=https://x/b"]);
        assert_eq!(found(&"data:image/png;base64,AAAA".into(), all), ["image/png:3"]);
    }

    #[test]
    fn auto_urls_are_the_wanted_texts_at_any_depth() {
        let node = serde_json::json!({ "a": [{ "b": "https://x/1", "c": "not a url" }], "d": "https://y/2" });
        let wanted = |node: &Value, files: &mut Vec<Source>| {
            deep(node, &|text: &str| text.starts_with("https://x/"), files);
        };
        assert_eq!(found(&node, wanted), ["https://x/1=https://x/1"]);
    }

    #[test]
    fn m39_base64_comes_in_every_spelling() {
        for text in ["+/+/", "-_-_", "+/\n+/", "data:image/png;base64,+/+/"] {
            assert_eq!(
                decoded(text, None).map(|(_, bytes)| bytes.to_vec()),
                Some(vec![0xfb, 0xff, 0xbf]),
                "{text}"
            );
        }
        assert_eq!(
            decoded("AA==", Some("audio/wav".to_owned())).and_then(|(mime, _)| mime).as_deref(),
            Some("audio/wav")
        );
        assert_eq!(decoded("not base64!", None), None);
        assert_eq!(decoded("data:text/plain,hello", None), None);
    }
}
