//! Simulation: a service that is not there. It takes its time, tells its progress, and fails on demand, without any network.
//!
//! Source: none but this file. A custom connector, and the pattern for one: the intent before the work begins, the service job as
//! soon as it exists, and on a second run the same work goes on where it is instead of beginning again.

use std::time::Duration;

use emp_core::error::{Billed, ErrorCode};
use emp_core::job::{JobId, Progress};
use emp_core::{Connector, CustomConnector, JobContext, JobError, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// Simulates work of a declared length.
#[derive(Connector)]
#[connector(custom, service = "simulation", version = "1.0.0", payload = SimulationPayload, output = SimulationResult)]
pub struct SimulationConnector {
    /// How long a job takes that does not say; a bare number is milliseconds.
    #[env("SIMULATION_DURATION", default = 2000, unit = ms)]
    duration: Duration,
    /// How many steps a job has that does not say.
    #[env("SIMULATION_STEPS", default = 10, range = 1..=1000)]
    steps: u32,
    /// Which part of the jobs fails, 0 to 1. A job's id decides whether it is one of them.
    #[env("SIMULATION_FAILURE_RATE", default = 0.0, range = 0.0..=1.0)]
    failure_rate: f64,
}

/// Work to simulate.
#[derive(Deserialize, JsonSchema)]
pub struct SimulationPayload {
    /// How long it takes, milliseconds; up to a day.
    #[schemars(range(max = 86_400_000), example = 2000)]
    pub duration_ms: Option<u64>,
    /// In how many steps its progress is told.
    #[schemars(range(min = 1, max = 1000), example = 10)]
    pub steps: Option<u32>,
    /// Whether it fails in the end; when left out, `SIMULATION_FAILURE_RATE` and the job's id decide.
    #[schemars(example = false)]
    pub fail: Option<bool>,
    /// Given back in the result.
    #[schemars(example = &"hello")]
    pub echo: Option<Value>,
}

/// What came of it.
#[derive(Serialize, JsonSchema)]
pub struct SimulationResult {
    /// The payload's `echo`.
    pub output: Option<Value>,
    /// How long it took, milliseconds.
    pub duration_ms: u64,
    /// In how many steps.
    pub steps: u32,
}

impl CustomConnector for SimulationConnector {
    async fn run(&self, job: JobContext<'_>) -> Result<Value, JobError> {
        let payload: SimulationPayload = job.payload_as()?;
        let work = Work {
            started: self.start(&job).await?,
            duration: payload.duration_ms.map_or(self.duration, Duration::from_millis),
            steps: payload.steps.unwrap_or(self.steps).max(1),
        };
        for step in work.step_at(job.now())..work.steps {
            job.progress(work.progress(step));
            job.sleep(work.due(step + 1).since(job.now())).await?;
        }
        if payload.fail.unwrap_or_else(|| share(job.job_id()) < self.failure_rate) {
            let error = JobError::new(ErrorCode::EServiceFailed, "the simulation was told to fail this job");
            return Err(error.billed(Billed::Yes));
        }
        let duration_ms = work.duration.as_millis() as u64;
        let result = SimulationResult { output: payload.echo, duration_ms, steps: work.steps };
        serde_json::to_value(result).map_err(|error| JobError::new(ErrorCode::EInternal, error.to_string()))
    }
}

impl SimulationConnector {
    /// When the work began: now, unless a worker before this one has begun it.
    async fn start(&self, job: &JobContext<'_>) -> Result<Timestamp, JobError> {
        if let Some(service_job) = job.service_job() {
            let saved = service_job.captured.get("started_at").and_then(Value::as_i64);
            return Ok(saved.map_or(service_job.submitted_at, Timestamp));
        }
        job.about_to_submit().await?;
        let now = job.now();
        let captured = Map::from_iter([("started_at".to_owned(), json!(now.0))]);
        job.save_service_job(&format!("sim-{}-{}", job.job_id(), job.attempt()), captured).await?;
        Ok(now)
    }
}

/// Simulated work: where it is follows from the time alone.
struct Work {
    started: Timestamp,
    duration: Duration,
    steps: u32,
}

impl Work {
    /// When so many steps are done.
    fn due(&self, steps: u32) -> Timestamp {
        self.started.after(self.duration.mul_f64(f64::from(steps) / f64::from(self.steps)))
    }

    /// How many steps are done at a moment.
    fn step_at(&self, now: Timestamp) -> u32 {
        (0..self.steps).take_while(|step| self.due(step + 1) <= now).count() as u32
    }

    fn progress(&self, step: u32) -> Progress {
        Progress {
            fraction: Some(f64::from(step) / f64::from(self.steps)),
            message: Some(format!("step {} of {}", step + 1, self.steps)),
            ..Progress::default()
        }
    }
}

/// A number from 0 to 1 that belongs to a job, the same in every run: FNV-1a of its id.
fn share(job: &JobId) -> f64 {
    let hash = job.as_str().bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    (hash >> 11) as f64 / (1_u64 << 53) as f64
}
