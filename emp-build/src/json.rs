//! JSON with places: what a reader of values loses, and what a report needs.

mod scan;
mod walk;

use std::ops::Range;

pub(crate) use scan::{raw_span, scan};
pub(crate) use walk::{At, tokens};

/// A value and where it is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    /// Its bytes in the text.
    pub(crate) span: Range<usize>,
    /// What it is.
    pub(crate) value: Json,
}

/// The kinds of values, as far as the checks tell them apart.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Json {
    /// Members in the order of the text, duplicates included.
    Object(Vec<Member>),
    /// Entries.
    Array(Vec<Node>),
    /// A string, decoded.
    Text(String),
    /// A number, a boolean or `null`: the bytes say which.
    Scalar,
}

/// A member of an object.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Member {
    /// The key, decoded.
    pub(crate) key: String,
    /// The key's bytes, quotes included.
    pub(crate) span: Range<usize>,
    /// The value.
    pub(crate) value: Node,
}

impl Node {
    /// The members; none for anything but an object.
    pub(crate) fn members(&self) -> &[Member] {
        match &self.value {
            Json::Object(members) => members,
            _ => &[],
        }
    }

    /// The entries; none for anything but an array.
    pub(crate) fn entries(&self) -> &[Self] {
        match &self.value {
            Json::Array(entries) => entries,
            _ => &[],
        }
    }

    /// Whether it is an array.
    pub(crate) fn is_list(&self) -> bool {
        matches!(self.value, Json::Array(_))
    }

    /// The text of a string.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.value {
            Json::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The member with a key. Of two, the last: the one that readers of values keep.
    pub(crate) fn member(&self, key: &str) -> Option<&Member> {
        self.members().iter().rev().find(|member| member.key == key)
    }
}
