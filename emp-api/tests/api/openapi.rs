//! The OpenAPI document says what the server does.

use axum::body::Body;
use emp_store::Change;
use serde_json::{Value, json};

use crate::support::{Api, request};

const METHODS: [&str; 7] = ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"];

#[tokio::test]
async fn every_route_is_in_the_document_and_the_other_way_round() {
    let api = Api::new();
    let document = api.get("/api/openapi.json").await.json;
    let paths = document["paths"].as_object().unwrap();
    assert_eq!(paths.len(), 17);
    for (path, operations) in paths {
        let actual = path.replace("{id}", "00000000-0000-7000-8000-000000000000");
        for method in METHODS {
            let declared = operations.get(method.to_lowercase()).is_some();
            let reply = api.send(request(method, &actual).body(Body::empty()).unwrap()).await;
            assert_eq!(reply.status != 405, declared, "{method} {path}: {}", reply.status);
            if declared {
                let responses = operations[method.to_lowercase()]["responses"].as_object().unwrap();
                assert!(
                    responses.contains_key(&reply.status.to_string()),
                    "{method} {path} answers {}",
                    reply.status
                );
            }
        }
    }
}

#[tokio::test]
async fn every_reference_in_the_document_leads_somewhere() {
    let document = emp_api::openapi::document();
    let mut references = Vec::new();
    collect(&document, &mut references);
    assert!(references.len() > 10);
    for reference in references {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
    assert_eq!(document["openapi"], "3.1.0");
}

fn collect(value: &Value, references: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            if let Some(Value::String(reference)) = members.get("$ref") {
                references.push(reference.clone());
            }
            members.values().for_each(|member| collect(member, references));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, references)),
        _ => {}
    }
}

/// What the server really answers fits the schemas that it publishes.
#[tokio::test]
async fn answers_fit_their_schemas() {
    let api = Api::new();
    let document = emp_api::openapi::document();
    let fits = |schema: &str, value: &Value| {
        let mut root = document.clone();
        root["$ref"] = json!(format!("#/components/schemas/{schema}"));
        let validator = jsonschema::validator_for(&root).unwrap();
        let errors: Vec<String> =
            validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(errors.is_empty(), "{schema}: {errors:?}");
    };
    let id = api.job().await;
    let claim = api.claim().await;
    api.submitted(&claim).await;
    let progress = emp_core::job::Progress { fraction: Some(0.5), ..Default::default() };
    api.change(&claim, Change::Progress(progress)).await;
    fits("JobView", &api.get(&format!("/api/jobs/{id}")).await.json);
    fits("JobPage", &api.get("/api/jobs").await.json);
    fits("ServiceDetail", &api.get("/api/services/my-service").await.json);
    fits("ConnectorView", &api.get("/api/connectors").await.json[0]);
    let list = request("GET", &format!("/api/jobs/{id}/events"))
        .header("accept", "application/json")
        .body(Body::empty())
        .unwrap();
    for event in api.send(list).await.json.as_array().unwrap() {
        fits("EventView", event);
    }
    fits("Problem", &api.submit(&json!({ "service": "x" })).await.json);
    fits("Receipt", &api.submit(&crate::support::guide()).await.json);
}
