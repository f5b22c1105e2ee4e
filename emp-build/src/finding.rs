//! What a check has to say.

use std::ops::Range;

use schemars::JsonSchema;
use serde::Serialize;

use crate::check::Verdict;
use crate::json::At;
use crate::source::SourceText;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// It cannot work: the build stops.
    Error,
    /// It can surprise.
    Warning,
}

impl Severity {
    /// `error` or `warning`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// One thing that is wrong, with its place and one fix.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Finding {
    /// The stable code, such as `EMP0211`; `emp explain EMP0211` says more.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, as a phrase.
    pub message: String,
    /// The file, with forward slashes.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// The JSON pointer of the value, when the file is JSON.
    pub pointer: Option<String>,
    /// One thing to do about it.
    pub help: String,
    /// The places to show, the finding's own first; none when there is no text to show.
    #[serde(skip)]
    pub marks: Vec<Mark>,
    /// The change of the mapping that mends it and cannot do harm, when there is one.
    #[serde(skip)]
    pub fix: Option<Fix>,
}

/// A change of the mapping that `emp check --fix` makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fix {
    /// Takes out the member or the entry at a JSON pointer.
    Remove(String),
    /// Adds a name to the `required_env` of the worker at a JSON pointer.
    Require(String, String),
}

impl Fix {
    /// Takes a value out.
    pub(crate) fn remove(at: &At<'_>) -> Self {
        Self::Remove(at.pointer.clone())
    }
}

/// A place in a text that a report shows.
#[derive(Clone, Debug)]
pub struct Mark {
    /// The text.
    pub source: SourceText,
    /// The bytes of it.
    pub span: Range<usize>,
    /// What is there, in few words.
    pub label: String,
}

impl Finding {
    /// An error at a place of a text.
    pub(crate) fn error(
        code: &'static str,
        source: &SourceText,
        span: Range<usize>,
        message: String,
    ) -> Self {
        let place = source.place(span.start);
        Self {
            code,
            severity: Severity::Error,
            message,
            file: source.name().to_owned(),
            line: place.line,
            column: place.column,
            pointer: None,
            help: String::new(),
            marks: vec![Mark { source: source.clone(), span, label: String::new() }],
            fix: None,
        }
    }

    /// An error about a file that has no text to show.
    pub(crate) fn file(code: &'static str, file: &str, message: String) -> Self {
        Self { marks: Vec::new(), ..Self::error(code, &SourceText::new(file, ""), 0..0, message) }
    }

    /// Makes it a warning.
    pub(crate) fn warning(mut self) -> Self {
        self.severity = Severity::Warning;
        self
    }

    /// Adds the JSON pointer.
    pub(crate) fn pointer(mut self, pointer: impl Into<String>) -> Self {
        self.pointer = Some(pointer.into());
        self
    }

    /// Says what is at its own place.
    pub(crate) fn label(mut self, label: impl Into<String>) -> Self {
        if let Some(own) = self.marks.first_mut() {
            own.label = label.into();
        }
        self
    }

    /// Shows a second place.
    pub(crate) fn also(mut self, source: &SourceText, span: Range<usize>, label: impl Into<String>) -> Self {
        self.marks.push(Mark { source: source.clone(), span, label: label.into() });
        self
    }

    /// Adds the change that mends it.
    pub(crate) fn fix(mut self, fix: Fix) -> Self {
        self.fix = Some(fix);
        self
    }

    /// Adds the fix in words.
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = help.into();
        self
    }
}

/// Findings of one code that the mapping allows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Allowed {
    /// The code.
    pub code: String,
    /// Why it is right to allow it, in the words of the mapping.
    pub reason: String,
    /// How many findings were not reported.
    pub count: usize,
}

/// Everything that a check found, sorted by file, place and code.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Report {
    /// The version of this shape.
    pub schema_version: u32,
    /// The findings.
    pub findings: Vec<Finding>,
    /// What was found and is allowed by the mapping's `checks`.
    pub allowed: Vec<Allowed>,
}

impl Report {
    /// Sorts findings into a report.
    pub(crate) fn new(verdict: Verdict) -> Self {
        let Verdict { mut findings, allowed } = verdict;
        findings.sort_by(|a, b| {
            (&a.file, a.line, a.column, a.code, &a.message)
                .cmp(&(&b.file, b.line, b.column, b.code, &b.message))
        });
        Self { schema_version: 1, findings, allowed }
    }

    /// The same with every warning as an error.
    #[must_use]
    pub fn deny_warnings(mut self) -> Self {
        self.findings.iter_mut().for_each(|finding| finding.severity = Severity::Error);
        self
    }

    /// The findings that stop the build.
    pub fn errors(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.severity == Severity::Error)
    }

    /// The findings that do not.
    pub fn warnings(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.severity == Severity::Warning)
    }

    /// Whether anything stops the build.
    pub fn has_errors(&self) -> bool {
        self.errors().next().is_some()
    }
}
