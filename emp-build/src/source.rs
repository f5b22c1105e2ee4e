//! Texts that reports point into.

use std::ops::Range;
use std::sync::Arc;

/// A file's text under the name that reports show. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceText(Arc<Inner>);

#[derive(Debug, PartialEq, Eq)]
struct Inner {
    name: String,
    text: String,
    /// Where each line starts.
    lines: Vec<usize>,
}

/// A place that a person can find.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
}

impl SourceText {
    /// A text under a name.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        let text = text.into();
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self(Arc::new(Inner { name: name.into(), text, lines }))
    }

    /// The name that reports show; forward slashes.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// The line and column of a byte offset; an offset outside the text is its end.
    pub fn place(&self, offset: usize) -> Place {
        let offset = self.floor(offset);
        let line = self.0.lines.partition_point(|start| *start <= offset);
        let start = self.line_start(line);
        let column = self.text().get(start..offset).map_or(0, |before| before.chars().count()) + 1;
        Place { line, column }
    }

    /// The byte offset of a line (from 1) and a column in bytes (from 1), as `serde_json` counts them.
    pub fn offset(&self, line: usize, byte_column: usize) -> usize {
        self.floor(self.line_start(line) + byte_column.saturating_sub(1))
    }

    /// A line without its end, by its number from 1.
    pub fn line(&self, line: usize) -> &str {
        let start = self.line_start(line);
        let end = self.0.lines.get(line).map_or(self.text().len(), |next| next - 1);
        self.text().get(start..end).unwrap_or_default().trim_end_matches('\r')
    }

    /// The part of a span that is on its first line, counted from that line's start.
    pub(crate) fn within_line(&self, span: &Range<usize>) -> (usize, Range<usize>) {
        let line = self.place(span.start).line;
        let base = self.line_start(line);
        let length = self.line(line).len();
        let start = self.floor(span.start).saturating_sub(base).min(length);
        let end = self.floor(span.end).saturating_sub(base).clamp(start, length);
        (line, start..end)
    }

    fn line_start(&self, line: usize) -> usize {
        self.0.lines.get(line.saturating_sub(1)).copied().unwrap_or(self.text().len())
    }

    /// The nearest character boundary at or before an offset.
    fn floor(&self, offset: usize) -> usize {
        self.text().floor_char_boundary(offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_and_lines_end_where_they_end() {
        let text = SourceText::new("a.json", "{\r\n \"größe\": 1,\n}");
        assert_eq!(text.place(0), Place { line: 1, column: 1 });
        assert_eq!(text.line(1), "{");
        let at = text.text().find('1').unwrap();
        assert_eq!(text.place(at), Place { line: 2, column: 11 });
        assert_eq!(text.offset(2, 13), at);
        assert_eq!(text.line(2), " \"größe\": 1,");
        assert_eq!(text.place(usize::MAX), Place { line: 3, column: 2 });
        assert_eq!(text.line(99), "");
        assert_eq!(text.within_line(&(at..usize::MAX)), (2, 12..14));
    }
}
