//! Jobs.

use emp_core::{Connector, Secret};

/// Jobs at an example of a service.
#[derive(Connector)]
#[connector(service = "jobs", version = "1.0.0")]
#[openapi(file = "jobs.json")]
#[http(base = "https://api.example.com/v1")]
#[auth(header("x-key") = "{api_key}")]
#[submit(
    post = "/jobs",
    header("X-Version" = "2026-11-06"),
    json { "prompt": payload.prompt, "mode": "fast", "size": { "width": 512 } },
    capture(id = "$.id"),
    at_most_once,
)]
#[poll(get = "/jobs/{job.id}", progress = "$.progress" | percent, progress_text = "$.message")]
#[states(
    at = "$.status", queued = ["queued"], running = ["running"], succeeded = ["done"],
    failed = ["failed"], unknown = running(warn),
)]
#[outcome(json = "$.result.image", also(log = get("/jobs/{job.id}/log", json = "$.line")))]
#[cancel(delete = "/jobs/{job.id}")]
pub struct JobsConnector {
    /// The key.
    #[env("JOBS_API_KEY")]
    api_key: Secret,
}
