//! A slice that was read.

use serde_json::Value;

use crate::about::{About, KEY};
use crate::operation::Operation;
use crate::schema::Schema;

/// The methods of a path item.
pub(crate) const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// The longest chain of references that point to references.
const LONGEST_CHAIN: usize = 16;

/// A slice of a service's description.
#[derive(Clone, Debug, PartialEq)]
pub struct Slice {
    document: Value,
    about: About,
}

/// Why a text is no slice, as a phrase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotASlice(pub String);

impl std::fmt::Display for NotASlice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NotASlice {}

impl Slice {
    /// Reads a slice.
    pub fn parse(text: &str) -> Result<Self, NotASlice> {
        let document =
            serde_json::from_str(text).map_err(|error| NotASlice(format!("is not JSON: {error}")))?;
        Self::new(document)
    }

    /// A document that [`slice`](crate::slice()) made, or one of the same form written by hand.
    pub fn new(document: Value) -> Result<Self, NotASlice> {
        let about = document.get(KEY).cloned().ok_or_else(|| {
            NotASlice(format!("has no `{KEY}`, which says where it comes from: it is not a slice"))
        })?;
        let about = serde_json::from_value(about)
            .map_err(|error| NotASlice(format!("has a wrong `{KEY}`: {error}")))?;
        if !document.get("paths").is_some_and(Value::is_object) {
            return Err(NotASlice("has no `paths`".to_owned()));
        }
        Ok(Self { document, about })
    }

    /// Where it comes from.
    pub fn about(&self) -> &About {
        &self.about
    }

    /// The title of the service's description.
    pub fn title(&self) -> &str {
        self.document.pointer("/info/title").and_then(Value::as_str).unwrap_or_default()
    }

    /// The operation with an id (`predictions.get`), or with a method and a path (`GET /predictions/{id}`).
    pub fn operation(&self, name: &str) -> Option<Operation<'_>> {
        self.operations().find(|operation| operation.is(name))
    }

    /// All operations, in the order of the file.
    pub fn operations(&self) -> impl Iterator<Item = Operation<'_>> {
        let paths = self.document.get("paths").and_then(Value::as_object).into_iter().flatten();
        paths.flat_map(move |(path, item)| {
            METHODS.into_iter().filter_map(move |method| {
                Some(Operation { slice: self, method, path, item, value: item.get(method)? })
            })
        })
    }

    /// The slice as a file has it.
    pub fn to_json(&self) -> String {
        format!("{:#}\n", self.document)
    }

    /// The root of the document.
    pub(crate) fn document(&self) -> &Value {
        &self.document
    }

    /// What a value is, behind its references; `None` for one that leads nowhere.
    pub(crate) fn resolve<'d>(&'d self, value: &'d Value) -> Option<&'d Value> {
        let mut value = value;
        for _ in 0..LONGEST_CHAIN {
            match value.get("$ref").and_then(Value::as_str) {
                None => return Some(value),
                Some(reference) => value = self.document.pointer(reference.strip_prefix('#')?)?,
            }
        }
        None
    }

    /// A schema of this document.
    pub(crate) fn schema<'d>(&'d self, value: &'d Value) -> Schema<'d> {
        Schema::new(self, value)
    }
}
