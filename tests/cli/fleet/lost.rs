//! The service accepts a submit and its answer is lost on the way: what each settle rule declares is what happens.

use serde_json::{Value, json};

use super::{Fleet, Service};

/// A job whose submit is accepted while no reply comes back; the network is whole again when `heals` says so.
fn lost(fleet: &Fleet, service: &Service, heals: impl Fn(&str)) -> String {
    service.cut_replies();
    let id = fleet.api.job(&service.body());
    service.accepts(1);
    heals(&id);
    service.net.clear();
    id
}

fn at_once(_: &str) {}

#[test]
fn p02_a_lost_answer_is_settled_as_declared_and_never_by_a_blind_resend() {
    let fleet = Fleet::start();
    let [keyed, once, ours, free] = [
        "MyServiceConnector",
        "ReplicateConnector",
        "ComfyUIRemoteConnector",
        "SimulationWebsocketConnector",
    ]
    .map(|connector| fleet.quick_service(connector));
    let workers = "my-service-api:4,replicate:4,comfyui-remote:4,simulation-websocket:4";
    let _worker = fleet.worker(workers, &[&keyed, &once, &ours, &free]);

    // `idempotent`: the same key and body once more, which the service merges.
    let id = lost(&fleet, &keyed, at_once);
    let job = fleet.api.ended(&id);
    assert_eq!((&job["status"], &job["attempt"]), (&"completed".into(), &1.into()), "{job:#}");
    let ledger = keyed.fake.ledger();
    assert!(ledger.accepted() == 1 && ledger.merged() >= 1 && ledger.conflicts == 0, "{ledger:?}");

    // `assign_id`: it is asked after by the id that was ours, and nothing is sent again.
    let id = lost(&fleet, &ours, at_once);
    let job = fleet.api.ended(&id);
    assert_eq!((&job["status"], &job["attempt"]), (&"completed".into(), &1.into()), "{job:#}");
    assert_eq!((ours.fake.ledger().accepted(), ours.fake.ledger().merged()), (1, 0));

    // `at_least_once`, which costs nothing: a new attempt for each answer that was lost.
    let id = lost(&fleet, &free, at_once);
    let job = fleet.api.ended(&id);
    assert_eq!(job["status"], "completed", "{job:#}");
    assert_eq!(job["attempt"], free.fake.ledger().accepted(), "{job:#}");

    // `at_most_once`: nobody knows, so a person is asked.
    let id = lost(&fleet, &once, |id| {
        fleet.api.until(id, "uncertain", |job| job["state"] == "uncertain");
    });
    let job = fleet.job(&id);
    assert_eq!((&job["status"], &job["attempt"]), (&"unknown".into(), &1.into()), "{job:#}");
    assert_eq!(
        (&job["error"]["code"], &job["error"]["billed"]),
        (&"E_SUBMIT_UNCERTAIN".into(), &"maybe".into())
    );
    let listed = fleet.api.get("/api/jobs?status=unknown");
    let ids: Vec<&Value> = listed["jobs"].as_array().expect("a list").iter().map(|job| &job["id"]).collect();
    assert_eq!(ids, [&json!(id)]);
    assert_eq!(once.fake.ledger().accepted(), 1);
}
