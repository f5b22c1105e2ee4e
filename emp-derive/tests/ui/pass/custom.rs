//! A protocol of the author's own.

use emp_core::{Connector, CustomConnector, JobContext, JobError};

/// Echoes its payload.
#[derive(Connector)]
#[connector(service = "echo", version = "1.0.0", custom, unregistered)]
#[limits(in_flight = 2)]
struct Echo {}

impl CustomConnector for Echo {
    async fn run(&self, job: JobContext<'_>) -> Result<serde_json::Value, JobError> {
        Ok(job.payload().clone())
    }
}

fn main() {
    let echo = Echo::from_env(&std::collections::BTreeMap::new()).unwrap();
    assert!(std::sync::Arc::new(echo).custom().is_some());
    assert!(Echo::SPEC.http().is_none());
}
