//! Alerts for Prometheus: what a person must look at.

use serde_json::{Value, json};

use crate::catalogue::{FENCED, JOBS, JOBS_TOTAL, Metric, SERVICE_DOWN, STALL, STORE_UP, SUBMITS_UNCERTAIN};

/// A condition that a person must look at.
#[derive(Clone, Debug)]
pub struct Alert {
    /// Its name.
    pub name: &'static str,
    /// The metric that it looks at.
    pub metric: Metric,
    /// The condition.
    pub expression: String,
    /// For how long it must hold.
    pub holds: &'static str,
    /// `page` for money and outages, `ticket` for what can wait.
    pub severity: &'static str,
    /// What it means and what to do.
    pub summary: &'static str,
}

/// All of them.
pub fn all() -> Vec<Alert> {
    let alert = |name, metric: Metric, expression: String, holds, severity, summary| Alert {
        name,
        metric,
        expression,
        holds,
        severity,
        summary,
    };
    vec![
        alert(
            "EmpStoreDown",
            STORE_UP,
            format!("{} == 0", STORE_UP.name),
            "1m",
            "page",
            "The store does not answer: no job is taken in or done. Look at its server and at the log of this process.",
        ),
        alert(
            "EmpServiceDown",
            SERVICE_DOWN,
            format!("max by (service) ({}) == 1", SERVICE_DOWN.name),
            "5m",
            "page",
            "The service {{ $labels.service }} is down as its workers see it. `emp job list --service` shows what waits for it.",
        ),
        alert(
            "EmpSubmitUncertain",
            SUBMITS_UNCERTAIN,
            format!("sum by (service) (increase({}[1h])) > 0", SUBMITS_UNCERTAIN.name),
            "0m",
            "ticket",
            "A submit at {{ $labels.service }} may have been accepted and billed. Look for it at the service before anything is sent again.",
        ),
        alert(
            "EmpJobsFail",
            JOBS_TOTAL,
            format!(
                "sum by (service) (rate({0}{{outcome=\"failed\"}}[15m])) / sum by (service) (rate({0}[15m])) > 0.5",
                JOBS_TOTAL.name
            ),
            "15m",
            "page",
            "More than half of the jobs of {{ $labels.service }} fail.",
        ),
        alert(
            "EmpJobsQuarantined",
            JOBS,
            format!("max by (service) ({}{{state=\"quarantined\"}}) > 0", JOBS.name),
            "0m",
            "ticket",
            "A job of {{ $labels.service }} ended its workers again and again and was taken out.",
        ),
        alert(
            "EmpJobsWait",
            JOBS,
            format!(
                "max by (service) ({0}{{state=\"queued\"}}) > 0 unless max by (service) ({0}{{state=\"running\"}}) > 0",
                JOBS.name
            ),
            "15m",
            "ticket",
            "Jobs of {{ $labels.service }} wait and none runs: is there a worker for it?",
        ),
        alert(
            "EmpWritesFenced",
            FENCED,
            format!("sum(increase({}[15m])) > 5", FENCED.name),
            "0m",
            "ticket",
            "Workers lose their claims: a machine that stalls, or a lease that is too short.",
        ),
        alert(
            "EmpStalls",
            STALL,
            format!("{} > 5", STALL.name),
            "5m",
            "ticket",
            "A process does not get on for seconds: too little CPU, or a connector that blocks.",
        ),
    ]
}

/// The file of rules for Prometheus.
pub fn rules() -> String {
    let rules: Vec<Value> = all().into_iter().map(|alert| rule(&alert)).collect();
    let file = json!({ "groups": [{ "name": "emp", "rules": rules }] });
    let options = serde_saphyr::ser_options! { quote_all: true, prefer_block_scalars: false };
    let text = serde_saphyr::to_string_with_options(&file, options).unwrap_or_default();
    format!("# Written by `emp export alerts`.\n{text}")
}

fn rule(alert: &Alert) -> Value {
    json!({
        "alert": alert.name,
        "expr": alert.expression,
        "for": alert.holds,
        "labels": { "severity": alert.severity },
        "annotations": { "summary": alert.summary },
    })
}
