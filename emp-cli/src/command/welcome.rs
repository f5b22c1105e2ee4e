//! `emp` with no arguments: what a newcomer does next.

use emp_core::Registry;

use crate::exit::Exit;
use crate::output::Output;

pub(super) fn run(registry: &Registry, out: &Output) -> Exit {
    let connectors: Vec<&str> = registry.entries().iter().map(|entry| entry.spec.name).collect();
    if out.is_json() {
        out.json(&serde_json::json!({ "version": env!("CARGO_PKG_VERSION"), "connectors": connectors }));
        return Exit::Ok;
    }
    let this = invocation();
    out.line(format!(
        "EMP connects job queues to external AI services. This binary has {} connectors: {}.

Try it:
  {this} demo                  jobs through fake services, a worker killed half-way, nothing paid twice
  {this} dev --fake            API, workers and fake services; prints one curl to submit a job

Add a service:
  cp connectors/my_service.rs connectors/their_service.rs     then change it to their API
  {this} check                 tells what service-mapping.json still needs

Look around:
  {this} connector list        what this binary can talk to
  {this} env check             which variables are missing
  {this} explain EMP0104       what a code means
  {this} --help                everything",
        connectors.len(),
        connectors.join(", "),
    ));
    Exit::Ok
}

/// How the reader started this program, so that the lines can be pasted.
pub(super) fn invocation() -> &'static str {
    if std::env::var_os("CARGO").is_some() { "cargo run --" } else { "emp" }
}
