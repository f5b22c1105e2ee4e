//! Veo, through the Gemini API: a long-running operation, asked after by its name, which has slashes.
//!
//! Source: Google's Python SDK (`predictLongRunning`, `GenerateVideosOperation`): `done` is a boolean, then there is `error` or
//! `response`. Google publishes no OpenAPI description of it. The fields of `error`, and what 429 means, are general knowledge.
//!
//! An operation that is done without a video was filtered: `raiMediaFilteredReasons` says why. A video is at the API's own host, which
//! asks for the key there too.
//!
//! Veo has no idempotency key, so a lost answer leaves the job `uncertain` (`at_most_once`).

use emp_core::{Connector, Secret};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

/// Makes videos with Google's Veo models.
#[derive(Connector)]
#[connector(service = "veo", version = "1.0.0", payload = VeoPayload)]
#[http(base = "https://generativelanguage.googleapis.com/v1beta")]
#[auth(header("x-goog-api-key") = "{api_key}")]
#[submit(
    post = "/models/{payload.model ?? env.model}:predictLongRunning",
    json { "instances": [{ ..payload.instance, "prompt": payload.prompt }], "parameters": payload.parameters? },
    capture(id = "$.name"),
    feeds_poll,
    at_most_once,
)]
#[poll(get = "/{+job.id}")]
#[states(rules(
    "$.error" present => failed(service),
    "$.done" == true && "$.response.generateVideoResponse.generatedSamples[*]" present => succeeded,
    "$.done" == true => failed(moderated, "the videos were filtered"),
    code == 404 => lost,
    code == 200 => running,
))]
#[outcome(
    json = "$.response.generateVideoResponse", files = urls("$.response.generateVideoResponse.generatedSamples[*].video.uri"),
    partial(when = "$.response.generateVideoResponse.raiMediaFilteredCount" > 0), keep_for = "48h",
)]
#[errors(
    message = ["$.response.generateVideoResponse.raiMediaFilteredReasons[*]" | join("; "), "$.error.message"],
    code = ["$.error.status", "$.error.code"],
    400 | 404 => invalid_input, 401 | 403 => auth,
    429 => rate_limited(wait = [header("retry-after")]), 5xx => transient,
)]
#[pace(first = "10s", min = "5s", max = "20s", deadline = "30m")]
#[health(get = "/models", every = "5m")]
pub struct VeoConnector {
    /// A key from Google AI Studio.
    #[env("GEMINI_API_KEY")]
    api_key: Secret,
    /// The model for jobs that name none.
    #[env("VEO_MODEL", default = "veo-3.1-generate-preview")]
    model: String,
}

/// A video to make.
#[derive(Deserialize, JsonSchema)]
pub struct VeoPayload {
    /// What to show.
    #[schemars(length(min = 1), example = &"a lighthouse in the fog")]
    pub prompt: String,
    /// The model; `VEO_MODEL` when left out.
    #[schemars(example = &"veo-3.1-generate-preview")]
    pub model: Option<String>,
    /// What else belongs to the instance: `image`, `lastFrame`, `referenceImages`, `video`.
    pub instance: Option<Map<String, Value>>,
    /// `aspectRatio`, `durationSeconds`, `negativePrompt`, `resolution`.
    #[schemars(example = serde_json::json!({ "aspectRatio": "16:9" }))]
    pub parameters: Option<Map<String, Value>>,
}
