//! Custom connectors: the same durable steps, and a panic is contained.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use emp_core::connector::Loaded;
use emp_core::custom::{CustomRunner, NewFile};
use emp_core::error::Billed;
use emp_core::job::{Job, Phase};
use emp_core::spec::{Limits, Pace, Protocol};
use emp_core::{ErrorCode, JobContext, JobError};
use emp_engine::port::Stop;
use emp_engine::run::{End, Next};
use serde_json::{Map, Value, json};

use crate::support::{MemoryPort, engine, failed, job, loaded, run, submitted};

#[derive(Clone, Copy)]
enum Act {
    Whole,
    Panic,
    PanicAfterSubmit,
    Fail,
    Sleep,
    StopInSubmit,
    FileInSubmit,
    FileAfterSubmit,
}

struct Runner(Act, Arc<MemoryPort>);

#[async_trait]
impl CustomRunner for Runner {
    async fn run_job(&self, job: JobContext<'_>) -> Result<Value, JobError> {
        if let Some(service_job) = job.service_job() {
            return Ok(json!({ "resumed": service_job.id }));
        }
        match self.0 {
            Act::Panic => panic!("a bug"),
            Act::Fail => return Err(JobError::new(ErrorCode::ETransient, "later").retriable()),
            Act::Sleep => job.sleep(Duration::from_hours(1)).await?,
            _ => {}
        }
        job.about_to_submit().await?;
        let file = NewFile { name: "a.txt", mime: "text/plain", bytes: b"a".to_vec() };
        if matches!(self.0, Act::FileInSubmit) {
            job.save_file(file).await?;
            panic!("no output store keeps it");
        }
        if matches!(self.0, Act::PanicAfterSubmit) {
            panic!("a bug");
        }
        if matches!(self.0, Act::StopInSubmit) {
            self.1.stop_with(Stop::HandOver);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        job.save_service_job("c1", Map::new()).await?;
        if matches!(self.0, Act::FileAfterSubmit) {
            job.save_file(file).await?;
        }
        job.sleep(Duration::from_millis(1)).await?;
        Ok(json!({ "attempt": job.attempt() }))
    }
}

async fn act(act: Act, job: Job) -> (Next, Arc<MemoryPort>) {
    let port = MemoryPort::new(Arc::default());
    let loaded = loaded(Protocol::Custom, Pace::DEFAULT, Limits::DEFAULT, "http://unused");
    let connector = Arc::new(Loaded {
        custom: Some(Arc::new(Runner(act, Arc::clone(&port)))),
        settings: loaded.settings.clone(),
        spec: loaded.spec,
        base: None,
    });
    let engine = engine();
    let mut run = run(&engine, &connector, job, &port);
    (engine.step(&mut run).await, port)
}

fn end(next: Next) -> End {
    match next {
        Next::End(end) => end,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_custom_connector_does_a_job_and_its_steps_are_stored() {
    let (next, port) = act(Act::Whole, job(json!({}))).await;
    assert!(matches!(end(next), End::Succeeded { result, .. } if result == json!({ "attempt": 1 })));
    let log = port.log.lock().unwrap();
    assert!(log[0].starts_with("intent ") && log[1] == "submitted c1", "{log:?}");
}

#[tokio::test]
async fn p01_a_new_owner_gives_the_stored_service_job_to_a_custom_connector() {
    let (next, _) = act(Act::Whole, submitted("c7")).await;
    assert!(matches!(end(next), End::Succeeded { result, .. } if result == json!({ "resumed": "c7" })));
}

#[tokio::test]
async fn p02_a_custom_submit_of_a_dead_worker_is_uncertain() {
    let (next, _) =
        act(Act::Whole, Job { phase: Some(Phase::Submitting), attempt: 1, ..job(json!({})) }).await;
    assert!(matches!(end(next), End::Uncertain(_)));
}

#[tokio::test]
async fn f06_a_panic_fails_the_job_and_not_the_worker() {
    let (next, _) = act(Act::Panic, job(json!({}))).await;
    assert_eq!(failed(end(next)).code, ErrorCode::EConnectorPanic);
    let (next, _) = act(Act::PanicAfterSubmit, job(json!({}))).await;
    assert!(matches!(end(next), End::Uncertain(error) if error.code == ErrorCode::EConnectorPanic));
}

#[tokio::test]
async fn a_retriable_error_of_a_custom_connector_is_another_attempt() {
    let (next, _) = act(Act::Fail, job(json!({}))).await;
    assert!(matches!(end(next), End::Retry { .. }));
    let (next, _) = act(Act::Fail, Job { deliveries: 3, ..job(json!({})) }).await;
    assert!(matches!(end(next), End::Failed(_)), "three times is all");
    let (next, _) = act(Act::Fail, Job { deliveries: 3, crashes: 2, ..job(json!({})) }).await;
    assert!(matches!(end(next), End::Retry { .. }), "a crash is no attempt");
}

/// A file that cannot be kept is no reason to pay again.
#[tokio::test]
async fn p02_a_file_of_a_custom_connector_that_nobody_keeps_does_not_pay_twice() {
    let (next, _) = act(Act::FileInSubmit, job(json!({}))).await;
    assert!(matches!(end(next), End::Uncertain(error) if error.code == ErrorCode::EOutput));
    let (next, _) = act(Act::FileAfterSubmit, job(json!({}))).await;
    let error = failed(end(next));
    assert_eq!((error.code, error.billed), (ErrorCode::EOutput, Billed::Yes));
}

#[tokio::test]
async fn a_stop_ends_a_sleep_and_lets_a_submit_finish() {
    let (next, port) = act(Act::StopInSubmit, job(json!({}))).await;
    assert!(matches!(next, Next::Stopped(Stop::HandOver)), "{next:?}");
    assert_eq!(port.log.lock().unwrap().last().unwrap(), "submitted c1", "the id is not lost");
}

#[tokio::test]
async fn a_cancel_ends_the_sleep_of_a_custom_connector() {
    let port = MemoryPort::new(Arc::default());
    let loaded = loaded(Protocol::Custom, Pace::DEFAULT, Limits::DEFAULT, "http://unused");
    let custom: Arc<dyn CustomRunner> = Arc::new(Runner(Act::Sleep, Arc::clone(&port)));
    let connector = Arc::new(Loaded {
        custom: Some(custom),
        settings: loaded.settings.clone(),
        spec: loaded.spec,
        base: None,
    });
    let engine = engine();
    let mut run = run(&engine, &connector, job(json!({})), &port);
    let stopper = Arc::clone(&port);
    tokio::spawn(async move { stopper.stop_with(Stop::Cancel) });
    assert!(matches!(engine.step(&mut run).await, Next::Stopped(Stop::Cancel)));
}
