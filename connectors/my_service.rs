//! MyService, the service of the connector guide: a job is posted, asked after, and its result is in the last answer.
//!
//! Source of every name and path: the guide's own TypeScript example (`MyServiceConnector`), with its progress formula
//! `min(90, 30 + p * 0.6)` and its seven status words. The guide resends after an error; here a resend carries the same
//! `Idempotency-Key`, so that MyService merges it instead of billing twice.

use std::time::Duration;

use emp_core::{Connector, Secret, Url};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// MyService API connector for custom processing.
#[derive(Connector)]
#[connector(service = "my-service", version = "1.0.0", payload = MyServicePayload, output = MyServiceResult)]
#[http(base = env.base_url)]
#[auth(bearer = api_key)]
#[submit(
    post = "/process",
    json { "input": payload.input, "model": payload.model, "job_id": queue.job_id },
    capture(id = "$.job_id"),
    timeout = env.timeout,
    idempotent(header("Idempotency-Key"), ttl = "24h"),
)]
#[poll(
    get = "/jobs/{job.id}",
    progress = "$.progress" | percent | between(0.3, 0.9),
    progress_text = "$.message",
    timeout = env.timeout,
)]
#[states(
    at = "$.status", queued = ["queued"], running = ["processing"], succeeded = ["completed"],
    failed = ["failed", "error"], canceled = ["cancelled"], unknown = running(warn),
)]
#[outcome(json = "$.result")]
#[errors(
    message = ["$.error", "$.message"],
    400 | 422 => invalid_input, 401 | 403 => auth, 402 => billing,
    429 => rate_limited(wait = [header("retry-after")]), 5xx => transient,
)]
#[cancel(post = "/jobs/{job.id}/cancel", gone = [404])]
#[pace(first = "1s", min = "1s", max = "5s", deadline = "30m")]
#[limits(in_flight = env.max_concurrent, attempts = env.retry_attempts)]
#[health(get = "/health", every = "30s")]
pub struct MyServiceConnector {
    /// The key from MyService's console.
    #[env("MY_SERVICE_API_KEY")]
    api_key: Secret,
    /// Where MyService is.
    #[env("MY_SERVICE_BASE_URL", default = "https://api.myservice.com")]
    base_url: Url,
    /// Jobs at MyService at once, for this key.
    #[env("MY_SERVICE_MAX_CONCURRENT", default = 3, range = 1..=1000)]
    max_concurrent: u32,
    /// For how long one request may take; a bare number is milliseconds.
    #[env("MY_SERVICE_TIMEOUT", default = 30000, unit = ms)]
    timeout: Duration,
    /// Submits of one job that may fail before the job does.
    #[env("MY_SERVICE_RETRY_ATTEMPTS", default = 3, range = 1..=10)]
    retry_attempts: u32,
}

/// A job for MyService.
#[derive(Deserialize, JsonSchema)]
pub struct MyServicePayload {
    /// The text to work on.
    #[schemars(length(min = 1), example = &"test input")]
    pub input: String,
    /// The model to work on it with.
    #[schemars(length(min = 1), example = &"my-model-v1", example = &"my-model-v2")]
    pub model: String,
}

/// What MyService makes of it.
#[derive(Serialize, JsonSchema)]
pub struct MyServiceResult {
    /// The output, in the model's own shape.
    #[schemars(example = &"TEST INPUT")]
    pub output: Value,
    /// What the service says about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = serde_json::json!({ "tokens": 2 }))]
    pub metadata: Option<Map<String, Value>>,
}
