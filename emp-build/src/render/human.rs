//! The report that a person reads: what, where with the line itself, why, one fix.

use annotate_snippets::{Annotation, AnnotationKind, Element, Level, Origin, Renderer, Snippet};
use emp_codegen::catalogue;

use crate::finding::{Finding, Mark, Report, Severity};

/// How many findings are shown in full.
pub const SHOWN: usize = 20;

/// A line longer than this is not shown, only named: it was not written by hand.
const LONGEST_LINE: usize = 400;

/// The report as text without colours: the first [`SHOWN`] findings in full, and the count of all.
pub fn human(report: &Report) -> String {
    let renderer = Renderer::plain();
    let mut out = String::new();
    for finding in report.findings.iter().take(SHOWN) {
        let why = catalogue::find(finding.code).map_or("", |entry| entry.why);
        let level = match finding.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let mut group =
            level.primary_title(finding.message.as_str()).id(finding.code).elements(elements(finding));
        if !why.is_empty() {
            group = group.element(Level::NOTE.message(why));
        }
        group = group.element(Level::HELP.message(finding.help.as_str()));
        out.push_str(&renderer.render(&[group]));
        out.push_str("\n\n");
    }
    out.push_str(&summary(report));
    out
}

/// The places of a finding.
fn elements(finding: &Finding) -> Vec<Element<'_>> {
    if finding.marks.is_empty() {
        return vec![Origin::path(finding.file.as_str()).into()];
    }
    finding.marks.iter().enumerate().map(|(index, mark)| element(mark, index == 0)).collect()
}

fn element(mark: &Mark, own: bool) -> Element<'_> {
    let (number, span) = mark.source.within_line(&mark.span);
    let line = mark.source.line(number);
    if line.len() > LONGEST_LINE {
        let column = mark.source.place(mark.span.start).column;
        return Origin::path(mark.source.name()).line(number).char_column(column).into();
    }
    let kind = if own { AnnotationKind::Primary } else { AnnotationKind::Context };
    let annotation: Annotation<'_> = kind.span(span);
    let annotation = if mark.label.is_empty() { annotation } else { annotation.label(mark.label.as_str()) };
    Snippet::source(line).line_start(number).path(mark.source.name()).annotation(annotation).into()
}

/// `2 errors, 1 warning; the first 20 are shown`
fn summary(report: &Report) -> String {
    let count = |number: usize, what: &str| match number {
        1 => format!("1 {what}"),
        _ => format!("{number} {what}s"),
    };
    let counts = format!(
        "{}, {}",
        count(report.errors().count(), "error"),
        count(report.warnings().count(), "warning")
    );
    let more = match report.findings.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!("; {more} more are in `emp check --format json`"),
    };
    let allowed = match report.allowed.iter().map(|one| one.count).sum::<usize>() {
        0 => String::new(),
        allowed => format!(", {allowed} allowed by the mapping's `checks`"),
    };
    format!("{counts}{allowed}{more}; `emp explain CODE` says more\n")
}
