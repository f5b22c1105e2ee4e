//! Anthropic message batches: many messages at once, within a day. A batch never fails as a whole: each of its requests does.
//!
//! Source: Anthropic's OpenAPI description (`message_batches_post`, `message_batches_retrieve`, `message_batches_cancel`,
//! `message_batches_results`, `MessageBatch`), all three values of `processing_status`. The results come by lines, in no order: `custom_id`
//! says whose each is. The counts are zero until the batch ends, so there is no progress. 402 and 529 are from the API's page of errors.
//!
//! A cancelled batch ends as any other, and so does one whose day is over. What was done until then is its result; a batch of which
//! nothing was done is cancelled, or has expired.
//!
//! A batch cannot be looked up or merged, so a lost answer leaves the job `uncertain` (`at_most_once`).

use emp_core::{Connector, Secret, Url};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Anthropic message batches: many messages at once, within a day.
#[derive(Connector)]
#[connector(service = "anthropic-batches", version = "1.0.0", payload = MessageBatchPayload)]
#[openapi(file = "anthropic-batches.json")]
#[http(base = env.base_url)]
#[auth(header("x-api-key") = "{api_key}")]
#[submit(
    post = "/v1/messages/batches",
    header("anthropic-version" = "2023-06-01"),
    json { "requests": payload.requests },
    timeout = "5m",
    capture(id = "$.id"),
    feeds_poll,
    rejects = [529],
    at_most_once,
)]
#[poll(get = "/v1/messages/batches/{job.id}", header("anthropic-version" = "2023-06-01"))]
#[states(
    at = "$.processing_status", running = ["in_progress", "canceling"], succeeded = ["ended"], unknown = running(warn),
    rules(
        "$.ended_at" present && "$.cancel_initiated_at" present && "$.request_counts.succeeded" == 0 => canceled,
        "$.request_counts.expired" > 0 && "$.request_counts.succeeded" == 0 => failed(expired),
        code == 404 => lost,
    ),
)]
#[outcome(
    get = "/v1/messages/batches/{job.id}/results", header("anthropic-version" = "2023-06-01"), timeout = "10m",
    jsonl, json = "$",
    partial(when = "$.request_counts.errored" > 0 || "$.request_counts.canceled" > 0 || "$.request_counts.expired" > 0),
)]
#[errors(
    message = "$.error.message", code = "$.error.type",
    400 | 404 | 413 => invalid_input, 401 | 403 => auth, 402 => billing,
    429 => rate_limited(wait = [header("retry-after")]), 529 => capacity, 408 | 409 | 5xx => transient,
)]
#[cancel(post = "/v1/messages/batches/{job.id}/cancel", header("anthropic-version" = "2023-06-01"), gone = [404])]
#[pace(first = "10s", min = "10s", max = "5m", deadline = "25h")]
#[limits(max_body = "256MB", max_response = "256MiB")]
#[health(get = "/v1/models", header("anthropic-version" = "2023-06-01"), every = "5m")]
pub struct AnthropicBatchesConnector {
    /// A key from the console.
    #[env("ANTHROPIC_API_KEY")]
    api_key: Secret,
    /// Where the API is; `/v1` not included.
    #[env("ANTHROPIC_BASE_URL", default = "https://api.anthropic.com")]
    base_url: Url,
}

/// Messages to create.
#[derive(Deserialize, JsonSchema)]
pub struct MessageBatchPayload {
    /// The requests.
    #[schemars(length(min = 1, max = 100_000), example = serde_json::json!([{
        "custom_id": "a",
        "params": { "model": "claude-sonnet-4-6", "max_tokens": 256, "messages": [{ "role": "user", "content": "Say hello." }] }
    }]))]
    pub requests: Vec<BatchedMessage>,
}

/// A message of a batch.
#[derive(Deserialize, Serialize, JsonSchema)]
pub struct BatchedMessage {
    /// By which its result is known: letters, digits, `_` and `-`, each once.
    #[schemars(length(min = 1, max = 64), regex(pattern = r"^[a-zA-Z0-9_-]{1,64}$"))]
    pub custom_id: String,
    /// A request of the messages API.
    pub params: Map<String, Value>,
}
