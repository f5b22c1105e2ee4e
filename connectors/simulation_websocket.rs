//! Simulation over a WebSocket: what `SimulationConnector` does in its own process, told by a service on a socket.
//!
//! Source: the simulation-websocket service of the system replaced. Without that service, a fake of it: `emp dev`, or
//! `FakeService` of emp-testkit. The pattern for a service with a socket: the poll has the truth, the socket shows what happens.

use emp_core::{Connector, Url};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Simulates work at a service that tells its progress on a socket.
#[derive(Connector)]
#[connector(
    service = "simulation-websocket",
    version = "1.0.0",
    payload = SimulationWebsocketPayload,
    output = SimulationWebsocketResult
)]
#[http(base = env.url)]
#[auth(none)]
#[submit(
    post = "/jobs",
    json { "duration_ms": payload.duration_ms ?? 2000, "steps": payload.steps ?? 10, "fail": payload.fail ?? false, "echo": payload.echo? },
    capture(id = "$.id"),
    billable = false,
)]
#[poll(get = "/jobs/{job.id}", progress = "$.progress" | percent)]
#[websocket(
    get = "/ws",
    query("job" = job.id),
    job = "$.job",
    at = "$.type",
    running = ["progress"], succeeded = ["complete"], failed = ["failed"], canceled = ["cancelled"],
    progress = "$.progress" | percent,
    progress_text = "$.message",
    idle_timeout = "30s",
)]
#[states(at = "$.status", queued = ["queued"], running = ["running"], succeeded = ["completed"], failed = ["failed"], canceled = ["cancelled"], unknown = running(warn))]
#[outcome(json = "$.result")]
#[errors(message = "$.error")]
#[cancel(post = "/jobs/{job.id}/cancel", gone = [404])]
#[health(get = "/health", every = "15s")]
#[pace(first = "250ms", min = "250ms", max = "5s")]
pub struct SimulationWebsocketConnector {
    /// Where the service is.
    #[env("SIMULATION_WEBSOCKET_URL", default = "http://127.0.0.1:8399")]
    url: Url,
}

/// Work to simulate.
#[derive(Deserialize, JsonSchema)]
pub struct SimulationWebsocketPayload {
    /// How long it takes, milliseconds; up to a day.
    #[schemars(range(max = 86_400_000), example = 2000)]
    pub duration_ms: Option<u64>,
    /// In how many steps its progress is told.
    #[schemars(range(min = 1, max = 1000), example = 10)]
    pub steps: Option<u32>,
    /// Whether it fails in the end.
    #[schemars(example = false)]
    pub fail: Option<bool>,
    /// Given back in the result.
    #[schemars(example = &"hello")]
    pub echo: Option<Value>,
}

/// What came of it.
#[derive(Serialize, JsonSchema)]
pub struct SimulationWebsocketResult {
    /// The payload's `echo`.
    pub output: Option<Value>,
}
