//! Kling: videos from a text or an image. Each answer is an envelope whose `code` is 0, or not.
//!
//! Source: Kling's API reference as its clients have it (`/v1/videos/text2video`, `/v1/videos/image2video`), all four values of
//! `task_status`. Kling publishes no OpenAPI description. `external_task_id`, `callback_url` and
//! the hosts of videos are general knowledge; a link to any other host stays a link.
//!
//! The credential is a token of half an hour that is signed with the secret key (HS256).
//!
//! That Kling merges two submits with the same `external_task_id` is written nowhere, so a lost answer leaves the job `uncertain`
//! (`at_most_once`). There is no cancel.

use emp_core::{Connector, Secret};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

/// Makes videos with Kling's models.
#[derive(Connector)]
#[connector(service = "kling", version = "1.0.0", payload = KlingPayload)]
#[http(base = "https://api.klingai.com")]
#[origins(download = ["*.klingai.com", "*.kechuangai.com", "*.kwimgs.com"])]
#[auth(jwt(
    alg = HS256, key = secret_key, claims { "iss": env.access_key, "exp": now + 1800, "nbf": now - 5 }, refresh_before = "60s",
))]
#[submit(
    post = "/v1/videos/{payload.task}",
    json {
        ..payload.params, "model_name": payload.model, "prompt": payload.prompt, "external_task_id": queue.job_id,
        "callback_url": webhook.url?,
    },
    envelope(ok = "$.code" == 0, message = "$.message"),
    capture(id = "$.data.task_id"),
    at_most_once,
)]
#[poll(get = "/v1/videos/{payload.task}/{job.id}", envelope(ok = "$.code" == 0, message = "$.message"))]
#[states(
    at = "$.data.task_status", queued = ["submitted"], running = ["processing"], succeeded = ["succeed"], failed = ["failed"],
    unknown = running(warn), rules(code == 404 => lost),
)]
#[outcome(json = "$.data.task_result", files = auto_urls, keep_for = "30d")]
#[errors(
    message = ["$.data.task_status_msg", "$.message"], code = "$.code",
    400 | 404 | 422 => invalid_input, 401 | 403 => auth, 402 => billing,
    429 => rate_limited(wait = [header("retry-after")]), 5xx => transient,
)]
#[pace(first = "10s", min = "5s", max = "30s", deadline = "30m")]
pub struct KlingConnector {
    /// The access key from the console.
    #[env("KLING_ACCESS_KEY")]
    access_key: String,
    /// The secret key that belongs to it.
    #[env("KLING_SECRET_KEY")]
    secret_key: Secret,
}

/// A video to make.
#[derive(Deserialize, JsonSchema)]
pub struct KlingPayload {
    /// Of what it is made.
    #[schemars(example = &"text2video")]
    pub task: KlingTask,
    /// The model.
    #[schemars(length(min = 1), example = &"kling-v2-master")]
    pub model: String,
    /// What to show.
    #[schemars(length(min = 1), example = &"a lighthouse in the fog")]
    pub prompt: String,
    /// Everything else that the API takes: `image` as base64 or URL, `duration`, `aspect_ratio`, `mode`.
    #[schemars(example = serde_json::json!({ "duration": "5", "aspect_ratio": "16:9" }))]
    pub params: Option<Map<String, Value>>,
}

/// A task's kind, which is a part of its path.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum KlingTask {
    /// From a text.
    Text2Video,
    /// From an image.
    Image2Video,
}
