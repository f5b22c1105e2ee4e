//! Schemas, as an author reads them.

mod own;

use serde_json::Value;

use crate::document::Slice;
use crate::kinds::Kinds;
use own::{own, own_kinds, own_words};

/// Schemas inside schemas that are looked through; a schema that contains itself would have no end.
const DEEPEST: usize = 32;

/// What is known of a value: a schema of the file, or several that hold together or one of which holds.
#[derive(Clone, Debug)]
pub struct Schema<'d> {
    slice: &'d Slice,
    node: Node<'d>,
}

#[derive(Clone, Debug)]
enum Node<'d> {
    /// A schema of the file.
    Whole(&'d Value),
    /// Its own keywords and `allOf`, without `oneOf` and `anyOf`.
    Base(&'d Value),
    /// All hold.
    All(Vec<Node<'d>>),
    /// One of them holds.
    Any(Vec<Node<'d>>),
}

/// What a schema says of a member or an element.
enum Looked<'d> {
    /// It is this.
    Found(Node<'d>),
    /// There may be one.
    Open,
    /// There is none.
    Closed,
    /// Nothing.
    Silent,
}

/// What is looked for.
#[derive(Clone, Copy)]
enum Part<'p> {
    Member(&'p str),
    Element(Option<usize>),
    Anything,
}

/// What a schema says of one of its parts.
#[derive(Clone, Debug)]
pub(crate) enum Inside<'d> {
    /// It is this.
    Found(Schema<'d>),
    /// It may be there.
    Open,
    /// It is not there.
    Closed,
}

impl<'d> Inside<'d> {
    fn found(self) -> Option<Schema<'d>> {
        match self {
            Self::Found(schema) => Some(schema),
            Self::Open | Self::Closed => None,
        }
    }
}

impl<'d> Schema<'d> {
    pub(crate) fn new(slice: &'d Slice, value: &'d Value) -> Self {
        Self { slice, node: Node::Whole(value) }
    }

    /// One of several. `None` without any.
    pub fn any(schemas: impl IntoIterator<Item = Self>) -> Option<Self> {
        let mut schemas = schemas.into_iter().peekable();
        let slice = schemas.peek()?.slice;
        let mut nodes: Vec<_> = schemas.map(|schema| schema.node).collect();
        let node = if nodes.len() == 1 { nodes.pop()? } else { Node::Any(nodes) };
        Some(Self { slice, node })
    }

    /// The schema of the member with a name, where the description has it.
    pub fn part(&self, name: &str) -> Option<Self> {
        self.member(name).found()
    }

    /// Whether there is no member of a name.
    pub fn closed_to(&self, name: &str) -> bool {
        matches!(self.member(name), Inside::Closed)
    }

    /// The schema of the elements, where the description has it.
    pub fn item(&self) -> Option<Self> {
        self.element(None).found()
    }

    /// The member with a name.
    pub(crate) fn member(&self, name: &str) -> Inside<'d> {
        self.inside(Part::Member(name))
    }

    /// An element of an array: the one at an index, or any.
    pub(crate) fn element(&self, index: Option<usize>) -> Inside<'d> {
        self.inside(Part::Element(index))
    }

    /// Any element or member.
    pub(crate) fn anything_in(&self) -> Inside<'d> {
        self.inside(Part::Anything)
    }

    fn inside(&self, part: Part<'_>) -> Inside<'d> {
        match self.look(&self.node, part, 0) {
            Looked::Found(node) => Inside::Found(Self { slice: self.slice, node }),
            Looked::Closed => Inside::Closed,
            Looked::Open | Looked::Silent => Inside::Open,
        }
    }

    /// What it can be.
    pub fn kinds(&self) -> Kinds {
        self.kinds_of(&self.node, 0)
    }

    /// The texts that it can be; `None` when any text can be.
    pub fn words(&self) -> Option<Vec<&'d str>> {
        self.words_of(&self.node, 0)
    }

    /// The members that must be there.
    pub fn required(&self) -> Vec<&'d str> {
        self.required_of(&self.node, 0)
    }

    /// The names of the members that it lists, sorted.
    pub fn names(&self) -> Vec<&'d str> {
        let mut names = Vec::new();
        self.names_of(&self.node, 0, &mut names);
        names.sort_unstable();
        names.dedup();
        names
    }

    /// The alternatives of a `oneOf` or `anyOf`; itself when there are none.
    pub(crate) fn alternatives(&self) -> Vec<Self> {
        let mut nodes = Vec::new();
        self.alternatives_of(&self.node, 0, &mut nodes);
        nodes.into_iter().map(|node| Self { slice: self.slice, node }).collect()
    }

    fn alternatives_of(&self, node: &Node<'d>, depth: usize, into: &mut Vec<Node<'d>>) {
        let one_of =
            |value: &'d Value| ["oneOf", "anyOf"].into_iter().find_map(|key| value.get(key)?.as_array());
        match node {
            Node::Any(any) => any.iter().for_each(|node| self.alternatives_of(node, depth + 1, into)),
            Node::Whole(value) if depth < DEEPEST => match self.slice.resolve(value) {
                Some(value) => match one_of(value) {
                    Some(any) => {
                        let mut inner = Vec::new();
                        for alternative in any {
                            self.alternatives_of(&Node::Whole(alternative), depth + 1, &mut inner);
                        }
                        into.extend(inner.into_iter().map(|node| Node::All(vec![Node::Base(value), node])));
                    }
                    None => into.push(Node::Whole(value)),
                },
                None => into.push(node.clone()),
            },
            _ => into.push(node.clone()),
        }
    }

    /// The parts of a schema that hold together: its own keywords (`true`), the schemas of `allOf`, and each list of alternatives.
    fn parts(&self, node: &Node<'d>) -> Option<Parts<'d>> {
        let (value, whole) = match node {
            Node::Whole(value) => (self.slice.resolve(value)?, true),
            Node::Base(value) => (*value, false),
            Node::All(_) | Node::Any(_) => return None,
        };
        let list = |key: &str| -> Vec<Node<'d>> {
            value.get(key).and_then(Value::as_array).into_iter().flatten().map(Node::Whole).collect()
        };
        let lists = if whole { vec![list("oneOf"), list("anyOf")] } else { Vec::new() };
        let any = lists.into_iter().filter(|list| !list.is_empty()).map(Node::Any);
        Some(Parts { value, together: list("allOf").into_iter().chain(any).collect() })
    }

    fn look(&self, node: &Node<'d>, part: Part<'_>, depth: usize) -> Looked<'d> {
        if depth > DEEPEST {
            return Looked::Open;
        }
        match node {
            Node::All(all) => together(all.iter().map(|node| self.look(node, part, depth + 1))),
            Node::Any(any) => either(any.iter().map(|node| self.look(node, part, depth + 1))),
            node => match self.parts(node) {
                // A reference that leads nowhere says nothing.
                None => Looked::Open,
                Some(parts) => together(
                    std::iter::once(own(parts.value, part))
                        .chain(parts.together.iter().map(|node| self.look(node, part, depth + 1))),
                ),
            },
        }
    }

    fn kinds_of(&self, node: &Node<'d>, depth: usize) -> Kinds {
        if depth > DEEPEST {
            return Kinds::ALL;
        }
        let each = |nodes: &[Node<'d>], start: Kinds, join: fn(Kinds, Kinds) -> Kinds| {
            nodes.iter().map(|node| self.kinds_of(node, depth + 1)).fold(start, join)
        };
        match node {
            Node::All(all) => each(all, Kinds::ALL, Kinds::and),
            Node::Any(any) => each(any, Kinds::NONE, Kinds::or),
            node => self.parts(node).map_or(Kinds::ALL, |parts| {
                let kinds = each(&parts.together, own_kinds(parts.value), Kinds::and);
                let nullable = parts.value.get("nullable").and_then(Value::as_bool).unwrap_or_default();
                if nullable { kinds.or(Kinds::NULL) } else { kinds }
            }),
        }
    }

    fn words_of(&self, node: &Node<'d>, depth: usize) -> Option<Vec<&'d str>> {
        if depth > DEEPEST {
            return None;
        }
        match node {
            Node::Any(any) => {
                let lists: Option<Vec<_>> = any.iter().map(|node| self.words_of(node, depth + 1)).collect();
                let mut words: Vec<&str> = Vec::new();
                for word in lists?.into_iter().flatten() {
                    if !words.contains(&word) {
                        words.push(word);
                    }
                }
                Some(words)
            }
            Node::All(all) => common(all.iter().map(|node| self.words_of(node, depth + 1))),
            node => {
                let parts = self.parts(node)?;
                let inside = parts.together.iter().map(|node| self.words_of(node, depth + 1));
                common(std::iter::once(own_words(parts.value)).chain(inside))
            }
        }
    }

    fn required_of(&self, node: &Node<'d>, depth: usize) -> Vec<&'d str> {
        if depth > DEEPEST {
            return Vec::new();
        }
        match node {
            Node::All(all) => all.iter().flat_map(|node| self.required_of(node, depth + 1)).collect(),
            Node::Any(any) => {
                let mut lists = any.iter().map(|node| self.required_of(node, depth + 1));
                let first = lists.next().unwrap_or_default();
                lists.fold(first, |mut kept, list| {
                    kept.retain(|name| list.contains(name));
                    kept
                })
            }
            node => self.parts(node).map_or_else(Vec::new, |parts| {
                let own = parts.value.get("required").and_then(Value::as_array).into_iter().flatten();
                let own = own.filter_map(Value::as_str);
                own.chain(parts.together.iter().flat_map(|node| self.required_of(node, depth + 1))).collect()
            }),
        }
    }

    fn names_of(&self, node: &Node<'d>, depth: usize, into: &mut Vec<&'d str>) {
        if depth > DEEPEST {
            return;
        }
        match node {
            Node::All(nodes) | Node::Any(nodes) => {
                for node in nodes {
                    self.names_of(node, depth + 1, into);
                }
            }
            node => {
                if let Some(parts) = self.parts(node) {
                    into.extend(properties(parts.value).map(|(name, _)| name.as_str()));
                    parts.together.iter().for_each(|node| self.names_of(node, depth + 1, into));
                }
            }
        }
    }
}

struct Parts<'d> {
    value: &'d Value,
    together: Vec<Node<'d>>,
}

fn properties(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.get("properties").and_then(Value::as_object).into_iter().flatten()
}

/// What parts that hold together say: what one of them knows.
fn together<'d>(parts: impl Iterator<Item = Looked<'d>>) -> Looked<'d> {
    let (mut found, mut open, mut closed) = (Vec::new(), false, false);
    for part in parts {
        match part {
            Looked::Found(node) => found.push(node),
            Looked::Open => open = true,
            Looked::Closed => closed = true,
            Looked::Silent => {}
        }
    }
    match (found.len(), open, closed) {
        (0, true, _) => Looked::Open,
        (0, false, true) => Looked::Closed,
        (0, false, false) => Looked::Silent,
        (1, ..) => found.pop().map_or(Looked::Silent, Looked::Found),
        _ => Looked::Found(Node::All(found)),
    }
}

/// What alternatives say: what it is in those that have it.
fn either<'d>(parts: impl Iterator<Item = Looked<'d>>) -> Looked<'d> {
    let (mut found, mut open, mut closed, mut silent) = (Vec::new(), false, false, false);
    for part in parts {
        match part {
            Looked::Found(node) => found.push(node),
            Looked::Open => open = true,
            Looked::Closed => closed = true,
            Looked::Silent => silent = true,
        }
    }
    match (found.len(), open || silent && closed) {
        (0, true) => Looked::Open,
        (0, false) if closed => Looked::Closed,
        (0, false) => Looked::Silent,
        (1, _) => found.pop().map_or(Looked::Silent, Looked::Found),
        _ => Looked::Found(Node::Any(found)),
    }
}

/// The words that are in every list; `None` where no part has a list.
fn common<'d>(lists: impl Iterator<Item = Option<Vec<&'d str>>>) -> Option<Vec<&'d str>> {
    lists.flatten().reduce(|mut kept, list| {
        kept.retain(|word| list.contains(word));
        kept
    })
}
