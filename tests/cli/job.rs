//! `emp job`: a client at a terminal and in a script.

use serde_json::Value;

use crate::support::{Dev, free_port, run};

/// One server for what belongs to one job's life, in the order in which a person does it.
#[test]
fn a_job_is_submitted_followed_found_and_cancelled() {
    let dev = Dev::start();
    let done =
        dev.emp(&["job", "submit", "my-service", "-i", "input=hello", "-i", "model=m", "--wait", "--json"]);
    let job = done.exits(0).json();
    assert_eq!((&job["status"], &job["priority"]), (&"completed".into(), &0.into()), "{job:#}");
    let id = job["id"].as_str().expect("an id");

    assert_eq!(dev.emp(&["job", "get", id, "--json"]).exits(0).json(), job);
    let shown = dev.emp(&["job", "get", id]).exits(0).out;
    assert!(shown.contains("completed") && shown.contains("hello"), "{shown}");
    assert_eq!(dev.emp(&["job", "wait", id, "--json"]).exits(0).json()["id"], id);

    let listed = dev.emp(&["job", "list", "--status", "completed", "--json"]).exits(0).json();
    assert_eq!(listed["jobs"][0]["id"], id, "{listed:#}");
    let lines = dev.emp(&["job", "list"]).exits(0).out;
    assert!(
        lines.lines().count() == 1 && lines.starts_with(&format!("{id}\tmy-service\tcompleted")),
        "{lines}"
    );

    let events = dev.emp(&["job", "watch", id, "--json"]).exits(0).out;
    let events: Vec<Value> = events.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let seqs: Vec<u64> = events.iter().filter_map(|event| event["seq"].as_u64()).collect();
    assert_eq!(seqs, (1..=events.len() as u64).collect::<Vec<_>>(), "{events:#?}");
    assert_eq!(events.last().map(|event| &event["status"]), Some(&"completed".into()));
    assert!(dev.emp(&["job", "watch", id]).exits(0).out.contains("succeeded"));

    let long = dev.emp(&["job", "submit", "simulation", "-i", "duration_ms=600000"]).exits(0).out;
    let long = long.trim();
    let waited = dev.emp(&["job", "wait", long, "--timeout", "100ms"]).exits(124);
    assert!(waited.err.contains(&format!("emp job wait {long}")), "{waited:#?}");
    dev.emp(&["job", "cancel", long, "--reason", "enough", "--json"]).exits(0).json();
    assert_eq!(dev.api.ended(long)["status"], "cancelled");
    dev.emp(&["job", "wait", long]).exits(1);
    dev.emp(&["job", "cancel", id]).exits(6);

    let failed =
        dev.emp(&["job", "submit", "simulation", "-i", r#"{"duration_ms":1,"fail":true}"#, "--wait"]);
    assert!(failed.exits(1).out.contains("E_"));
}

#[test]
fn what_the_api_refuses_is_said_with_its_place() {
    let dev = Dev::start();
    let refused = dev.emp(&["job", "submit", "my-service", "-i", "model=m", "--json"]).exits(2).error();
    assert_eq!(refused["code"], "E_INVALID");
    assert!(refused["message"].as_str().is_some_and(|text| text.contains("/payload/input")), "{refused}");
    let refused = dev.emp(&["job", "submit", "my-servce", "-i", "{}", "--json"]).exits(2).error();
    assert_eq!(refused["code"], "E_UNKNOWN_SERVICE");
    assert_eq!(refused["help"], "write \"service\": \"my-service\"");
    for command in ["get", "watch", "wait", "cancel"] {
        let unknown = dev.emp(&["job", command, "01900000-0000-7000-8000-000000000000", "--json"]);
        assert_eq!(unknown.exits(5).error()["code"], "E_NO_SUCH_JOB");
    }
    assert_eq!(dev.emp(&["job", "list", "--json"]).exits(0).json()["jobs"], serde_json::json!([]));
}

#[test]
fn an_api_that_is_not_there_is_named_with_how_to_start_one() {
    let api = format!("http://127.0.0.1:{}", free_port());
    let refused = run(&["job", "list", "--api", &api, "--json"]).exits(7).error();
    assert_eq!(refused["code"], "E_API");
    assert!(refused["message"].as_str().is_some_and(|text| text.contains(&api)), "{refused}");
    assert!(refused["help"].as_str().is_some_and(|help| help.contains("emp dev --fake")), "{refused}");
}
