//! Together videos. For Together's chat set `OPENAI_BASE_URL=https://api.together.ai/v1` and use the OpenAI connector.
//!
//! Source: Together's OpenAPI description (`createVideo`, `retrieveVideo`, `VideoJob`), all three values of `status`. What 402 and
//! 429 mean is general knowledge, and so is the host of videos; a link to any other stays a link.
//!
//! Together has no idempotency key, so a lost answer leaves the job `uncertain` (`at_most_once`), and no route to cancel a video.

use emp_core::{Connector, Secret};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

/// Makes videos with the models on Together.
#[derive(Connector)]
#[connector(service = "together-video", version = "1.0.0", payload = TogetherVideoPayload)]
#[openapi(file = "together.json")]
#[http(base = "https://api.together.ai")]
#[origins(download = ["api.together.ai", "*.together.ai", "*.together.xyz"])]
#[auth(bearer = api_key)]
#[submit(
    post = "/v2/videos",
    json { ..payload.params, "model": payload.model, "prompt": payload.prompt },
    capture(id = "$.id"),
    feeds_poll,
    at_most_once,
)]
#[poll(get = "/v2/videos/{job.id}")]
#[states(
    at = "$.status", running = ["in_progress"], succeeded = ["completed"], failed = ["failed"], unknown = running(warn),
    rules(code == 404 => lost),
)]
#[outcome(json = "$.outputs", files = auto_urls, meta(cost = "$.outputs.cost", seconds = "$.seconds", size = "$.size"))]
#[errors(
    message = ["$.error.message", "$.message"], code = ["$.error.code", "$.code"],
    400 | 404 | 422 => invalid_input, 401 | 403 => auth, 402 => billing,
    429 => rate_limited(wait = [header("retry-after")]), 5xx => transient,
)]
#[pace(first = "5s", min = "3s", max = "20s", deadline = "30m")]
#[health(get = "/v1/models", every = "5m")]
pub struct TogetherVideoConnector {
    /// A key from the settings page.
    #[env("TOGETHER_API_KEY")]
    api_key: Secret,
}

/// A video to make.
#[derive(Deserialize, JsonSchema)]
pub struct TogetherVideoPayload {
    /// The model.
    #[schemars(length(min = 1), example = &"minimax/video-01-director")]
    pub model: String,
    /// What to show.
    #[schemars(length(min = 1), example = &"a lighthouse in the fog")]
    pub prompt: String,
    /// Everything else that the API takes: `seconds`, `width`, `height`, `seed`, `media`.
    #[schemars(example = serde_json::json!({ "seconds": "6", "width": 1366, "height": 768 }))]
    pub params: Option<Map<String, Value>>,
}
