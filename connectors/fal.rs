//! fal: any model on fal's queue. The result is a request of its own, at a URL that the submit's answer gives.
//!
//! Source: fal's Python client (`queue.py`, `client.py`: `QueueStatus`, `Queued`, `InProgress`, `Completed`, the headers). A job that
//! failed is `COMPLETED` with an `error` beside it. fal publishes no OpenAPI description of the queue. The hosts of results are
//! those of fal's documentation.
//!
//! The URLs of an answer lack a part of the model's path, so they are followed and never built.
//!
//! fal has no idempotency key, so a lost answer leaves the job `uncertain` (`at_most_once`). `X-Fal-Request-Timeout` ends a job at fal
//! when its time is over here.

use emp_core::{Connector, Secret};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

/// Runs any model on fal.
#[derive(Connector)]
#[connector(service = "fal", version = "1.0.0", payload = FalPayload)]
#[http(base = "https://queue.fal.run")]
#[origins(follow = self, download = ["*.fal.media", "storage.googleapis.com"])]
#[auth(header("Authorization") = "Key {api_key}")]
#[submit(
    post = "/{+payload.model}",
    query("fal_webhook" = webhook.url?),
    header("X-Fal-Queue-Priority" = payload.priority ?? "normal", "X-Fal-Request-Timeout" = queue.budget_secs),
    json { ..payload.input },
    capture(id = "$.request_id", poll_url = "$.status_url", result_url = "$.response_url", cancel_url = "$.cancel_url"),
    at_most_once,
)]
#[poll(get = job.poll_url, query("logs" = "1"), queue_position = "$.queue_position", logs = "$.logs[*].message" | join("\n"))]
#[states(
    at = "$.status", queued = ["IN_QUEUE"], running = ["IN_PROGRESS"], succeeded = ["COMPLETED"], unknown = running(warn),
    rules("$.error" present => failed(service), code == 404 => lost),
)]
#[outcome(get = job.result_url, json = "$", files = auto_urls, on_http_error => failed(service))]
#[errors(
    message = ["$.detail[*].msg" | join("; "), "$.detail", "$.error"], code = ["$.error_type", header("x-fal-error-type")],
    400 | 404 | 422 => invalid_input, 401 | 403 => auth, 402 => billing, 408 | 409 => transient,
    429 => rate_limited(wait = [header("retry-after")]),
    504 if header("x-fal-request-timeout-type") == "user" => timeout, 5xx => transient,
)]
#[cancel(put = job.cancel_url, ok = [200, 202], too_late = [400], gone = [404])]
#[pace(first = "500ms", min = "250ms", max = "5s", factor = 1.3, slow_while(queued, "2s"), deadline = "30m")]
pub struct FalConnector {
    /// A key from the dashboard.
    #[env("FAL_KEY")]
    api_key: Secret,
}

/// A request for a model.
#[derive(Deserialize, JsonSchema)]
pub struct FalPayload {
    /// The model's path.
    #[schemars(length(min = 1), example = &"fal-ai/flux/schnell")]
    pub model: String,
    /// The model's own input. Files are http or data URLs.
    #[schemars(example = serde_json::json!({ "prompt": "a lighthouse in the fog" }))]
    pub input: Map<String, Value>,
    /// `normal`, or `low`: after the others.
    #[schemars(example = &"normal")]
    pub priority: Option<String>,
}
