//! What a person or a script sees: tables on a terminal, tab-separated lines in a pipe, JSON when asked.

use std::io::{ErrorKind, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use comfy_table::{ContentArrangement, Table, presets};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use crate::exit::Failure;

/// Where and how a command prints.
pub(crate) struct Output {
    json: bool,
    terminal: bool,
    unread: AtomicBool,
}

impl Output {
    pub(crate) fn new(json: bool) -> Self {
        Self { json, terminal: std::io::stdout().is_terminal(), unread: AtomicBool::new(false) }
    }

    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// A person reads the data, and sees only so many columns of it.
    pub(crate) fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// Live progress makes sense.
    pub(crate) fn is_live(&self) -> bool {
        !self.json && std::io::stderr().is_terminal()
    }

    /// A line of data.
    pub(crate) fn line(&self, text: impl AsRef<str>) {
        if let Err(error) = writeln!(anstream::stdout(), "{}", text.as_ref()) {
            // A reader that has gone away (`| head`) is no failure of the command.
            self.unread.fetch_or(error.kind() == ErrorKind::BrokenPipe, Ordering::Relaxed);
        }
    }

    /// Nobody reads the data any more: a command without an end of its own has one now.
    pub(crate) fn is_unread(&self) -> bool {
        self.unread.load(Ordering::Relaxed)
    }

    /// A line beside the data: progress, hints.
    pub(crate) fn note(&self, text: impl AsRef<str>) {
        if !self.json {
            let _ = writeln!(anstream::stderr(), "{}", text.as_ref());
        }
    }

    /// A value as pretty JSON.
    pub(crate) fn json(&self, value: &impl Serialize) {
        match serde_json::to_string_pretty(value) {
            Ok(text) => self.line(text),
            Err(error) => self.note(format!("cannot print as JSON: {error}")),
        }
    }

    /// Rows: a table on a terminal, tab-separated lines without a head elsewhere.
    pub(crate) fn table(&self, head: &[&str], rows: Vec<Vec<String>>) {
        if !self.terminal {
            for row in rows {
                self.line(row.iter().map(|cell| printable(cell)).collect::<Vec<_>>().join("\t"));
            }
            return;
        }
        self.line(table(head, rows));
    }

    /// Why a command could not do what it was asked.
    pub(crate) fn failure(&self, failure: &Failure) {
        if self.json {
            let error = serde_json::json!({
                "error": { "code": failure.code, "message": failure.message, "help": failure.help }
            });
            let _ = writeln!(anstream::stderr(), "{error}");
            return;
        }
        let red = anstyle::AnsiColor::Red.on_default().bold();
        let bold = anstyle::Style::new().bold();
        let _ = writeln!(
            anstream::stderr(),
            "{red}error[{}]{red:#}: {bold}{}{bold:#}",
            failure.code,
            printable_lines(&failure.message)
        );
        if let Some(help) = &failure.help {
            let _ = writeln!(anstream::stderr(), "  help: {}", printable_lines(help));
        }
    }
}

/// A table as text, for a terminal.
pub(crate) fn table(head: &[&str], rows: Vec<Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(head.iter().copied());
    for row in rows {
        table.add_row(row.iter().map(|cell| printable(cell)).collect::<Vec<_>>());
    }
    table.to_string()
}

/// A line of live progress, which is not there any more once it is dropped. `{wide_bar}` in the template takes the room that is
/// left: a line that is wider than the terminal would wrap, and could not be drawn over.
pub(crate) fn bar(template: &str) -> ProgressBar {
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(100)
        .with_style(style.progress_chars("=> "))
        .with_finish(indicatif::ProgressFinish::AndClear)
}

/// Text from outside on one line, without anything that could steer a terminal (I84): control characters and the marks that
/// change the direction of text are shown as their code points, and a long text is cut.
pub(crate) fn printable(text: &str) -> String {
    const LONGEST: usize = 400;
    let mut shown: String = text.chars().take(LONGEST).map(escape).collect();
    if text.chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    shown
}

fn printable_lines(text: &str) -> String {
    text.lines().map(printable).collect::<Vec<_>>().join("\n")
}

fn escape(c: char) -> String {
    let steers = c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if steers { format!("\\u{{{:x}}}", u32::from(c)) } else { c.to_string() }
}

#[cfg(test)]
mod tests {
    use super::printable;

    #[test]
    fn i84_text_that_steers_a_terminal_is_shown_and_not_obeyed() {
        let shown = printable("\u{1b}]0;pwned\u{7}\u{1b}[2J a\rb \u{202e}x");
        assert!(!shown.chars().any(|c| c.is_control() || c == '\u{202e}'), "{shown}");
        assert!(shown.contains("\\u{1b}") && shown.contains("pwned"));
    }

    #[test]
    fn i84_a_long_line_is_cut() {
        assert!(printable(&"x".repeat(1_000_000)).chars().count() <= 401);
    }
}
