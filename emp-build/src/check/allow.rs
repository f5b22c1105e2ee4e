//! What the mapping itself allows, and whether it may.

use emp_codegen::catalogue;
use emp_syntax::nearest;

use super::names::quoted;
use super::{Subject, Verdict};
use crate::codes;
use crate::finding::{Allowed, Finding, Fix, Severity};
use crate::json::At;

/// The errors that a worker can start with: they may be allowed, as every warning may.
const TOLERABLE: [&str; 4] = [codes::SEVERAL_CONNECTORS, codes::OTHER_SERVICE, codes::CLASH, codes::OWN_PORT];

/// Takes out what is allowed, and adds what is wrong with the list itself.
pub(super) fn apply(subject: &Subject<'_>, findings: Vec<Finding>) -> Verdict {
    let list = subject.section("checks").and_then(|checks| checks.get("allow"));
    let mut verdict = Verdict { findings, allowed: Vec::new() };
    let mut unused = Vec::new();
    for at in list.iter().flat_map(At::members) {
        let code = at.key();
        let Some(reason) = at.node.text() else { continue };
        if let Some(wrong) = not_allowed(subject, &at, &verdict.findings) {
            verdict.findings.push(wrong);
            continue;
        }
        if reason.trim().is_empty() {
            let message = format!("`{code}` is allowed without a reason");
            let finding = subject.at_value(codes::NO_REASON, &at, message).label("says nothing");
            verdict.findings.push(finding.help(format!("\"{code}\": \"why it is right here\"")));
        }
        let before = verdict.findings.len();
        verdict.findings.retain(|finding| finding.code != code);
        let count = before - verdict.findings.len();
        if count > 0 {
            verdict.allowed.push(Allowed { code: code.to_owned(), reason: reason.to_owned(), count });
        } else {
            let message = format!("`{code}` is allowed and does not occur");
            let finding = subject.at_key(codes::UNUSED_ALLOW, &at, message).label("is no longer needed");
            unused.push(finding.help("take it out").fix(Fix::remove(&at)).warning());
        }
    }
    // Behind an error may be what the code stands for: then nobody can say that it is not needed.
    if verdict.findings.iter().any(|finding| finding.severity == Severity::Error) {
        for finding in &mut unused {
            finding.fix = None;
        }
    }
    verdict.findings.extend(unused);
    verdict
}

/// A code that does not exist, or that stands for what stops a worker.
fn not_allowed(subject: &Subject<'_>, at: &At<'_>, findings: &[Finding]) -> Option<Finding> {
    let code = at.key();
    let known = || catalogue::all().map(|entry| entry.code.as_str());
    if !known().any(|known| known == code) {
        let finding = subject.at_key(codes::NOT_ALLOWED, at, format!("there is no code {}", quoted(code)));
        return Some(match nearest(code, known()) {
            Some(near) => finding.label(format!("did you mean `{near}`?")).help(format!("\"{near}\": ..")),
            None => finding.label("means nothing").help("`emp explain` lists all codes"),
        });
    }
    let stops = |finding: &&Finding| {
        finding.code == code && finding.severity == Severity::Error && !TOLERABLE.contains(&finding.code)
    };
    let finding = findings.iter().find(stops)?;
    let message = format!("`{code}` cannot be allowed: {}", finding.message);
    let refused = subject.at_key(codes::NOT_ALLOWED, at, message).label("stops a worker from starting");
    let refused = match finding.marks.first() {
        Some(mark) => refused.also(&mark.source, mark.span.clone(), "here"),
        None => refused,
    };
    Some(refused.help("take it out, and mend what it stands for"))
}
