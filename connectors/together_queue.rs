//! Together's queue: jobs for a model of one's own, of any shape. A job is asked after by two keys, its id and its model.
//!
//! Source: Together's OpenAPI description (`submitQueueJob`, `getQueueJobStatus`, `cancelQueueJob`), all five values of `status`.
//! Only a pending job can be cancelled; 409 says that it is too late.
//!
//! The queue has no idempotency key, so a lost answer leaves the job `uncertain` (`at_most_once`).

use emp_core::{Connector, Secret};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

/// Runs jobs in Together's queue.
#[derive(Connector)]
#[connector(service = "together-queue", version = "1.0.0", payload = TogetherQueuePayload)]
#[openapi(file = "together-queue.json")]
#[http(base = "https://api.together.ai/v1")]
#[auth(bearer = api_key)]
#[submit(
    post = "/queue/submit",
    json {
        "model": payload.model, "payload": payload.input, "priority": payload.priority?,
        "info": { "emp_job": queue.job_id },
    },
    capture(id = "$.requestId"),
    at_most_once,
)]
#[poll(
    get = "/queue/status", query("request_id" = job.id, "model" = payload.model),
    progress = "$.info.progress" | fraction, progress_text = "$.info.message",
)]
#[states(
    at = "$.status", queued = ["pending"], running = ["running"], succeeded = ["done"], failed = ["failed"],
    canceled = ["canceled"], unknown = running(warn), rules(code == 404 => lost),
)]
#[outcome(json = "$.outputs", meta(retries = "$.retries"))]
#[errors(
    message = ["$.error.message", "$.message", "$.outputs.error"], code = ["$.error.code", "$.code"],
    400 | 404 | 422 => invalid_input, 401 | 403 => auth, 402 => billing,
    429 => rate_limited(wait = [header("retry-after")]), 5xx => transient,
)]
#[cancel(
    post = "/queue/cancel", json { "model": payload.model, "request_id": job.id },
    ok = [200], too_late = [409], gone = [404],
)]
#[pace(first = "1s", min = "1s", max = "10s", slow_while(queued, "3s"), deadline = "2h")]
#[health(get = "/models", every = "5m")]
pub struct TogetherQueueConnector {
    /// A key from the settings page.
    #[env("TOGETHER_API_KEY")]
    api_key: Secret,
}

/// A job for the queue.
#[derive(Deserialize, JsonSchema)]
pub struct TogetherQueuePayload {
    /// The model that the job is for.
    #[schemars(length(min = 1), example = &"my-org/my-model")]
    pub model: String,
    /// The model's own input.
    #[schemars(example = serde_json::json!({ "prompt": "a lighthouse in the fog" }))]
    pub input: Map<String, Value>,
    /// Higher goes first; 0 when left out.
    #[schemars(example = 0)]
    pub priority: Option<i32>,
}
