//! From the lines of a Dockerfile to its instructions.

use std::ops::Range;

/// An instruction with its words and where they are.
#[derive(Clone, Debug)]
pub(super) struct Instruction<'a> {
    words: Vec<Word<'a>>,
}

/// A word.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Word<'a> {
    /// Its text.
    pub(super) text: &'a str,
    /// Its bytes in the file.
    pub(super) span: Range<usize>,
}

impl<'a> Instruction<'a> {
    /// `FROM`, in upper case.
    pub(super) fn keyword(&self) -> String {
        self.words.first().map_or_else(String::new, |word| word.text.to_ascii_uppercase())
    }

    /// The words behind the keyword.
    pub(super) fn rest(&self) -> &[Word<'a>] {
        self.words.get(1..).unwrap_or_default()
    }

    /// From its first word to its last.
    pub(super) fn span(&self) -> Range<usize> {
        let start = self.words.first().map_or(0, |word| word.span.start);
        start..self.words.last().map_or(start, |word| word.span.end)
    }
}

/// The instructions of a file.
pub(super) fn instructions(text: &str) -> Vec<Instruction<'_>> {
    // An editor's mark is no part of the first word; Docker takes it off too.
    let unmarked = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mark = text.len() - unmarked.len();
    let escape = escape(unmarked);
    let mut found = Vec::new();
    let mut lines = lines(unmarked).map(|(start, line)| (mark + start, line));
    while let Some((start, line)) = lines.next() {
        if skipped(line) {
            continue;
        }
        let (first, mut open) = words(start, line, escape);
        let mut instruction = Instruction { words: first };
        while open {
            let Some((start, line)) = lines.next() else { break };
            // Comments and empty lines may stand between the parts of an instruction.
            if !skipped(line) {
                let (next, more) = words(start, line, escape);
                instruction.words.extend(next);
                open = more;
            }
        }
        for heredoc in heredocs(&instruction) {
            lines.by_ref().find(|(_, line)| heredoc.ends_with(line));
        }
        if !instruction.words.is_empty() {
            found.push(instruction);
        }
    }
    found
}

/// The lines without their ends, each with where it starts.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.split_inclusive('\n').scan(0, |at, line| {
        let start = *at;
        *at += line.len();
        Some((start, line.trim_end_matches(['\n', '\r'])))
    })
}

fn skipped(line: &str) -> bool {
    let line = line.trim_start();
    line.is_empty() || line.starts_with('#')
}

/// The character that continues a line: a backslash, or what a directive `# escape=` at the top says.
fn escape(text: &str) -> char {
    let directives = text.lines().map_while(|line| line.trim().strip_prefix('#')?.split_once('='));
    directives
        .take_while(|(key, _)| !key.trim().is_empty())
        .find(|(key, _)| key.trim().eq_ignore_ascii_case("escape"))
        .and_then(|(_, value)| value.trim().chars().next())
        .filter(|letter| *letter == '`')
        .unwrap_or('\\')
}

/// The words of a line, and whether the next line belongs to it.
fn words(start: usize, line: &str, escape: char) -> (Vec<Word<'_>>, bool) {
    let whole = line.trim_end();
    let (content, open) = whole.strip_suffix(escape).map_or((whole, false), |content| (content, true));
    let words = content.split_whitespace().map(|text| {
        let offset = text.as_ptr().addr() - line.as_ptr().addr();
        Word { text, span: start + offset..start + offset + text.len() }
    });
    (words.collect(), open)
}

/// The end of a heredoc.
struct Heredoc<'a> {
    delimiter: &'a str,
    /// `<<-`: tabs before it do not count.
    tabs: bool,
}

impl Heredoc<'_> {
    fn ends_with(&self, line: &str) -> bool {
        let line = if self.tabs { line.trim_start_matches('\t') } else { line };
        line == self.delimiter
    }
}

/// The heredocs that an instruction opens.
fn heredocs<'a>(instruction: &Instruction<'a>) -> Vec<Heredoc<'a>> {
    if !matches!(instruction.keyword().as_str(), "RUN" | "COPY" | "ADD") {
        return Vec::new();
    }
    let opened = instruction.rest().iter().filter_map(|word| {
        let (before, rest) = word.text.split_once("<<")?;
        let (tabs, rest) = rest.strip_prefix('-').map_or((false, rest), |rest| (true, rest));
        let delimiter = rest.trim_matches(['"', '\'']);
        let name = |letter: char| letter.is_alphanumeric() || letter == '_';
        // `<<<` is a here-string, and `1<<2` a shift.
        let opens = before.bytes().all(|byte| byte.is_ascii_digit())
            && delimiter.starts_with(|c: char| c.is_alphabetic() || c == '_');
        (opens && delimiter.chars().all(name)).then_some(Heredoc { delimiter, tabs })
    });
    opened.collect()
}
