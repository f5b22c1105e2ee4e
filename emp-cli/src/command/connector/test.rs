//! `emp connector test`: the contract kit, over connectors of this binary.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use emp_core::Registry;
use emp_core::connector::Entry;
use emp_testkit::contract::{Contract, Finding, Outcome, Record, Report, Reports};
use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::chosen;
use crate::args::{ConnectorTest, TestFormat};
use crate::exit::{Exit, Failure};
use crate::output::Output;

/// Connectors under test at once.
const AT_ONCE: usize = 4;

pub(super) async fn run(args: &ConnectorTest, registry: &Registry, out: &Output) -> Result<Exit, Failure> {
    let entries = chosen(args.which.name.as_deref(), registry)?;
    let mut contracts = Vec::with_capacity(entries.len());
    for entry in entries {
        contracts.push((entry.spec.name, contract(entry, args)?));
    }
    let reports = Reports::new(tested(contracts).await);
    let format = if out.is_json() { TestFormat::Json } else { args.format };
    let text = match format {
        TestFormat::Table => None,
        TestFormat::Json => Some(serde_json::to_string_pretty(&reports).unwrap_or_default()),
        TestFormat::Junit => Some(junit(&reports)?),
    };
    match (&args.out, text) {
        (Some(file), text) => {
            let text = text.unwrap_or_else(|| rows(&reports).map(|row| row.join("\t") + "\n").collect());
            fs::write(file, text)
                .map_err(|error| Failure::io(&format!("cannot write {}", file.display()), &error))?;
            reports.reports.iter().for_each(|report| out.note(summary(report)));
        }
        (None, Some(text)) => out.line(text),
        (None, None) => table(&reports, out),
    }
    Ok(if reports.passed { Exit::Ok } else { Exit::No })
}

/// The contract of a connector, with the record of its service where there is one; a report when it cannot even start.
fn contract(entry: &'static Entry, args: &ConnectorTest) -> Result<Result<Contract, Report>, Failure> {
    let mut contract = match Contract::load(entry) {
        Ok(contract) => contract,
        Err(report) => return Ok(Err(report)),
    };
    if let Some(record) = read(&args.records, entry.spec.name)? {
        contract = contract.recorded(record).map_err(|error| unreadable(&error))?;
    }
    Ok(Ok(match &args.scenario {
        Some(pattern) => contract.only(pattern),
        None => contract,
    }))
}

/// The record of a connector's service, when the folder has one.
pub(super) fn read(folder: &Path, name: &str) -> Result<Option<Record>, Failure> {
    let path = folder.join(format!("{name}.json"));
    match fs::read_to_string(&path) {
        Ok(text) => Record::parse(name, &text).map(Some).map_err(|error| unreadable(&error)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::io(&format!("cannot read {}", path.display()), &error)),
    }
}

fn unreadable(error: &emp_testkit::contract::RecordError) -> Failure {
    Failure::new(Exit::Config, "E_RECORD", error.to_string())
        .help("review the connector, then write the record anew: emp connector record NAME")
}

/// Runs contracts side by side. The reports come in the order of the contracts.
async fn tested(contracts: Vec<(&'static str, Result<Contract, Report>)>) -> Vec<Report> {
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut running = JoinSet::new();
    let mut reports = Vec::new();
    for (name, contract) in contracts {
        match contract {
            Err(report) => reports.push(report),
            Ok(contract) => {
                let places = Arc::clone(&places);
                running.spawn(async move {
                    let _place = places.acquire().await;
                    tracing::debug!(connector = name, "contract kit");
                    contract.run().await
                });
            }
        }
    }
    // A contract that panics is a mistake of the kit's, and is told as one.
    reports.extend(running.join_all().await);
    reports.sort_by(|a, b| a.connector.cmp(&b.connector));
    reports
}

fn table(reports: &Reports, out: &Output) {
    let head = ["connector", "scenario", "result", "ms", "reason"];
    // On a terminal what is right is counted when there are many connectors; a pipe gets every row.
    let short = out.is_terminal() && reports.reports.len() > 1;
    let shown = rows(reports)
        .filter(|row| !short || [Outcome::Fail.word(), Outcome::Advice.word()].contains(&row[2].as_str()));
    out.table(&head, shown.collect());
    for report in &reports.reports {
        out.note(summary(report));
    }
}

fn rows(reports: &Reports) -> impl Iterator<Item = Vec<String>> {
    reports.reports.iter().flat_map(|report| report.findings.iter().map(|finding| row(report, finding)))
}

fn row(report: &Report, finding: &Finding) -> Vec<String> {
    let reason = if finding.reason.is_empty() { &finding.scenario.about } else { &finding.reason };
    vec![
        report.connector.clone(),
        finding.scenario.id.clone(),
        finding.outcome.word().to_owned(),
        finding.millis.to_string(),
        reason.clone(),
    ]
}

/// `ReplicateConnector 1.0.0: grade B, 81 pass, 1 advice, 9 n/a, 0 FAIL in 0.9 s; for A: static.health`
fn summary(report: &Report) -> String {
    let counts = [Outcome::Pass, Outcome::Advice, Outcome::NotApplicable, Outcome::Fail]
        .map(|outcome| format!("{} {}", report.count(outcome), outcome.word()));
    let next = report.next.map(|next| format!("; for {next}: {}", report.missing.join(", ")));
    format!(
        "{} {}: grade {}, {} in {:.1} s{}",
        report.connector,
        report.version,
        report.grade,
        counts.join(", "),
        Duration::from_millis(report.millis).as_secs_f64(),
        next.unwrap_or_default()
    )
}

fn junit(reports: &Reports) -> Result<String, Failure> {
    let mut document = quick_junit::Report::new("emp connector test");
    for report in &reports.reports {
        let mut suite = TestSuite::new(&report.connector);
        suite.set_time(Duration::from_millis(report.millis));
        suite.add_property(("grade", report.grade.to_string().as_str()));
        suite.add_property(("version", report.version.as_str()));
        for finding in &report.findings {
            let status = match finding.outcome {
                Outcome::Fail => {
                    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
                    status.set_type(finding.scenario.id.as_str()).set_message(finding.reason.as_str());
                    status
                }
                Outcome::NotApplicable => {
                    let mut status = TestCaseStatus::skipped();
                    status.set_message(finding.reason.as_str());
                    status
                }
                Outcome::Pass | Outcome::Advice => TestCaseStatus::success(),
            };
            let mut case = TestCase::new(finding.scenario.id.as_str(), status);
            case.set_classname(report.connector.as_str()).set_time(Duration::from_millis(finding.millis));
            if finding.outcome == Outcome::Advice {
                case.set_system_out(format!("advice: {}", finding.reason));
            }
            suite.add_test_case(case);
        }
        document.add_test_suite(suite);
    }
    document.to_string().map_err(|error| Failure::new(Exit::Bug, "E_INTERNAL", error.to_string()))
}
