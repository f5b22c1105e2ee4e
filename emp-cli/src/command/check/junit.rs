//! Findings as `JUnit` XML: an error is a case that failed, a warning one that passed with something to say.

use emp_build::{Finding, Report, Severity};
use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};

use crate::exit::{Exit, Failure};

/// A report as one suite. Without an error it has one case that passed, since readers take an empty suite for a run that broke.
pub(super) fn document(report: &Report, mapping: &str) -> Result<String, Failure> {
    let mut suite = TestSuite::new("emp check");
    if !report.has_errors() {
        let mut case = TestCase::new("the mapping can work", TestCaseStatus::success());
        case.set_classname(mapping);
        suite.add_test_case(case);
    }
    suite.add_test_cases(report.findings.iter().map(case));
    let mut document = quick_junit::Report::new("emp check");
    document.add_test_suite(suite);
    document.to_string().map_err(|error| Failure::new(Exit::Bug, "E_INTERNAL", error.to_string()))
}

fn case(finding: &Finding) -> TestCase {
    let Finding { code, file, line, column, message, help, .. } = finding;
    let place = format!("{file}:{line}:{column}");
    let words = format!("{place}: {message}\nhelp: {help}\nmore: emp explain {code}");
    let mut status = TestCaseStatus::success();
    if finding.severity == Severity::Error {
        status = TestCaseStatus::non_success(NonSuccessKind::Failure);
        status.set_type(*code).set_message(message.as_str()).set_description(words.as_str());
    }
    let mut case = TestCase::new(format!("{code} {place}"), status);
    case.set_classname(file.as_str());
    if finding.severity == Severity::Warning {
        case.set_system_out(format!("warning: {words}"));
    }
    case
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::check::tests::{fixtures, report_of};

    #[test]
    fn each_error_is_a_case_that_failed_and_a_sound_mapping_one_that_passed() {
        for folder in fixtures() {
            let report = report_of(&folder);
            let text = document(&report, "service-mapping.json").unwrap();
            let errors = report.errors().count();
            assert_eq!(text.matches("<failure ").count(), errors, "{text}");
            let cases = report.findings.len() + usize::from(errors == 0);
            assert!(text.contains(&format!("tests=\"{cases}\" ")), "{text}");
            for finding in &report.findings {
                assert!(text.contains(finding.code), "{text}");
            }
        }
    }
}
