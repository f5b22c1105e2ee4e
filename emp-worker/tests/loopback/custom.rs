//! Connectors with a protocol of their own, written by hand.

use std::sync::Arc;
use std::time::{Duration, Instant};

use emp_core::connector::{Connector, Entry};
use emp_core::custom::{CustomConnector, CustomRunner, JobContext, runner};
use emp_core::env::{EnvError, Settings};
use emp_core::job::{EventKind, JobState, Phase};
use emp_core::spec::{ConnectorSpec, Limits, Pace, PayloadSchema, Protocol, Setting, SourceLocation};
use emp_core::{ErrorCode, JobError};
use serde_json::{Map, Value, json};

use crate::site::Site;

/// Does what the payload says: `panic`, `sleep_ms` with the context's sleep, `deaf_ms` with one that hears of no stop.
struct Odd;

static ODD: ConnectorSpec = ConnectorSpec {
    name: "OddConnector",
    services: &["odd"],
    version: "1.0.0",
    description: "",
    source: SourceLocation { file: "custom.rs", line: 1, lines: 1 },
    fingerprint: 3,
    env: &[],
    payload: PayloadSchema::Any,
    output: None,
    pace: Pace::DEFAULT,
    limits: Limits { in_flight: Some(Setting::Fixed(2)), ..Limits::DEFAULT },
    openapi: None,
    protocol: Protocol::Custom,
};

impl Connector for Odd {
    const SPEC: &'static ConnectorSpec = &ODD;

    fn from_settings(_: &Settings, _: &mut Vec<EnvError>) -> Option<Self> {
        Some(Self)
    }

    fn custom(self: Arc<Self>) -> Option<Arc<dyn CustomRunner>> {
        Some(runner(self))
    }
}

impl CustomConnector for Odd {
    async fn run(&self, job: JobContext<'_>) -> Result<Value, JobError> {
        let millis = |name: &str| Duration::from_millis(job.payload()[name].as_u64().unwrap_or(0));
        assert!(job.payload()["panic"] != true, "the payload asked for it");
        if job.service_job().is_none() {
            job.about_to_submit().await?;
            job.save_service_job("far", Map::new()).await?;
        }
        tokio::time::sleep(millis("deaf_ms")).await;
        job.sleep(millis("sleep_ms")).await?;
        Ok(json!("done"))
    }
}

fn site() -> Site {
    Site::new(Entry::of::<Odd>().load(&std::collections::BTreeMap::new()).expect("it needs no environment"))
}

#[tokio::test]
async fn p11_a_custom_job_is_handed_over_with_its_service_job_even_when_it_hears_of_no_stop() {
    let site = site();
    let ids = site.enqueue([json!({ "sleep_ms": 3_600_000 }), json!({ "deaf_ms": 3_600_000 })]).await;
    let (task, stop) = site.worker(2);
    for id in &ids {
        site.until(id, |job| job.service_job.is_some()).await;
    }
    let asked = Instant::now();
    stop.cancel();
    task.await.expect("the worker returns");
    assert!(asked.elapsed() < Duration::from_secs(2), "{:?}", asked.elapsed());
    for id in &ids {
        let job = site.until(id, |job| job.state == JobState::Queued).await;
        assert_eq!((job.phase, job.attempt), (Some(Phase::Submitted), 1));
    }
}

#[tokio::test]
async fn f06_a_custom_connector_that_panics_fails_its_job() {
    let site = site();
    let ids = site.enqueue([json!({ "panic": true }), json!({})]).await;
    let (task, stop) = site.worker(1);
    let mut ended = Vec::new();
    for id in &ids {
        ended.push(site.until(id, |job| job.state.terminal()).await);
    }
    assert_eq!(ended[0].error.as_ref().map(|error| error.code), Some(ErrorCode::EConnectorPanic));
    assert_eq!(ended[1].state, JobState::Succeeded);
    stop.cancel();
    task.await.expect("the worker returns");
}

#[tokio::test]
async fn no_more_jobs_are_claimed_than_the_service_has_places() {
    let site = site();
    let ids = site.enqueue(vec![json!({ "sleep_ms": 30 }); 10]).await;
    let (task, stop) = site.worker(10);
    for id in &ids {
        let job = site.until(id, |job| job.state.terminal()).await;
        assert_eq!(job.state, JobState::Succeeded, "{:?}", job.error);
        let events = site.store.events(id, 0).await.expect("the store answers").expect("the job is there");
        assert!(events.iter().all(|event| event.kind != EventKind::Released), "{events:#?}");
    }
    stop.cancel();
    task.await.expect("the worker returns");
}
