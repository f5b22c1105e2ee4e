//! `GET /metrics`, read by Prometheus' own tool, and what is exported from the same list.

use std::io::Write;
use std::net::TcpStream;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::support::{Api, Dev, PATIENCE, Ran, emp, run_with};

/// What Prometheus' own tool says of a text on its standard input.
fn promtool(args: &[&str], text: &str) -> Ran {
    let mut child = Command::new("promtool")
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool is missing: run `cargo xtask test`");
    child.stdin.take().expect("a pipe").write_all(text.as_bytes()).expect("writes");
    child.wait_with_output().expect("ends").into()
}

/// The text of `/metrics`.
fn scrape(api: Api) -> String {
    use std::io::Read;
    let mut stream = TcpStream::connect(("127.0.0.1", api.0)).expect("the API listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    let request = format!("GET /metrics HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nConnection: close\r\n\r\n", api.0);
    stream.write_all(request.as_bytes()).expect("sends");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    assert!(head.starts_with("HTTP/1.1 200 ") && head.contains("text/plain; version=0.0.4"), "{head}");
    body.to_owned()
}

#[test]
fn prometheus_has_nothing_to_say_about_the_metrics_of_a_process_that_has_done_jobs() {
    let dev = Dev::start();
    let job = r#"{"service":"simulation","payload":{"duration_ms":10}}"#;
    let ids: Vec<String> = (0..3).map(|_| dev.api.job(job)).collect();
    for id in &ids {
        assert_eq!(dev.api.ended(id)["status"], "completed");
    }
    let text = scrape(dev.api);
    let said = promtool(&["check", "metrics"], &text);
    assert!(said.code == Some(0) && said.err.is_empty() && said.out.is_empty(), "{said:#?}\n{text}");
    for line in [
        r#"emp_jobs_total{outcome="succeeded",service="simulation"} 3"#,
        r#"emp_jobs{service="simulation",state="succeeded"} 3"#,
        r#"emp_submits_total{outcome="accepted",service="simulation"} 3"#,
        "emp_store_up 1",
    ] {
        assert!(text.lines().any(|own| own == line), "{line}\n{text}");
    }
    for id in &ids {
        assert!(!text.contains(id.as_str()), "an id is a label");
    }
}

#[test]
fn prometheus_takes_the_alerts_and_the_dashboard_is_json() {
    let home = TempDir::new().expect("a folder");
    let export = |target: &str| run_with(emp(home.path()).args(["export", target])).exits(0);
    let rules = export("alerts").out;
    std::fs::write(home.path().join("rules.yaml"), &rules).expect("writes");
    let mut command = Command::new("promtool");
    let said = run_with(command.args(["check", "rules", "rules.yaml"]).current_dir(&home));
    assert!(said.code == Some(0) && said.out.contains("8 rules found"), "{said:#?}");
    assert_eq!(export("grafana").json()["title"], "EMP");
    let stale = run_with(emp(home.path()).args(["export", "alerts", "--check"])).exits(6);
    assert!(stale.err.contains("E_STALE"), "{}", stale.err);
}
