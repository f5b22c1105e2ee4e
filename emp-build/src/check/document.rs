//! Whether the mapping is JSON at all, and whether each key stands once.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::Subject;
use super::names::quoted;
use crate::codes;
use crate::finding::Finding;
use crate::inputs::Document;
use crate::json::{At, Json, Node, scan};
use crate::source::SourceText;

/// A mapping that is JSON.
pub(super) struct Mapping {
    /// Its text.
    pub(super) text: SourceText,
    /// Its values with their places.
    pub(super) root: Node,
    /// Its values as the schema's validator wants them.
    pub(super) value: Value,
}

/// A file that could not be read.
pub(super) fn unreadable(document: &Document) -> Option<Finding> {
    let problem = document.text.as_ref().err()?;
    let help = match problem.as_str() {
        "does not exist" => "create it, or name another file: --mapping FILE, --dockerfile FILE",
        _ => "save it as a UTF-8 text file",
    };
    let message = format!("`{}` {problem}", document.name);
    Some(Finding::file(codes::UNREADABLE, &document.name, message).help(help))
}

/// Reads the mapping.
pub(super) fn read(document: &Document) -> Result<Mapping, Vec<Finding>> {
    let Ok(text) = &document.text else { return Err(unreadable(document).into_iter().collect()) };
    let value = serde_json::from_str(text.text()).map_err(|error| vec![syntax(text, &error)])?;
    // The scanner reads whatever serde_json reads; where they differ the file is refused rather than half checked.
    let root = scan(text.text()).ok_or_else(|| {
        let message = "this JSON is nested too deeply".to_owned();
        vec![Finding::error(codes::SYNTAX, text, 0..1, message).pointer("").help("take the nesting out")]
    })?;
    Ok(Mapping { text: text.clone(), root, value })
}

fn syntax(text: &SourceText, error: &serde_json::Error) -> Finding {
    let full = error.to_string();
    let phrase = full.rsplit_once(" at line ").map_or(full.as_str(), |(phrase, _)| phrase);
    // The reader's column is the last byte that it took, from 1; 0 is the end of the line before.
    let at = text.offset(error.line(), error.column());
    let comma = format!("write `,` at the end of line {}", last_line_before(text, at));
    let (phrase, help) = match (text.text().chars().next(), phrase) {
        (Some('\u{feff}'), _) => {
            ("the file starts with a byte order mark", "save it as UTF-8 without a byte order mark")
        }
        (_, "trailing comma") => ("there is a comma and nothing behind it", "take the comma out"),
        (_, "recursion limit exceeded") => ("this JSON is nested too deeply", "take the nesting out"),
        (None, _) => ("the file is empty", "{ \"connectors\": {}, \"workers\": {} }"),
        (_, phrase) if phrase.starts_with("EOF") => {
            ("the file ends too early", "close what is open: a quote, `]` or `}`")
        }
        (_, phrase) if phrase.starts_with("expected `,`") && opens(text.text(), at) => {
            ("a comma is missing before this", comma.as_str())
        }
        (_, phrase) if comment(text.text(), at) => (phrase, "JSON has no comments: take it out"),
        (_, phrase) => (phrase, "mend it here; everything before this place is fine"),
    };
    Finding::error(codes::SYNTAX, text, at..at + 1, phrase.to_owned()).pointer("").help(help)
}

/// The line of the last character before a place that is not blank.
fn last_line_before(text: &SourceText, at: usize) -> usize {
    let before = text.text().get(..at).unwrap_or_default().trim_end();
    text.place(before.len().saturating_sub(1)).line
}

fn opens(text: &str, at: usize) -> bool {
    text.get(at..).is_some_and(|rest| rest.starts_with(['"', '{', '[']))
}

fn comment(text: &str, at: usize) -> bool {
    text.get(at..).is_some_and(|rest| rest.starts_with("//") || rest.starts_with("/*"))
}

/// Keys that stand twice.
pub(super) fn duplicates(subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    // Most have none, and need no pointers.
    if !has_duplicates(subject.root) {
        return findings;
    }
    let mut open = vec![At::root(subject.root)];
    while let Some(at) = open.pop() {
        if let Json::Object(members) = &at.node.value {
            let mut first = BTreeMap::new();
            for (member, inside) in members.iter().zip(at.members()) {
                let earlier = *first.entry(member.key.as_str()).or_insert(member);
                if earlier.span != member.span {
                    let name = quoted(&member.key);
                    findings.push(
                        subject
                            .at_key(
                                codes::DUPLICATE_KEY,
                                &inside,
                                format!("the key {name} stands twice in this object"),
                            )
                            .label("again here")
                            .also(subject.text, earlier.span.clone(), "first here")
                            .help(format!("keep one {name}, or give this one another name")),
                    );
                }
            }
        }
        open.extend(at.members());
        open.extend(at.entries());
    }
    findings
}

/// Whether any object of a value has a key twice.
fn has_duplicates(node: &Node) -> bool {
    let members = node.members();
    let keys: BTreeSet<&str> = members.iter().map(|member| member.key.as_str()).collect();
    keys.len() < members.len()
        || members.iter().any(|member| has_duplicates(&member.value))
        || node.entries().iter().any(has_duplicates)
}
