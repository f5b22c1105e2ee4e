//! Workflow commands, which a forge shows beside the lines of a change.

use std::fmt::Write;

use crate::finding::Report;

/// One `::error file=..,line=..,col=..` a finding.
pub fn github(report: &Report) -> String {
    report.findings.iter().fold(String::new(), |mut out, finding| {
        let _ = writeln!(
            out,
            "::{} file={},line={},col={},title={}::{}",
            finding.severity.as_str(),
            property(&finding.file),
            finding.line,
            finding.column,
            finding.code,
            data(&format!("{}; {}", finding.message, finding.help)),
        );
        out
    })
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
