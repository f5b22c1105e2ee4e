//! Luma Dream Machine: videos and images from a prompt.
//!
//! Source: Luma's OpenAPI description (`createGeneration`, `generateImage`, `getGeneration`, `deleteGeneration`, `getCredits`,
//! `Generation`), all four values of `state`. What 402 and 429 mean is general knowledge: the description has one error for all.
//! So is the host of what is made; a link to any other stays a link.
//!
//! Luma has no idempotency key, so a lost answer leaves the job `uncertain` (`at_most_once`). A cancel deletes the generation.

use emp_core::{Connector, Secret};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

/// Makes videos and images with Luma's Ray and Photon models.
#[derive(Connector)]
#[connector(service = "luma", version = "1.0.0", payload = LumaPayload)]
#[openapi(file = "luma.json")]
#[http(base = "https://api.lumalabs.ai/dream-machine/v1")]
#[origins(download = ["*.cdn-luma.com"])]
#[auth(bearer = api_key)]
#[submit(
    post = "/generations/{payload.kind}",
    json { ..payload.params, "model": payload.model, "prompt": payload.prompt, "callback_url": webhook.url? },
    capture(id = "$.id"),
    feeds_poll,
    at_most_once,
)]
#[poll(get = "/generations/{job.id}")]
#[states(
    at = "$.state", queued = ["queued"], running = ["dreaming"], succeeded = ["completed"], failed = ["failed"],
    unknown = running(warn), rules(code == 404 => lost),
)]
#[outcome(json = "$.assets", files = auto_urls, refresh = poll, meta(model = "$.model"))]
#[errors(
    message = ["$.failure_reason", "$.detail"],
    400 | 404 | 422 => invalid_input, 401 | 403 => auth, 402 => billing,
    429 => rate_limited(wait = [header("retry-after")]), 5xx => transient,
)]
#[cancel(delete = "/generations/{job.id}", ok = [204], gone = [404], only_if = running)]
#[pace(first = "5s", min = "3s", max = "15s", deadline = "30m")]
#[limits(in_flight = env.max_concurrent)]
#[health(get = "/credits", every = "5m", metric(credit_cents = "$.credit_balance"))]
pub struct LumaConnector {
    /// A key from the dashboard.
    #[env("LUMA_API_KEY")]
    api_key: Secret,
    /// Generations at once, for this key.
    #[env("LUMA_MAX_CONCURRENT", default = 10, range = 1..=1000)]
    max_concurrent: u32,
}

/// A video or an image to make.
#[derive(Deserialize, JsonSchema)]
pub struct LumaPayload {
    /// What is made.
    #[schemars(example = &"video")]
    pub kind: LumaKind,
    /// The model: a Ray for videos, a Photon for images.
    #[schemars(length(min = 1), example = &"ray-2", example = &"photon-1")]
    pub model: String,
    /// What to show.
    #[schemars(length(min = 1), example = &"a lighthouse in the fog")]
    pub prompt: String,
    /// Everything else that the API takes: `aspect_ratio`, `duration`, `keyframes`, `image_ref`.
    #[schemars(example = serde_json::json!({ "aspect_ratio": "16:9", "duration": "5s" }))]
    pub params: Option<Map<String, Value>>,
}

/// What Luma makes.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LumaKind {
    /// A video.
    Video,
    /// An image.
    Image,
}
