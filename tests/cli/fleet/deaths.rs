//! SIGKILL while a worker is in the middle of something that is not a submit; the next one goes on, and nothing is submitted again.

use emp_testkit::Step;
use serde_json::{Value, json};

use super::{Fleet, Service};

/// Kills a worker as soon as the service has got a request of a step that it holds; gives the job, and what the next worker made of it.
fn killed_at(fleet: &Fleet, service: &Service, workers: &str, step: Step, payload: &Value) -> Value {
    let first = fleet.worker(workers, &[service]);
    let id = fleet.api.job(&service.body_with(payload));
    let asked = fleet
        .runtime
        .block_on(async { tokio::time::timeout(crate::support::PATIENCE, service.fake.asked(step)).await });
    asked.unwrap_or_else(|_| panic!("{step:?} was never asked for: {:#}", fleet.job(&id)));
    first.signal("KILL");
    drop(first);
    let _second = fleet.worker(workers, &[service]);
    fleet.api.until(&id, "taken over", |job| job["deliveries"].as_u64() >= Some(2));
    service.finish_all();
    let job =
        fleet.api.until(&id, "at rest", |job| !job["finished_at"].is_null() || job["state"] == "uncertain");
    assert_eq!((service.fake.ledger().accepted(), &job["attempt"]), (1, &json!(1)), "{step:?}: {job:#}");
    job
}

#[test]
fn p01_a_worker_that_is_killed_in_the_middle_of_a_poll() {
    let fleet = Fleet::start();
    let service = fleet.service("MyServiceConnector");
    service.fake.fault("poll:timeout".parse().expect("a fault"));
    let job = killed_at(&fleet, &service, "my-service-api:1", Step::Poll, &json!({}));
    assert_eq!(job["status"], "completed", "{job:#}");
}

#[test]
fn p01_a_worker_that_is_killed_while_it_listens_to_a_socket() {
    let fleet = Fleet::start();
    let service = fleet.service("SimulationWebsocketConnector");
    let job = killed_at(&fleet, &service, "simulation-websocket:1", Step::Socket, &json!({}));
    assert_eq!(job["status"], "completed", "{job:#}");
}

#[test]
fn p01_a_worker_that_is_killed_while_it_downloads_a_result() {
    let fleet = Fleet::start();
    let service = fleet.quick_service("BflConnector");
    service.fake.fault("file:timeout".parse().expect("a fault"));
    let job = killed_at(&fleet, &service, "bfl:1", Step::File, &json!({}));
    assert_eq!(job["status"], "completed", "{job:#}");
    assert!(job["result"]["files"][0]["bytes"].as_u64() > Some(0), "the file is kept: {job:#}");
}

/// The answer was being read, so it is lost; and this service can neither merge nor be asked.
#[test]
fn p02_a_worker_that_is_killed_while_it_reads_a_stream() {
    let fleet = Fleet::start();
    let service = fleet.service("OpenAIConnector");
    let job = killed_at(&fleet, &service, "openai:1", Step::Submit, &json!({ "stream": true }));
    assert_eq!(job["state"], "uncertain", "{job:#}");
    assert_eq!(job["error"]["billed"], "maybe", "{job:#}");
}
