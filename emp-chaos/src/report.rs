//! What became of everything, and whether what was promised holds.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use emp_core::Timestamp;
use emp_core::job::{Event, EventKind, JobState};
use emp_testkit::history::{Fate, JobHistory, Violation, check};
use hyper::StatusCode;
use serde::Serialize;
use serde_json::Value;

use crate::clients::{self, Known};
use crate::nemesis::Acts;
use crate::stage::Stage;
use crate::{Failure, http};

/// A run's end.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    seed: u64,
    seconds: u64,
    jobs: usize,
    acknowledged: usize,
    cancels_acknowledged: usize,
    /// How many jobs are in each state.
    states: BTreeMap<&'static str, usize>,
    /// Submits as the store counts them.
    attempts: u64,
    /// Submits as the services count them.
    accepted: usize,
    /// Resends that a service merged.
    merged: u32,
    deliveries: u64,
    lost_leases: usize,
    acts: BTreeMap<String, usize>,
    acts_that_failed: Vec<String>,
    violations: Vec<Violation>,
    /// The histories of the jobs that violate something.
    histories: Vec<JobHistory>,
    /// Where the logs are, when something is not as it should be.
    evidence: Option<PathBuf>,
}

impl Report {
    /// Everything is as promised.
    pub(crate) fn holds(&self) -> bool {
        self.violations.is_empty() && self.acts_that_failed.is_empty()
    }

    pub(crate) fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default()
    }
}

/// Asks the API and the services what became of everything.
pub(crate) async fn make(
    seed: u64,
    seconds: u64,
    stage: &Arc<Stage>,
    jobs: Vec<Known>,
    acts: Acts,
) -> Result<Report, Failure> {
    let mut report = Report {
        seed,
        seconds,
        jobs: jobs.len(),
        acknowledged: jobs.iter().filter(|job| job.id.is_some()).count(),
        cancels_acknowledged: jobs.iter().filter(|job| job.cancelled).count(),
        states: BTreeMap::new(),
        attempts: 0,
        accepted: 0,
        merged: 0,
        deliveries: 0,
        lost_leases: 0,
        acts: acts.done,
        acts_that_failed: acts.failed,
        violations: Vec::new(),
        histories: Vec::new(),
        evidence: None,
    };
    let mut ledgers = Vec::new();
    for service in &stage.services {
        let ledger = service.ledger().await?;
        report.accepted += ledger.accepted();
        report.merged += ledger.merged();
        ledgers.push(ledger);
    }
    let mut histories = Vec::new();
    for job in jobs {
        let role = &stage.services[job.service].role;
        let id = job.id.clone().unwrap_or_else(|| job.mark.clone());
        let mut history = JobHistory {
            acknowledged: job.id.is_some(),
            cancelled: job.cancelled,
            seen: job.seen,
            accepted: ledgers[job.service].of_mark(&job.mark).count(),
            ..JobHistory::acknowledged(&id, &role.service, role.resends)
        };
        if let Some(shown) = shown(stage, &id).await? {
            report.deliveries += shown["deliveries"].as_u64().unwrap_or_default();
            let fate = fate(stage, &id, &shown).await?;
            report.attempts += u64::from(fate.attempts);
            *report.states.entry(fate.state.as_str()).or_default() += 1;
            report.lost_leases +=
                fate.events.iter().filter(|event| event.kind == EventKind::LeaseLost).count();
            history.fate = Some(fate);
        }
        histories.push(history);
    }
    report.violations = check(&histories);
    let broken = |id: &str| report.violations.iter().any(|violation| violation.job == id);
    report.histories = histories.into_iter().filter(|history| broken(&history.id)).collect();
    report.evidence = (!report.holds()).then(|| stage.home().to_owned());
    Ok(report)
}

/// A job as the API shows it; `None` when there is none.
async fn shown(stage: &Stage, id: &str) -> Result<Option<Value>, Failure> {
    match ask(stage, &format!("/api/jobs/{id}")).await? {
        (StatusCode::OK, job) => Ok(Some(job)),
        _ => Ok(None),
    }
}

async fn fate(stage: &Stage, id: &str, job: &Value) -> Result<Fate, Failure> {
    let strange = || Failure::Setup(format!("the API shows no job {id}: {job}"));
    let rests = clients::state(job).ok_or_else(strange)?;
    let attempts = job["attempt"].as_u64().and_then(|count| u32::try_from(count).ok()).ok_or_else(strange)?;
    let (_, events) = ask(stage, &format!("/api/jobs/{id}/events")).await?;
    let events = events.as_array().into_iter().flatten().map(event).collect::<Option<_>>();
    Ok(Fate { state: rests, attempts, events: events.ok_or_else(strange)? })
}

/// An answer of the API; what is busy is asked again.
async fn ask(stage: &Stage, path: &str) -> Result<(StatusCode, Value), Failure> {
    for _ in 0..50 {
        match http::ask(stage.api_address, "GET", path, None, None).await {
            Some((status, value))
                if status.is_success()
                    || status == StatusCode::NOT_FOUND
                    || status == StatusCode::BAD_REQUEST =>
            {
                return Ok((status, value));
            }
            _ => tokio::time::sleep(std::time::Duration::from_millis(200)).await,
        }
    }
    Err(Failure::Setup(format!("the API has no answer for {path}; its log is in {}", stage.home().display())))
}

fn event(shown: &Value) -> Option<Event> {
    let at = humantime::parse_rfc3339(shown["at"].as_str()?).ok()?;
    let at = at.duration_since(std::time::UNIX_EPOCH).ok()?;
    Some(Event {
        seq: shown["seq"].as_u64()?,
        at: Timestamp(i64::try_from(at.as_millis()).ok()?),
        kind: serde_json::from_value(shown["type"].clone()).ok()?,
        state: serde_json::from_value::<JobState>(shown["state"].clone()).ok()?,
        detail: shown["detail"].as_str().map(str::to_owned),
        worker: serde_json::from_value(shown["worker"].clone()).ok(),
        progress: None,
        delta: None,
    })
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |counts: &mut dyn Iterator<Item = String>| counts.collect::<Vec<_>>().join(", ");
        let acts = list(&mut self.acts.iter().map(|(word, count)| format!("{count} x {word}")));
        let states = list(&mut self.states.iter().map(|(state, count)| format!("{count} {state}")));
        writeln!(f, "\n  what was done to it   {acts}")?;
        writeln!(f, "  jobs acknowledged     {} of {}: {states}", self.acknowledged, self.jobs)?;
        writeln!(f, "  cancels acknowledged  {}", self.cancels_acknowledged)?;
        writeln!(
            f,
            "  claims                {}, of which {} ended by a lost lease",
            self.deliveries, self.lost_leases
        )?;
        writeln!(
            f,
            "  submits               {} attempted, {} accepted, {} more merged",
            self.attempts, self.accepted, self.merged
        )?;
        for failed in &self.acts_that_failed {
            writeln!(f, "  COULD NOT             {failed}")?;
        }
        for violation in &self.violations {
            writeln!(f, "\n  VIOLATION {violation}")?;
            let history = self.histories.iter().find(|history| history.id == violation.job);
            if let Some(history) = history {
                tell(f, history)?;
            }
        }
        let seed = self.seed;
        if let Some(evidence) = &self.evidence {
            writeln!(f, "\n  the logs of all processes: {}", evidence.display())?;
            write!(f, "  once more: cargo xtask chaos --seconds {} --seed {seed}", self.seconds)
        } else {
            write!(f, "\n  everything holds (seed {seed})")
        }
    }
}

fn tell(f: &mut fmt::Formatter<'_>, history: &JobHistory) -> fmt::Result {
    let JobHistory { service, accepted, acknowledged, cancelled, seen, .. } = history;
    writeln!(
        f,
        "    {service}: accepted {accepted}, acknowledged {acknowledged}, cancelled {cancelled}, seen {seen:?}"
    )?;
    for event in history.fate.iter().flat_map(|fate| &fate.events) {
        let worker = event.worker.as_ref().map(ToString::to_string).unwrap_or_default();
        let detail = event.detail.as_deref().unwrap_or_default();
        writeln!(
            f,
            "    {:>4} {} {:<16} {worker} {detail}",
            event.seq,
            event.at.to_rfc3339(),
            event.kind.as_str()
        )?;
    }
    Ok(())
}
