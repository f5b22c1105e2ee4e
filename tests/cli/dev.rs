//! `emp dev --fake`: the guide's first job, and what is refused.

use tempfile::TempDir;

use crate::support::{Api, Dev, GUIDE, Running, emp, free_port};

#[test]
fn the_curl_that_it_prints_gives_a_result() {
    let home = TempDir::new().expect("a folder");
    let port = free_port().to_string();
    let mut running = Running::start(emp(home.path()).args(["dev", "--fake", "--port", &port]));
    let api = Api::of(&mut running);
    let curl = running.line("curl -X POST");
    assert!(curl.contains(&format!("{}/api/jobs", api.url())), "{curl}");
    assert!(curl.contains("-H 'Content-Type: application/json'"), "{curl}");
    let body = curl.split("-d '").nth(1).and_then(|rest| rest.strip_suffix('\'')).expect("a body");
    assert_eq!(body, GUIDE);
    let job = api.ended(&api.job(body));
    assert_eq!(job["status"], "completed", "{job:#}");
    assert!(!job["result"]["output"].is_null(), "{job:#}");
    assert!(job["service_job_id"].is_string(), "{job:#}");
    for moment in ["created_at", "started_at", "finished_at"] {
        assert!(job[moment].is_string(), "{moment}: {job:#}");
    }
    assert!(job["processing_time_ms"].is_u64(), "{job:#}");
}

#[test]
fn ctrl_c_stops_it_with_a_job_at_work() {
    let mut dev = Dev::start();
    let id = dev.api.job(GUIDE);
    dev.api.until(&id, "at the service", |job| job["service_job_id"].is_string());
    dev.running.signal("INT");
    assert_eq!(dev.running.ends().code(), Some(0), "{}", dev.running.printed());
}

#[test]
fn a_job_that_cannot_work_is_refused_and_leaves_nothing() {
    let dev = Dev::start();
    let (status, problem) = dev.api.submit(r#"{"service":"my-service","payload":{"model":"m"}}"#);
    assert_eq!((status, &problem["errors"][0]["pointer"]), (422, &"/payload/input".into()), "{problem:#}");
    let (status, problem) = dev.api.submit(&GUIDE.replace("my-service", "my-servce"));
    assert_eq!(status, 422);
    assert!(problem["detail"].as_str().is_some_and(|detail| detail.contains("`my-service`")), "{problem:#}");
    let (status, problem) = dev.api.submit(&GUIDE.replace("test input", &"x".repeat(2 << 20)));
    assert_eq!((status, &problem["code"]), (413, &"E_TOO_LARGE".into()), "{problem:#}");
    assert_eq!(dev.api.get("/api/jobs")["jobs"], serde_json::json!([]));
}

#[test]
fn a_port_in_use_is_no_obstacle() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port();
    let home = TempDir::new().expect("a folder");
    let mut running = Running::start(emp(home.path()).args(["dev", "--fake", "--port", &port.to_string()]));
    let api = Api::of(&mut running);
    assert_ne!(api.0, port);
    assert_eq!(api.get("/api/jobs")["jobs"], serde_json::json!([]));
}
