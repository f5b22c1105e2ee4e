//! Forms as a service reads them: multipart by a parser of its own, not by the writer's idea of it.

use bytes::Bytes;
use futures_util::stream;
use serde_json::{Map, Value, json};

use crate::books::digest;

/// Most parts of a form.
const MAX_PARTS: usize = 10_000;

/// A part of a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) name: String,
    /// Only a file has one.
    pub(crate) file: Option<File>,
    pub(crate) bytes: Bytes,
}

/// What a part says of the file in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct File {
    pub(crate) name: String,
    pub(crate) mime: String,
}

impl Part {
    /// The text of a part that is no file.
    pub(crate) fn text(&self) -> Option<&str> {
        self.file.is_none().then(|| std::str::from_utf8(&self.bytes).ok()).flatten()
    }

    fn shown(&self) -> Value {
        match &self.file {
            Some(file) => json!({
                "file": file.name, "mime": file.mime, "bytes": self.bytes.len(), "sha256": digest(&self.bytes),
            }),
            None => self.text().into(),
        }
    }
}

/// The parts of a body by its content type; `None` when it is no form, or a broken one.
pub(crate) async fn read(content_type: &str, body: &Bytes) -> Option<Vec<Part>> {
    if content_type == "application/x-www-form-urlencoded" {
        let pairs = url::form_urlencoded::parse(body).into_owned();
        let parts = pairs.map(|(name, text)| Part { name, file: None, bytes: text.into() });
        return Some(parts.collect());
    }
    let boundary = multer::parse_boundary(content_type).ok()?;
    let whole = stream::iter([Ok::<_, std::convert::Infallible>(body.clone())]);
    let mut form = multer::Multipart::new(whole, boundary);
    let mut parts = Vec::new();
    while let Some(field) = form.next_field().await.ok()? {
        let name = field.name()?.to_owned();
        let file = field.file_name().map(|name| File {
            name: name.to_owned(),
            mime: field.content_type().map(ToString::to_string).unwrap_or_default(),
        });
        parts.push(Part { name, file, bytes: field.bytes().await.ok()? });
        if parts.len() > MAX_PARTS {
            return None;
        }
    }
    Some(parts)
}

/// The parts as JSON, for an answer that echoes them; those of one name are a list.
pub(crate) fn shown(parts: &[Part]) -> Value {
    let mut members = Map::new();
    for part in parts {
        match members.get_mut(&part.name) {
            None => {
                members.insert(part.name.clone(), part.shown());
            }
            Some(Value::Array(values)) => values.push(part.shown()),
            Some(first) => *first = json!([first.take(), part.shown()]),
        }
    }
    Value::Object(members)
}
