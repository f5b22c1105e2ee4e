//! As much Markdown as a page needs.

use std::fmt::Display;

/// A page in the making: blocks with an empty line between them.
pub(super) struct Page(Vec<String>);

impl Page {
    /// A page that begins with a comment.
    pub(super) fn new(mark: &str) -> Self {
        Self(vec![mark.to_owned()])
    }

    /// Its title.
    pub(super) fn title(&mut self, title: &str) {
        self.block(&format!("# {title}"));
    }

    /// The title of a section.
    pub(super) fn section(&mut self, title: &str) {
        self.block(&format!("## {title}"));
    }

    /// The title of a part of a section.
    pub(super) fn part(&mut self, title: &str) {
        self.block(&format!("### {title}"));
    }

    /// A paragraph or a table; nothing for an empty one.
    pub(super) fn block(&mut self, text: &str) {
        if !text.is_empty() {
            self.0.push(text.trim_end().to_owned());
        }
    }

    /// A text to copy.
    pub(super) fn fenced(&mut self, language: &str, text: &str) {
        self.block(&format!("```{language}\n{}\n```", text.trim_end()));
    }

    /// A list of points; nothing for an empty one.
    pub(super) fn points(&mut self, points: &[String]) {
        self.block(&points.iter().map(|point| format!("* {point}")).collect::<Vec<_>>().join("\n"));
    }

    /// The whole page.
    pub(super) fn text(self) -> String {
        self.0.join("\n\n") + "\n"
    }
}

/// A table; nothing without rows.
pub(super) fn table(heads: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let row = |cells: &[String]| {
        let cells =
            cells.iter().map(|cell| if cell.is_empty() { " |".to_owned() } else { format!(" {cell} |") });
        format!("|{}\n", cells.collect::<String>())
    };
    let rows: String = rows
        .into_iter()
        .map(|cells| row(&cells.iter().map(|cell| cell_text(cell)).collect::<Vec<_>>()))
        .collect();
    if rows.is_empty() {
        return rows;
    }
    let heads: Vec<String> = heads.iter().map(|head| (*head).to_owned()).collect();
    format!("{}|{}\n{rows}", row(&heads), "---|".repeat(heads.len()))
}

/// A cell: one line, and no end of the cell inside.
fn cell_text(text: &str) -> String {
    text.replace('|', "\\|").split_whitespace().collect::<Vec<_>>().join(" ")
}

/// As code.
pub(super) fn code(text: impl Display) -> String {
    let text = text.to_string();
    // A text with a backtick needs a longer fence.
    if text.contains('`') { format!("`` {text} ``") } else { format!("`{text}`") }
}

/// Several as code, in the order in which they are tried.
pub(super) fn codes<T: Display>(items: &[T]) -> String {
    items.iter().map(code).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_cannot_end_its_table() {
        let text = table(&["a", ""], [vec![code("x | y"), "two\nlines".to_owned()], vec![String::new(); 2]]);
        assert_eq!(text, "| a | |\n|---|---|\n| `x \\| y` | two lines |\n| | |\n");
        assert_eq!(table(&["a"], []), "");
    }

    #[test]
    fn a_backtick_stays_inside_its_code() {
        assert_eq!(code("a`b"), "`` a`b ``");
    }
}
