//! Meshy: 3D models from a text. The id of a task is the `result` of its submit.
//!
//! Source: Meshy's documentation (text to 3D, task lifecycle), all five values of `status`. A running task's answer says in
//! `Retry-After` when to come again. What 402 means, and the host of the models, are general knowledge; a link to any other stays a
//! link. Meshy publishes no OpenAPI description.
//!
//! Meshy has no idempotency key, so a lost answer leaves the job `uncertain` (`at_most_once`).

use emp_core::{Connector, Secret};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

/// Makes 3D models with Meshy.
#[derive(Connector)]
#[connector(service = "meshy", version = "1.0.0", payload = MeshyPayload)]
#[http(base = "https://api.meshy.ai/openapi/v2")]
#[origins(download = ["assets.meshy.ai"])]
#[auth(bearer = api_key)]
#[submit(
    post = "/text-to-3d",
    json { ..payload.params, "mode": "preview", "prompt": payload.prompt },
    accept = [200, 202],
    capture(id = "$.result"),
    at_most_once,
)]
#[poll(get = "/text-to-3d/{job.id}", progress = "$.progress" | percent, queue_position = "$.preceding_tasks")]
#[states(
    at = "$.status", queued = ["PENDING"], running = ["IN_PROGRESS"], succeeded = ["SUCCEEDED"], failed = ["FAILED"],
    canceled = ["CANCELED"], unknown = running(warn), rules(code == 404 => lost),
)]
#[outcome(json = "$.model_urls", files = auto_urls, keep_for = "3d", meta(thumbnail = "$.thumbnail_url"))]
#[errors(
    message = ["$.task_error.message", "$.message"],
    400 | 404 | 422 => invalid_input, 401 | 403 => auth, 402 => billing,
    429 => rate_limited(wait = [header("retry-after")]), 5xx => transient,
)]
#[pace(first = "5s", min = "2s", max = "15s", advice = [header("retry-after")], deadline = "30m")]
pub struct MeshyConnector {
    /// A key from the API page.
    #[env("MESHY_API_KEY")]
    api_key: Secret,
}

/// A 3D model to make.
#[derive(Deserialize, JsonSchema)]
pub struct MeshyPayload {
    /// What to model.
    #[schemars(length(min = 1), example = &"a lighthouse")]
    pub prompt: String,
    /// Everything else that the API takes: `art_style`, `seed`, `topology`, `target_polycount`.
    #[schemars(example = serde_json::json!({ "art_style": "realistic" }))]
    pub params: Option<Map<String, Value>>,
}
