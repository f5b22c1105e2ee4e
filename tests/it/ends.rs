//! Submit to end: every stock connector, with nothing wrong and with a failing job.

use std::sync::Arc;

use emp::REGISTRY;
use emp_core::connector::Entry;
use emp_core::error::FailureKind;
use emp_core::job::JobState;
use emp_core::spec::States;
use emp_core::syntax::rule::StateVerdict;
use emp_core::time::ManualClock;
use emp_core::{Clock as _, ErrorCode, Timestamp};
use emp_testkit::{Moment, Rig, Step, fake_env};
use serde_json::{Value, json};

use crate::bench::{Bench, over_http, polled};

#[tokio::test]
async fn every_stock_connector_completes_a_job_and_pays_once() {
    for entry in over_http() {
        let bench = Bench::new(entry, &[]).await;
        let ended = bench.finish().await;
        let name = entry.spec.name;
        assert_eq!(ended.job.state, JobState::Succeeded, "{name}: {:?}", ended.job.error);
        assert!(ended.job.result.is_some_and(|result| !result.is_null()), "{name}");
        assert_eq!((bench.fake.ledger().accepted(), ended.job.attempt), (1, 1), "{name}");
        assert!(bench.fake.requests().iter().all(|request| request.authorized), "{name}");
    }
}

#[tokio::test]
async fn the_guides_job_ends_with_output_and_metadata() {
    let entry = REGISTRY.get("MyServiceConnector").expect("registered");
    let ended = Bench::new(entry, &[]).await.finish().await;
    assert_eq!(ended.job.payload, json!({ "input": "test input", "model": "my-model-v1" }));
    assert_eq!(ended.job.result, Some(json!({ "output": "TEST INPUT", "metadata": { "tokens": 2 } })));
    // The guide's formula: min(90, 30 + p * 0.6).
    let fractions: Vec<f64> = ended.progress.iter().filter_map(|progress| progress.fraction).collect();
    assert!(
        fractions.len() > 1 && fractions.iter().all(|fraction| (0.3..=0.9).contains(fraction)),
        "{fractions:?}"
    );
}

#[tokio::test]
async fn replicate_follows_the_urls_that_it_was_given() {
    let entry = REGISTRY.get("ReplicateConnector").expect("registered");
    let bench = Bench::new(entry, &[]).await;
    let ended = bench.finish().await;
    let captured = ended.job.service_job.expect("a service job").captured;
    let poll_url = captured.get("poll_url").and_then(Value::as_str).expect("a poll URL").to_owned();
    let polls = bench.fake.requests().into_iter().filter(|request| request.step == Some(Step::Poll));
    assert!(polls.into_iter().all(|poll| poll_url.ends_with(&poll.target)), "{poll_url}");
}

#[tokio::test]
async fn fal_is_asked_for_the_result_where_it_said() {
    let entry = REGISTRY.get("FalConnector").expect("registered");
    let bench = Bench::new(entry, &[]).await;
    let ended = bench.finish().await;
    let captured = ended.job.service_job.expect("a service job").captured;
    let result_url = captured.get("result_url").and_then(Value::as_str).expect("a result URL").to_owned();
    let asked = bench.fake.requests().into_iter().filter(|request| result_url.ends_with(&request.target));
    assert_eq!(asked.count(), 1, "{result_url}");
}

#[tokio::test]
async fn together_asks_after_a_job_by_its_id_and_its_model() {
    let entry = REGISTRY.get("TogetherQueueConnector").expect("registered");
    let bench = Bench::new(entry, &[]).await;
    bench.finish().await;
    let polls: Vec<_> = bench
        .fake
        .requests()
        .into_iter()
        .filter(|request| request.method == "GET")
        .map(|poll| poll.target)
        .collect();
    assert!(!polls.is_empty());
    assert!(
        polls
            .iter()
            .all(|poll| poll.contains("request_id=fake-1") && poll.contains("model=my-org%2Fmy-model")),
        "{polls:?}"
    );
}

#[tokio::test]
async fn a_job_that_fails_at_the_service_fails_here_and_pays_once() {
    let fails = |entry: &&Entry| entry.spec.http().is_some_and(|http| can_fail(&http.states));
    for entry in polled().filter(fails) {
        let bench = Bench::new(entry, &["submit:job_fails=service"]).await;
        let ended = bench.finish().await;
        let code = ended.job.error.map(|error| error.code);
        assert_eq!(
            (ended.job.state, code),
            (JobState::Failed, Some(ErrorCode::EServiceFailed)),
            "{}",
            entry.spec.name
        );
        assert_eq!(bench.fake.ledger().accepted(), 1, "{}", entry.spec.name);
    }
}

/// Whether a job can fail as a whole: a batch ends, whatever becomes of what is in it.
fn can_fail(states: &States) -> bool {
    let verdicts =
        states.sets.iter().map(|set| &set.verdict).chain(states.rules.iter().map(|rule| &rule.then));
    verdicts
        .into_iter()
        .any(|verdict| matches!(verdict, StateVerdict::Failed { kind: FailureKind::Service, .. }))
}

#[tokio::test]
async fn a_refused_chat_is_moderated_and_paid() {
    let entry = REGISTRY.get("OpenAIConnector").expect("registered");
    let bench = Bench::new(entry, &["submit:job_fails=moderated"]).await;
    let ended = bench.finish().await;
    assert_eq!(ended.job.error.map(|error| error.code), Some(ErrorCode::EModerated));
    assert_eq!(bench.fake.ledger().accepted(), 1);
}

#[tokio::test]
async fn replicates_progress_is_read_from_its_logs() {
    let entry = REGISTRY.get("ReplicateConnector").expect("registered");
    let ended = Bench::new(entry, &[]).await.finish().await;
    let fractions: Vec<f64> = ended.progress.iter().filter_map(|progress| progress.fraction).collect();
    assert!(fractions.len() > 1 && fractions.is_sorted(), "{:?}", ended.progress);
}

async fn simulate(payload: Value) -> Rig {
    let entry = REGISTRY.get("SimulationConnector").expect("registered");
    let loaded = entry.load(&fake_env(entry.spec)).expect("needs nothing");
    let clock = Arc::new(ManualClock::at(Timestamp(1_700_000_000_000)));
    Rig::new(loaded, payload, clock).await.expect("a job")
}

#[tokio::test]
async fn a_simulation_takes_its_steps_and_fails_on_demand() {
    let ended =
        simulate(json!({ "duration_ms": 0, "steps": 4, "echo": "hi" })).await.finish().await.expect("ends");
    assert_eq!(
        ended.job.result,
        Some(json!({ "output": "hi", "duration_ms": 0, "steps": 4 })),
        "{:?}",
        ended.job.error
    );
    let failed = simulate(json!({ "duration_ms": 0, "fail": true })).await.finish().await.expect("ends");
    assert_eq!(failed.job.error.map(|error| error.code), Some(ErrorCode::EServiceFailed));
}

#[tokio::test]
async fn a_simulation_goes_on_where_a_dead_worker_left_it() {
    let rig = simulate(json!({ "duration_ms": 3_600_000, "steps": 10 })).await;
    assert!(rig.die_at(Moment::Waiting).await.expect("the store works"), "it does not wait");
    let begun = rig.ended().await.expect("stored").job.service_job.expect("a service job");
    rig.clock().advance(std::time::Duration::from_hours(2));
    let again = rig.clock().now();
    let ended = rig.finish().await.expect("ends");
    assert!(rig.clock().now().since(again) < std::time::Duration::from_mins(10), "it began again");
    assert_eq!(ended.job.state, JobState::Succeeded, "{:?}", ended.job.error);
    assert_eq!(ended.job.service_job, Some(begun));
    assert_eq!((ended.job.attempt, ended.job.deliveries), (1, 2));
}
