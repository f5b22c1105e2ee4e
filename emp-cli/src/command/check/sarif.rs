//! Findings as SARIF 2.1.0, which forges and editors read.

use std::collections::BTreeSet;
use std::path::Path;

use emp_build::{Finding, Mark, Report, Severity};
use emp_codegen::catalogue::{self, Entry};
use serde::Serialize;
use sha2::{Digest, Sha256};

/// A log of one run.
#[derive(Debug, Serialize)]
pub(super) struct Log {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run; 1],
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Run {
    tool: Tool,
    column_kind: &'static str,
    results: Vec<Finished>,
}

#[derive(Debug, Serialize)]
struct Tool {
    driver: Driver,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Driver {
    name: &'static str,
    semantic_version: &'static str,
    rules: Vec<Rule>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    id: &'static str,
    short_description: Text,
    full_description: Text,
    help: Text,
}

/// What SARIF calls a result.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Finished {
    rule_id: &'static str,
    rule_index: usize,
    level: &'static str,
    message: Text,
    locations: [Location; 1],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related_locations: Vec<Location>,
    partial_fingerprints: Fingerprints,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the names are the standard's")]
struct Location {
    physical_location: PhysicalLocation,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    logical_locations: Vec<LogicalLocation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Text>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct PhysicalLocation {
    artifact_location: ArtifactLocation,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<Region>,
}

#[derive(Debug, Serialize)]
struct ArtifactLocation {
    uri: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: usize,
    start_column: usize,
    end_line: usize,
    end_column: usize,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct LogicalLocation {
    fully_qualified_name: String,
    kind: &'static str,
}

/// What stays the same while the lines around a finding move.
#[derive(Debug, Serialize)]
struct Fingerprints {
    #[serde(rename = "empFinding/v1")]
    finding: String,
}

#[derive(Debug, Serialize)]
struct Text {
    text: String,
}

/// A report as a log.
pub(super) fn log(report: &Report) -> Log {
    let codes: BTreeSet<&'static str> = report.findings.iter().map(|finding| finding.code).collect();
    let index = |code| codes.range(..code).count();
    let results = report.findings.iter().map(|finding| result(finding, index(finding.code))).collect();
    let rules = codes.iter().map(|code| rule(code, catalogue::find(code))).collect();
    let driver = Driver { name: "emp check", semantic_version: env!("CARGO_PKG_VERSION"), rules };
    Log {
        schema: "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        version: "2.1.0",
        runs: [Run { tool: Tool { driver }, column_kind: "unicodeCodePoints", results }],
    }
}

fn rule(id: &'static str, entry: Option<&Entry>) -> Rule {
    let of = |part: fn(&Entry) -> &'static str| text(entry.map_or(id, part));
    Rule {
        id,
        short_description: of(|entry| entry.title),
        full_description: of(|entry| entry.why),
        help: of(|entry| entry.help),
    }
}

fn result(finding: &Finding, rule_index: usize) -> Finished {
    let own = finding.marks.first();
    let logical = finding
        .pointer
        .as_ref()
        .map(|pointer| LogicalLocation { fully_qualified_name: pointer.clone(), kind: "member" });
    let location = Location {
        physical_location: place(&finding.file, own),
        logical_locations: logical.into_iter().collect(),
        message: own.and_then(said),
    };
    let others = finding.marks.iter().skip(1).map(|mark| Location {
        physical_location: place(mark.source.name(), Some(mark)),
        logical_locations: Vec::new(),
        message: said(mark),
    });
    Finished {
        rule_id: finding.code,
        rule_index,
        level: match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        },
        message: text(format!("{}; {}", finding.message, finding.help)),
        locations: [location],
        related_locations: others.collect(),
        partial_fingerprints: Fingerprints { finding: fingerprint(finding) },
    }
}

fn place(file: &str, mark: Option<&Mark>) -> PhysicalLocation {
    let region = mark.map(|mark| {
        let (start, end) = (mark.source.place(mark.span.start), mark.source.place(mark.span.end));
        Region {
            start_line: start.line,
            start_column: start.column,
            end_line: end.line,
            end_column: end.column,
        }
    });
    PhysicalLocation { artifact_location: ArtifactLocation { uri: uri(file) }, region }
}

/// What is said of a place, when anything is.
fn said(mark: &Mark) -> Option<Text> {
    (!mark.label.is_empty()).then(|| text(mark.label.clone()))
}

/// A path as a reference relative to the root of the sources, or as an URL of its own when it is absolute.
fn uri(file: &str) -> String {
    if let Ok(url) = url::Url::from_file_path(file) {
        return url.into();
    }
    percent_encoding::utf8_percent_encode(file, &UNSAFE).to_string()
}

/// What a path may not hold in a reference: all but letters, digits and what is common in names of files.
const UNSAFE: percent_encoding::AsciiSet =
    percent_encoding::NON_ALPHANUMERIC.remove(b'/').remove(b'.').remove(b'-').remove(b'_').remove(b'~');

/// The code with the place in the document's own terms: the pointer of a value, or else the text of the line.
fn fingerprint(finding: &Finding) -> String {
    let line = || finding.marks.first().map_or("", |mark| mark.source.line(finding.line).trim());
    let place = finding.pointer.as_deref().unwrap_or_else(line);
    let name = Path::new(&finding.file).file_name().unwrap_or_default();
    let mut hash = Sha256::new();
    for part in [finding.code, &name.to_string_lossy(), place] {
        hash.update(part);
        hash.update([0]);
    }
    hash.finalize().iter().take(16).fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

fn text(text: impl Into<String>) -> Text {
    Text { text: text.into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::check::tests::{fixtures, report_of};

    fn validator() -> jsonschema::Validator {
        let schema = include_str!("../../../tests/data/sarif-schema-2.1.0.json");
        let mut schema: serde_json::Value = serde_json::from_str(schema).unwrap();
        // The published pattern of a language has a bracket too many, which only a lenient engine reads. We write no language.
        for owner in ["run", "toolComponent"] {
            let pointer = format!("/definitions/{owner}/properties/language");
            let language = schema.pointer_mut(&pointer).unwrap().as_object_mut().unwrap();
            language.remove("pattern").unwrap();
        }
        jsonschema::validator_for(&schema).unwrap()
    }

    #[test]
    fn every_report_is_valid_by_the_schema_of_sarif() {
        let validator = validator();
        let mut seen = 0;
        for folder in fixtures() {
            let report = report_of(&folder);
            let log = serde_json::to_value(log(&report)).unwrap();
            let errors: Vec<String> = validator
                .iter_errors(&log)
                .map(|error| format!("{}: {error}", error.instance_path()))
                .collect();
            assert_eq!(errors, Vec::<String>::new(), "{}", folder.display());
            let results = log["runs"][0]["results"].as_array().unwrap();
            assert_eq!(results.len(), report.findings.len());
            for (result, finding) in results.iter().zip(&report.findings) {
                let rule = result["ruleIndex"].as_u64().unwrap() as usize;
                assert_eq!(log["runs"][0]["tool"]["driver"]["rules"][rule]["id"], finding.code);
                assert_eq!(result["ruleId"], finding.code);
                seen += 1;
            }
        }
        assert!(seen > 50, "{seen}");
    }

    #[test]
    fn the_schema_refuses_what_is_no_log() {
        let report = report_of(&fixtures().pop().unwrap());
        let mut log = serde_json::to_value(log(&report)).unwrap();
        assert!(validator().is_valid(&log));
        log["runs"][0]["results"][0]["level"] = "bad".into();
        assert!(!validator().is_valid(&log));
    }

    #[test]
    fn a_fingerprint_stays_while_the_lines_above_move() {
        let mapping = |above: &str| format!("{{{above}\n  \"workerz\": {{}}\n}}\n");
        let fingerprints = ["", "\n\n"].map(|above| {
            let tree = tempfile::tempdir().unwrap();
            std::fs::create_dir(tree.path().join("connectors")).unwrap();
            std::fs::write(tree.path().join("service-mapping.json"), mapping(above)).unwrap();
            let report = report_of(tree.path());
            (report.findings[0].line, fingerprint(&report.findings[0]))
        });
        assert_ne!(fingerprints[0].0, fingerprints[1].0);
        assert_eq!(fingerprints[0].1, fingerprints[1].1);
    }

    #[test]
    fn a_path_is_a_reference_and_an_absolute_one_an_url() {
        assert_eq!(uri("connectors/my service.rs"), "connectors/my%20service.rs");
        assert_eq!(uri("/a b/service-mapping.json"), "file:///a%20b/service-mapping.json");
    }
}
