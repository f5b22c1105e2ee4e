//! Jobs.

use emp_core::{Connector, Secret};

/// Jobs at an example of a service.
#[derive(Connector)]
#[connector(service = "jobs", version = "1.0.0", mode = stream)]
#[openapi(file = "jobs.json")]
#[http(base = "https://api.example.com/v1")]
#[auth(header("x-key") = "{api_key}")]
#[submit(
    post = "/jobs",
    header("X-Version" = "2026-11-06"),
    json { "prompt": payload.prompt, "mode": "fast", "size": { "width": 512 } },
    at_most_once,
)]
#[stream(sse, delta = "$.delta.text", end = "[DONE]")]
#[outcome(text = deltas)]
pub struct JobsConnector {
    /// The key.
    #[env("JOBS_API_KEY")]
    api_key: Secret,
}
