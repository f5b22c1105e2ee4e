//! Walking a value with the pointer to where one is.

use super::{Member, Node};

/// A value of a document, with its JSON pointer.
#[derive(Clone, Debug)]
pub(crate) struct At<'a> {
    /// The value.
    pub(crate) node: &'a Node,
    /// The member that holds it, unless it is the root or an entry of an array.
    pub(crate) member: Option<&'a Member>,
    /// Its JSON pointer (RFC 6901).
    pub(crate) pointer: String,
}

impl<'a> At<'a> {
    /// The whole document.
    pub(crate) fn root(node: &'a Node) -> Self {
        Self { node, member: None, pointer: String::new() }
    }

    /// The value of a key.
    pub(crate) fn get(&self, key: &str) -> Option<Self> {
        self.node.member(key).map(|member| self.inside(member))
    }

    /// The values of an object. Of two with one key, both.
    pub(crate) fn members(&self) -> impl Iterator<Item = Self> + use<'a> {
        let above = self.pointer.clone();
        self.node.members().iter().map(move |member| Self {
            node: &member.value,
            member: Some(member),
            pointer: joined(&above, &member.key),
        })
    }

    /// The values of an array.
    pub(crate) fn entries(&self) -> impl Iterator<Item = Self> + use<'a> {
        let above = self.pointer.clone();
        self.node.entries().iter().enumerate().map(move |(index, node)| Self {
            node,
            member: None,
            pointer: format!("{above}/{index}"),
        })
    }

    /// The value at a pointer.
    pub(crate) fn find(node: &'a Node, pointer: &str) -> Option<Self> {
        tokens(pointer).try_fold(Self::root(node), |at, token| match at.node.entries() {
            [] => at.get(&token),
            entries => {
                let node = entries.get(token.parse::<usize>().ok()?)?;
                Some(Self { node, member: None, pointer: joined(&at.pointer, &token) })
            }
        })
    }

    /// The key that leads here.
    pub(crate) fn key(&self) -> &'a str {
        self.member.map_or("", |member| &member.key)
    }

    fn inside(&self, member: &'a Member) -> Self {
        Self { node: &member.value, member: Some(member), pointer: joined(&self.pointer, &member.key) }
    }
}

/// The pointer of a member or entry.
pub(crate) fn joined(pointer: &str, key: &str) -> String {
    // Most keys need no escape. Bytes are searched by code that std has compiled: a build script is not optimised.
    if [b'~', b'/'].iter().any(|escaped| key.as_bytes().contains(escaped)) {
        return format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"));
    }
    [pointer, "/", key].concat()
}

/// The keys and indices of a pointer.
pub(crate) fn tokens(pointer: &str) -> impl Iterator<Item = String> {
    pointer.split('/').skip(1).map(|token| token.replace("~1", "/").replace("~0", "~"))
}
