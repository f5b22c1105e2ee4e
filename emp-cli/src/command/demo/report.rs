//! The demo's end: each job's outcome beside the fake service's own count of what it accepted.

use serde_json::json;

use super::actors::Stage;
use super::watch::{Seen, short};
use crate::exit::Exit;
use crate::output::Output;

/// Prints the table; the exit code says whether every job ended well and nothing was paid twice.
pub(super) fn print(jobs: &[Seen], stage: &Stage, out: &Output) -> Exit {
    let rows: Vec<Row> = jobs.iter().map(|job| Row { job, accepted: accepted(job, stage) }).collect();
    let attempts: u64 = rows.iter().filter(|row| row.accepted.is_some()).map(|row| row.job.attempts).sum();
    // Counted at the services, so that a submit which no job knows of would show.
    let accepted: u64 = stage.fakes.iter().map(|fake| fake.ledger().accepted() as u64).sum();
    let completed = jobs.iter().filter(|job| job.status == "completed").count();
    let recovered = jobs.iter().filter(|job| job.deliveries > 1).count();
    let good = completed == jobs.len() && attempts == accepted && rows.iter().all(Row::paid_once);
    if out.is_json() {
        out.json(&json!({
            "jobs": rows.iter().map(Row::to_json).collect::<Vec<_>>(),
            "completed": completed,
            "recovered": recovered,
            "attempts": attempts,
            "accepted_submits": accepted,
            "paid_twice": accepted.saturating_sub(attempts),
        }));
    } else {
        let head = ["job", "service", "outcome", "attempts", "deliveries", "accepted"];
        let table = rows.iter().map(Row::cells).collect();
        out.line(format!("\n{}", crate::output::table(&head, table)));
        out.line(format!(
            "\nAn attempt is a submit: it costs money. A delivery is a worker that takes the\n\
             job up: it costs nothing. Accepted is what the service itself counted.\n\n\
             {completed} of {} jobs completed; {recovered} were taken over from the killed worker.\n\
             {attempts} submits attempted, {accepted} accepted by the services: {}",
            jobs.len(),
            if good { "nothing was paid twice." } else { "THIS IS NOT AS IT SHOULD BE." },
        ));
    }
    if good { Exit::Ok } else { Exit::No }
}

struct Row<'a> {
    job: &'a Seen,
    /// What the fake service counted; `None` for a connector without a service to ask.
    accepted: Option<u64>,
}

impl Row<'_> {
    fn paid_once(&self) -> bool {
        self.accepted.is_none_or(|accepted| accepted == self.job.attempts)
    }

    fn cells(&self) -> Vec<String> {
        vec![
            short(&self.job.id).to_owned(),
            self.job.service.clone(),
            self.job.status.clone(),
            self.job.attempts.to_string(),
            self.job.deliveries.to_string(),
            self.accepted.map_or_else(|| "no service".to_owned(), |accepted| accepted.to_string()),
        ]
    }

    fn to_json(&self) -> serde_json::Value {
        json!({
            "id": self.job.id,
            "service": self.job.service,
            "outcome": self.job.status,
            "attempts": self.job.attempts,
            "deliveries": self.job.deliveries,
            "accepted_submits": self.accepted,
        })
    }
}

/// How many submits the job's service accepted as this job.
fn accepted(job: &Seen, stage: &Stage) -> Option<u64> {
    // A service may be served by several connectors, each with a fake of its own.
    let fakes = stage.fakes.iter().filter(|fake| fake.spec().services.contains(&job.service.as_str()));
    let counts = fakes.map(|fake| {
        let ledger = fake.ledger();
        let known_by_us = ledger.of_job(&job.id).count();
        // A service that is not told our id shows its own.
        let known_by_them = ledger.entries.iter().filter(|entry| entry.id == job.service_job_id).count();
        known_by_us.max(known_by_them) as u64
    });
    counts.reduce(|all, count| all + count)
}
