//! What two slices of one service say differently.

use crate::document::Slice;
use crate::kinds::Kinds;
use crate::operation::{Location, Operation};
use crate::schema::{Inside, Schema};
use crate::walk::step;

/// How deep two schemas are compared.
const DEEPEST: usize = 8;

/// A difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The operation, as the older slice calls it.
    pub operation: String,
    /// In the request or in the answer.
    pub side: Side,
    /// Where: `$.status`, or the name of a header; empty for the operation itself.
    pub path: String,
    /// What.
    pub what: What,
}

/// A side of an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// What is sent.
    Request,
    /// What is answered.
    Answer,
}

/// What is different.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// The operation is gone.
    OperationGone,
    /// The operation has another method or path; the new one.
    Moved(String),
    /// Nothing is at the path any more.
    Gone,
    /// Something new is at the path.
    New,
    /// The kinds that a value can be have changed, from and to.
    Kinds(Kinds, Kinds),
    /// A text that can be there now.
    WordNew(String),
    /// A text that cannot be there any more.
    WordGone(String),
    /// A member, a header or a query pair must be sent now.
    Required,
    /// A code of an answer is documented now.
    CodeNew(String),
    /// A code of an answer is not documented any more.
    CodeGone(String),
}

impl Change {
    /// An operation that is not there any more.
    pub fn gone(operation: &Operation<'_>) -> Self {
        Self {
            operation: operation.name(),
            side: Side::Request,
            path: String::new(),
            what: What::OperationGone,
        }
    }

    /// Whether a connector that was right before can be wrong now.
    pub fn breaking(&self) -> bool {
        match (&self.what, self.side) {
            // A new word of an answer is a state that nobody has declared: the costliest change of all.
            (What::OperationGone | What::Moved(_) | What::Gone | What::Required, _)
            | (What::WordNew(_), Side::Answer)
            | (What::WordGone(_), Side::Request) => true,
            (What::Kinds(old, new), Side::Answer) => !new.within(*old),
            (What::Kinds(old, new), Side::Request) => !old.within(*new),
            (What::CodeNew(code), _) => code.starts_with('2'),
            _ => false,
        }
    }
}

impl Side {
    /// `request` or `answer`
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Answer => "answer",
        }
    }
}

impl What {
    /// One word for it, for programs.
    pub fn word(&self) -> &'static str {
        match self {
            Self::OperationGone => "operation_gone",
            Self::Moved(_) => "moved",
            Self::Gone => "gone",
            Self::New => "new",
            Self::Kinds(..) => "kinds",
            Self::WordNew(_) => "word_new",
            Self::WordGone(_) => "word_gone",
            Self::Required => "required",
            Self::CodeNew(_) => "code_new",
            Self::CodeGone(_) => "code_gone",
        }
    }
}

impl std::fmt::Display for What {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::OperationGone => f.write_str("the operation is gone"),
            Self::Moved(to) => write!(f, "is now {to}"),
            Self::Gone => f.write_str("is gone"),
            Self::New => f.write_str("is new"),
            Self::Kinds(old, new) => write!(f, "was {old}, is {new}"),
            Self::WordNew(word) => write!(f, "can be \"{word}\" now"),
            Self::WordGone(word) => write!(f, "cannot be \"{word}\" any more"),
            Self::Required => f.write_str("must be sent now"),
            Self::CodeNew(code) => write!(f, "can be answered with {code} now"),
            Self::CodeGone(code) => write!(f, "is not answered with {code} any more"),
        }
    }
}

/// What a newer slice says differently, in the order of the older one.
pub fn changes(old: &Slice, new: &Slice) -> Vec<Change> {
    let mut all = Vec::new();
    for before in old.operations() {
        let mut diff = Diff { operation: before.name(), side: Side::Request, changes: Vec::new() };
        let same = new.operation(&before.name()).or_else(|| new.operation(&before.route_name()));
        match same {
            None => diff.note("", What::OperationGone),
            Some(after) => diff.operations(&before, &after),
        }
        all.extend(diff.changes);
    }
    all
}

struct Diff {
    operation: String,
    side: Side,
    changes: Vec<Change>,
}

impl Diff {
    fn note(&mut self, path: &str, what: What) {
        let (operation, side) = (self.operation.clone(), self.side);
        let change = Change { operation, side, path: path.to_owned(), what };
        // Several codes may be answered with one schema.
        if !self.changes.contains(&change) {
            self.changes.push(change);
        }
    }

    fn operations(&mut self, old: &Operation<'_>, new: &Operation<'_>) {
        if old.route_name() != new.route_name() {
            self.note("", What::Moved(new.route_name()));
        }
        let known = old.parameters();
        for parameter in new.parameters() {
            let was = known
                .iter()
                .any(|old| old.name == parameter.name && old.location == parameter.location && old.required);
            if parameter.required && !was && parameter.location != Location::Path {
                self.note(parameter.name, What::Required);
            }
        }
        match (old.json_body(), new.json_body()) {
            (Some(old), Some(new)) => self.schemas("$", &old, &new, 0),
            (Some(_), None) => self.note("$", What::Gone),
            _ => {}
        }
        self.side = Side::Answer;
        let (before, after) = (old.responses(), new.responses());
        for response in &after {
            match before.iter().find(|old| old.code == response.code) {
                None => self.note("", What::CodeNew(response.code.to_owned())),
                Some(old) if old.is_success() => match (&old.json, &response.json) {
                    (Some(old), Some(new)) => self.schemas("$", old, new, 0),
                    (Some(_), None) => self.note("$", What::Gone),
                    _ => {}
                },
                Some(_) => {}
            }
        }
        for gone in before.iter().filter(|old| after.iter().all(|new| new.code != old.code)) {
            self.note("", What::CodeGone(gone.code.to_owned()));
        }
    }

    fn schemas(&mut self, path: &str, old: &Schema<'_>, new: &Schema<'_>, depth: usize) {
        if depth > DEEPEST {
            return;
        }
        if old.kinds() != new.kinds() {
            self.note(path, What::Kinds(old.kinds(), new.kinds()));
        }
        if let (Some(before), Some(after)) = (old.words(), new.words()) {
            for word in after.iter().filter(|word| !before.contains(word)) {
                self.note(path, What::WordNew((*word).to_owned()));
            }
            for word in before.iter().filter(|word| !after.contains(word)) {
                self.note(path, What::WordGone((*word).to_owned()));
            }
        }
        let (before, after) = (old.required(), new.required());
        let (names, now) = (old.names(), new.names());
        for name in now.iter().filter(|name| !names.contains(name)) {
            let required = self.side == Side::Request && after.contains(name);
            self.note(&format!("{path}{}", step(name)), if required { What::Required } else { What::New });
        }
        for name in names {
            let inside = format!("{path}{}", step(name));
            match (old.member(name), new.member(name)) {
                (Inside::Found(old), Inside::Found(new)) => self.schemas(&inside, &old, &new, depth + 1),
                (_, Inside::Closed) => self.note(&inside, What::Gone),
                _ => {}
            }
            if self.side == Side::Request && after.contains(&name) && !before.contains(&name) {
                self.note(&inside, What::Required);
            }
        }
        if old.kinds().meets(Kinds::ARRAY)
            && let (Inside::Found(old), Inside::Found(new)) = (old.element(None), new.element(None))
        {
            self.schemas(&format!("{path}[*]"), &old, &new, depth + 1);
        }
    }
}
