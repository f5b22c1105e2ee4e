//! What the server says of itself.

use std::collections::{BTreeMap, BTreeSet};

use emp_core::Timestamp;
use emp_core::health::{Health, HealthStatus};
use emp_core::job::WorkerId;
use emp_store::{ServiceStatus, Store, WorkerStatus};
use serde_json::json;

use crate::support::Api;

fn worker(name: &str, status: HealthStatus) -> WorkerStatus {
    WorkerStatus {
        id: WorkerId::start(name),
        name: name.to_owned(),
        version: "0.1.0".into(),
        host: "machine".into(),
        pid: 1,
        labels: BTreeMap::new(),
        services: vec![ServiceStatus {
            service: "my-service".into(),
            connector: "MyServiceConnector".into(),
            version: "1.0.0".into(),
            health: Health { status, checked_at: Some(Timestamp(1_700_000_000_000)), ..Health::unknown() },
        }],
        connectors: BTreeSet::from(["MyServiceConnector".to_owned()]),
        slots: 2,
        running: Vec::new(),
        draining: false,
        started_at: Timestamp(1_700_000_000_000),
        seen_at: Timestamp(0),
    }
}

#[tokio::test]
async fn connectors_show_their_declaration_and_no_values() {
    let reply = Api::new().get("/api/connectors").await;
    let connector = &reply.json[0];
    assert_eq!(
        (&connector["name"], &connector["service"]),
        (&json!("MyServiceConnector"), &json!("my-service"))
    );
    assert_eq!((&connector["services"], &connector["version"]), (&json!(["my-service"]), &json!("1.0.0")));
    assert_eq!(
        connector["environment"][0],
        json!({ "variable": "MY_SERVICE_API_KEY", "required": true, "secret": true, "default": null, "description": "The key." })
    );
    assert_eq!(connector["environment"][1]["default"], "3");
    assert_eq!(connector["capabilities"]["supportsJobCancellation"], true);
    assert_eq!(connector["payload"]["required"], json!(["input"]));
}

#[tokio::test]
async fn services_show_who_serves_them_and_how_well() {
    let api = Api::new();
    let idle = api.get("/api/services").await.json;
    assert_eq!(idle.as_array().unwrap().len(), 2);
    assert_eq!(
        (&idle[0]["service"], &idle[0]["connector"]),
        (&json!("my-service"), &json!("MyServiceConnector"))
    );
    assert_eq!((&idle[0]["workers"], &idle[0]["workers_online"]), (&json!(["my-service-api"]), &json!(0)));
    assert_eq!(idle[0]["health"]["status"], "unknown");
    api.store.announce(worker("a", HealthStatus::Down)).await.unwrap();
    api.store.announce(worker("b", HealthStatus::Healthy)).await.unwrap();
    api.job().await;
    let service = api.get("/api/services/my-service").await.json;
    assert_eq!((&service["workers_online"], &service["health"]["status"]), (&json!(2), &json!("healthy")));
    assert_eq!(service["health"]["checked_at"], "2023-11-14T22:13:20.000Z");
    assert_eq!((&service["jobs"]["queued"], &service["payload"]["required"]), (&json!(1), &json!(["input"])));
    let missing = api.get("/api/services/my-servce").await;
    missing.assert_problem(404, "E_NOT_FOUND");
    assert!(missing.json["detail"].as_str().unwrap().contains("`my-service`"));
}

#[tokio::test]
async fn workers_are_listed() {
    let api = Api::new();
    api.store.announce(worker("a", HealthStatus::Healthy)).await.unwrap();
    let workers = api.get("/api/workers").await.json;
    assert_eq!((&workers[0]["name"], &workers[0]["slots"]), (&json!("a"), &json!(2)));
    assert_eq!(workers[0]["started_at"], "2023-11-14T22:13:20.000Z");
    assert_eq!(workers[0]["services"][0]["health"]["status"], "healthy");
}

#[tokio::test]
async fn the_server_says_its_version_and_whether_it_is_ready() {
    let api = Api::new();
    assert_eq!(api.get("/api/version").await.json["name"], "emp");
    assert_eq!(api.get("/readyz").await.json, json!({ "status": "ok" }));
}

#[tokio::test]
async fn every_problem_is_explained_where_its_type_points() {
    let api = Api::new();
    for code in emp_api::Code::ALL {
        let explained = api.get(&format!("/api/problems/{}", code.as_str())).await;
        assert_eq!((explained.status, &explained.json["code"]), (200, &json!(code.as_str())));
    }
    api.get("/api/problems/E_NOPE").await.assert_problem(404, "E_NOT_FOUND");
    let words: BTreeSet<&str> = emp_api::Code::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(words.len(), emp_api::Code::ALL.len(), "codes are never shared");
}
