//! What the demo shows while jobs run: one bar per job on a terminal, one line per change elsewhere.

use std::collections::BTreeMap;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar};
use serde_json::Value;

use crate::client::Api;
use crate::exit::Failure;
use crate::output::{self, Output};

/// A job as the API showed it last.
#[derive(Clone)]
pub(super) struct Seen {
    pub(super) id: String,
    pub(super) service: String,
    pub(super) status: String,
    pub(super) phase: String,
    pub(super) attempts: u64,
    pub(super) deliveries: u64,
    pub(super) service_job_id: String,
    progress: u64,
    finished: bool,
}

impl Seen {
    fn read(job: &Value) -> Self {
        let text = |field: &str| job.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
        let count = |field: &str| job.get(field).and_then(Value::as_u64).unwrap_or_default();
        Self {
            id: text("id"),
            service: text("service"),
            status: text("status"),
            phase: text("phase"),
            attempts: count("attempt"),
            deliveries: count("deliveries"),
            service_job_id: text("service_job_id"),
            progress: if text("status") == "completed" {
                100
            } else {
                job.get("progress").and_then(Value::as_f64).unwrap_or_default() as u64
            },
            finished: job.get("finished_at").is_some_and(|at| !at.is_null()),
        }
    }

    /// It is at the service and only asked after.
    pub(super) fn polled(&self) -> bool {
        self.status == "running" && self.phase == "submitted"
    }

    /// A submit of it may be on its way.
    pub(super) fn submitting(&self) -> bool {
        self.status == "running" && self.phase == "submitting"
    }

    /// Nothing changes any more by itself.
    pub(super) fn ended(&self) -> bool {
        self.finished || self.status == "unknown"
    }
}

/// Looks at the jobs again and again, and shows what changes.
pub(super) struct Watch<'o> {
    ids: Vec<String>,
    bars: Option<(MultiProgress, Vec<ProgressBar>)>,
    told: BTreeMap<String, String>,
    out: &'o Output,
}

impl<'o> Watch<'o> {
    pub(super) fn new(ids: &[String], out: &'o Output) -> Self {
        let bars = out.is_live().then(|| {
            let all = MultiProgress::new();
            let bar = || output::bar("  {prefix:20} {pos:>3}% {msg:9} {wide_bar}");
            let bars = ids.iter().map(|_| all.add(bar())).collect();
            (all, bars)
        });
        Self { ids: ids.to_vec(), bars, told: BTreeMap::new(), out }
    }

    /// A line of the story; above the bars while there are some.
    pub(super) fn note(&self, text: &str) {
        match &self.bars {
            Some((all, _)) => all.suspend(|| self.out.note(text)),
            None => self.out.note(text),
        }
    }

    /// Looks until the jobs are as wanted.
    pub(super) async fn until(
        &mut self,
        api: &Api,
        wanted: impl Fn(&[Seen]) -> bool,
    ) -> Result<Vec<Seen>, Failure> {
        loop {
            let jobs = self.look(api).await?;
            if wanted(&jobs) {
                return Ok(jobs);
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// Looks once, and shows what has changed.
    pub(super) async fn look(&mut self, api: &Api) -> Result<Vec<Seen>, Failure> {
        let mut jobs = Vec::with_capacity(self.ids.len());
        for id in &self.ids {
            jobs.push(Seen::read(&api.get(&format!("/api/jobs/{id}")).await?));
        }
        self.show(&jobs);
        Ok(jobs)
    }

    fn show(&mut self, jobs: &[Seen]) {
        for (index, job) in jobs.iter().enumerate() {
            if let Some(bar) = self.bars.as_ref().and_then(|(_, bars)| bars.get(index)) {
                bar.set_prefix(format!("{} {}", job.service, short(&job.id)));
                bar.set_position(job.progress);
                bar.set_message(job.status.clone());
            } else {
                let line = format!("{:<12} {:<10} {:>3} %", job.service, job.status, job.progress / 25 * 25);
                if self.told.insert(job.id.clone(), line.clone()).as_ref() != Some(&line) {
                    self.out.note(format!("   {} {line}", short(&job.id)));
                }
            }
        }
    }

    /// Takes the bars away: what comes says the same in a table.
    pub(super) fn finish(self) {
        if let Some((all, _)) = self.bars {
            // It cannot fail but for a terminal that has gone away.
            let _ = all.clear();
        }
    }
}

/// The end of an id, which tells two of one moment apart.
pub(super) fn short(id: &str) -> &str {
    id.get(id.len().saturating_sub(8)..).unwrap_or(id)
}
