//! RunPod serverless: jobs for one endpoint, of any shape.
//!
//! Source: RunPod's documentation and Python SDK (`/run`, `/status/{id}`, `/stream/{id}`, `/cancel/{id}`, `/health`), whose status words are
//! `IN_QUEUE`, `IN_PROGRESS`, `RUNNING`, `COMPLETED`, `FAILED`, `CANCELLED` and `TIMED_OUT`. There is no OpenAPI description of these
//! routes. That `$.error` may be JSON in a string, and `$.workerId`, are general knowledge.
//!
//! RunPod has no idempotency key, so a lost answer leaves the job `uncertain` (`at_most_once`). A job may be unknown for a moment
//! after its submit; later, unknown means that it is gone for good.

use emp_core::{Connector, Secret};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

/// Runs jobs at a RunPod serverless endpoint.
#[derive(Connector)]
#[connector(service = "runpod", version = "1.0.0", payload = RunPodPayload)]
#[http(base = "https://api.runpod.ai/v2/{env.endpoint_id}")]
#[auth(bearer = api_key)]
#[submit(
    post = "/run",
    json { "input": payload.input, "webhook": webhook.url?, "policy": {
        "executionTimeout": queue.budget_millis, "ttl": queue.budget_millis, "lowPriority": payload.low_priority?,
    } },
    capture(id = "$.id"),
    feeds_poll,
    at_most_once,
)]
#[poll(get = "/status/{job.id}", progress_text = "$.output")]
#[stream(chunks(get = "/stream/{job.id}", items = "$.stream[*].output"), when = payload.stream == true)]
#[states(
    at = "$.status", queued = ["IN_QUEUE"], running = ["IN_PROGRESS", "RUNNING"], succeeded = ["COMPLETED"],
    failed = ["FAILED"], canceled = ["CANCELLED"], timed_out = ["TIMED_OUT"], unknown = running(warn),
    rules(code == 404 && age < "30s" => running, code == 404 => lost),
)]
#[outcome(json = "$.output", keep_for = "30m", meta(queue_ms = "$.delayTime", run_ms = "$.executionTime", worker = "$.workerId"))]
#[errors(
    message = ["$.error" | parse_json | at("$.error_message"), "$.error", "$.message"],
    400 | 404 | 413 => invalid_input, 401 | 403 => auth, 402 => billing,
    429 => rate_limited(wait = [header("retry-after")]), 5xx => transient,
)]
#[cancel(post = "/cancel/{job.id}", ok = [200], gone = [404])]
#[pace(first = "1s", min = "500ms", max = "5s", factor = 1.4, jitter = 0.3, deadline = "2h")]
#[limits(max_body = "10MB")]
#[health(
    get = "/health", every = "15s", ready = "$.workers.idle" > 0 || "$.workers.running" > 0 || "$.workers.ready" > 0,
    metric(queued = "$.jobs.inQueue", running = "$.jobs.inProgress", idle_workers = "$.workers.idle"),
)]
pub struct RunPodConnector {
    /// A key from the console.
    #[env("RUNPOD_API_KEY")]
    api_key: Secret,
    /// The endpoint's id.
    #[env("RUNPOD_ENDPOINT_ID")]
    endpoint_id: String,
}

/// A job for the endpoint.
#[derive(Deserialize, JsonSchema)]
pub struct RunPodPayload {
    /// The endpoint's own input.
    #[schemars(example = serde_json::json!({ "prompt": "a lighthouse in the fog" }))]
    pub input: Map<String, Value>,
    /// Whether the endpoint gives its output piece by piece.
    #[schemars(example = false)]
    pub stream: Option<bool>,
    /// Whether jobs of others go first.
    #[schemars(example = false)]
    pub low_priority: Option<bool>,
}
