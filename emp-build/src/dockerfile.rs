//! The stages of a Dockerfile, and what they build on.
//!
//! Reads no more of the language than that takes: `FROM .. AS ..`, `ARG` before the first `FROM`, `COPY --from`,
//! `RUN --mount=..from=`; and what could be taken for these: comments, continued lines, other escape characters, heredocs.

mod lines;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use lines::{Instruction, Word, instructions};

/// What a Dockerfile says about stages.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Dockerfile {
    /// The stages, in order.
    pub(crate) stages: Vec<Stage>,
    /// What Docker would refuse to read.
    pub(crate) faults: Vec<Fault>,
    /// The stages that others build on or copy from, by number.
    needed: BTreeSet<usize>,
}

/// A stage.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Stage {
    /// Its name in lower case, as Docker keeps it; its number when it has none.
    pub(crate) name: String,
    /// Where the name stands; the whole `FROM` when there is none.
    pub(crate) span: Range<usize>,
    named: bool,
}

/// A line that Docker refuses.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fault {
    /// Where.
    pub(crate) span: Range<usize>,
    /// What is wrong, as a phrase.
    pub(crate) message: String,
    /// What to write.
    pub(crate) help: String,
}

impl Dockerfile {
    /// Reads a Dockerfile; never fails, but notes what Docker would not read.
    pub(crate) fn read(text: &str) -> Self {
        let mut file = Self::default();
        let mut arguments = BTreeMap::new();
        for instruction in instructions(text) {
            match (instruction.keyword().as_str(), file.stages.is_empty()) {
                ("FROM", _) => file.stage(&instruction, &arguments),
                ("ARG", true) => arguments.extend(instruction.rest().iter().filter_map(argument)),
                ("COPY" | "ADD" | "RUN", false) => {
                    let sources: Vec<_> = instruction.rest().iter().filter_map(source).collect();
                    for name in sources {
                        file.need(&expanded(name, &arguments));
                    }
                }
                (_, true) => file.faults.push(Fault {
                    span: instruction.span(),
                    message: format!("`{}` stands before the first FROM", instruction.keyword()),
                    help: "only ARG may stand there".to_owned(),
                }),
                _ => {}
            }
        }
        if file.stages.is_empty() && file.faults.is_empty() {
            let span = 0..text.len().min(1);
            let (message, help) =
                ("there is no FROM".to_owned(), "FROM debian:stable-slim AS base".to_owned());
            file.faults.push(Fault { span, message, help });
        }
        file
    }

    /// The stage with a name, or a number.
    pub(crate) fn get(&self, name: &str) -> Option<&Stage> {
        self.index(name).and_then(|index| self.stages.get(index))
    }

    /// The names that can be built.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.stages.iter().filter(|stage| stage.named).map(|stage| stage.name.as_str())
    }

    /// The named stages that nothing builds on. Not the last one: it is what is built when nobody names a stage.
    pub(crate) fn ends(&self) -> impl Iterator<Item = &Stage> {
        let last = self.stages.len().saturating_sub(1);
        let free = move |index: &usize| *index != last && !self.needed.contains(index);
        self.stages
            .iter()
            .enumerate()
            .filter(move |(index, stage)| free(index) && stage.named)
            .map(|(_, stage)| stage)
    }

    fn index(&self, name: &str) -> Option<usize> {
        let name = name.to_ascii_lowercase();
        let named = self.stages.iter().position(|stage| stage.named && stage.name == name);
        named.or_else(|| name.parse().ok().filter(|number| *number < self.stages.len()))
    }

    fn need(&mut self, name: &str) {
        self.needed.extend(self.index(name));
    }

    /// `FROM [--platform=..] image [AS name]`
    fn stage(&mut self, instruction: &Instruction<'_>, arguments: &BTreeMap<String, String>) {
        let words: Vec<&Word<'_>> =
            instruction.rest().iter().skip_while(|word| word.text.starts_with("--")).collect();
        let number = self.stages.len().to_string();
        let (image, name) = match words.as_slice() {
            [image] => (image, None),
            [image, link, name] if link.text.eq_ignore_ascii_case("as") => (image, Some(name)),
            _ => {
                self.faults.push(Fault {
                    span: instruction.span(),
                    message: "this FROM cannot be read".to_owned(),
                    help: "FROM image AS name".to_owned(),
                });
                return;
            }
        };
        self.need(&expanded(image.text, arguments));
        let Some(name) = name else {
            self.stages.push(Stage { name: number, span: instruction.span(), named: false });
            return;
        };
        let lower = name.text.to_ascii_lowercase();
        if !is_stage(&lower) {
            self.faults.push(Fault {
                span: name.span.clone(),
                message: format!("`{}` is not the name of a stage", name.text),
                help: "begin with a letter; go on with letters, digits, `-`, `_` and `.`".to_owned(),
            });
        } else if self.stages.iter().any(|stage| stage.named && stage.name == lower) {
            self.faults.push(Fault {
                span: name.span.clone(),
                message: format!("the stage `{lower}` stands twice in this Dockerfile"),
                help: format!("give this one another name: FROM {} AS {lower}-2", image.text),
            });
        }
        self.stages.push(Stage { name: lower, span: name.span.clone(), named: true });
    }
}

fn is_stage(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

/// `NAME=default` of an `ARG`.
fn argument(word: &Word<'_>) -> Option<(String, String)> {
    let (name, default) = word.text.split_once('=')?;
    Some((name.to_owned(), default.trim_matches(['"', '\'']).to_owned()))
}

/// What a flag copies or mounts from.
fn source<'w>(word: &'w Word<'_>) -> Option<&'w str> {
    let flag = word.text.strip_prefix("--")?;
    if let Some(from) = flag.strip_prefix("from=") {
        return Some(from);
    }
    flag.strip_prefix("mount=")?.split(',').find_map(|part| part.strip_prefix("from="))
}

/// A word with the arguments that stand before the first `FROM`: `$X`, `${X}`, `${X:-default}`.
fn expanded(word: &str, arguments: &BTreeMap<String, String>) -> String {
    let mut out = String::new();
    let mut rest = word;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        let braced = after.strip_prefix('{').and_then(|inner| inner.split_once('}'));
        let (name, default, behind) = if let Some((inner, behind)) = braced {
            let parts = inner.split_once(":-").or_else(|| inner.split_once('-'));
            let (name, default) = parts.unwrap_or((inner, ""));
            (name, default, behind)
        } else {
            let end = after.find(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_'));
            let (name, behind) = after.split_at(end.unwrap_or(after.len()));
            (name, "", behind)
        };
        out.push_str(arguments.get(name).map_or(default, String::as_str));
        rest = behind;
    }
    out + rest
}

#[cfg(test)]
mod tests;
