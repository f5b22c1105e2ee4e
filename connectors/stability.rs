//! Stability AI: images whose bytes are the answer, and the ones that take longer and are asked after.
//!
//! Source: a third party's client that writes down what it saw of the live service (`finish-reason`, `{id, name, errors}`, 200 or 202
//! with an id), and clients that poll it (`202` while it runs, `200` with the image, `404` when it is gone). The official description
//! could not be had, so nothing is compared with it. The paths, what 402, 413 and 429 mean, and the limit of 150 requests in ten seconds
//! are general knowledge.
//!
//! A 200 is no success by itself: a picture that was filtered comes as a 200 too, blurred, and only the header `finish-reason` says so.
//!
//! Stability has no idempotency key, so a lost answer leaves the job `uncertain` (`at_most_once`), and no cancel.

use emp_core::asset::Asset;
use emp_core::{Connector, Secret};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

/// Makes and edits images with Stability AI's models, and waits for them.
#[derive(Connector)]
#[connector(service = "stability", version = "1.0.0", mode = sync, payload = StabilityPayload)]
#[http(base = "https://api.stability.ai")]
#[auth(bearer = api_key)]
#[submit(
    post = "/v2beta/stable-image/{+payload.task}",
    header("Accept" = "image/*"),
    multipart {
        ..payload.params, prompt: payload.prompt?, output_format: payload.format ?? "png",
        image: file(payload.image?, max = "10MB", types = ["image/jpeg", "image/png", "image/webp"]),
    },
    timeout = "5m",
    at_most_once,
)]
#[states(rules(
    header("finish-reason") == "CONTENT_FILTERED" => failed(moderated),
    code == 200 && header("finish-reason") == "SUCCESS" => succeeded,
    code == 200 => failed(bug, "a 200 without a finish-reason"),
))]
#[outcome(raw, mime = header("content-type"), meta(seed = header("seed")))]
#[errors(
    message = ["$.errors[*]" | join("; "), "$.message"], code = "$.name",
    400 | 404 | 413 | 422 => invalid_input, 401 => auth, 402 => billing, 403 => moderated,
    429 => rate_limited(wait = [header("retry-after")]), 5xx => transient,
)]
#[limits(rate = "150/10s", max_response = "64MiB")]
#[health(get = "/v1/user/balance", every = "5m", metric(credits = "$.credits"))]
pub struct StabilityConnector {
    /// A key from the account page.
    #[env("STABILITY_API_KEY")]
    api_key: Secret,
}

/// Runs Stability AI's slower tasks: images that become larger or are relit, and sound.
#[derive(Connector)]
#[connector(service = "stability-async", version = "1.0.0", payload = StabilityAsyncPayload)]
#[http(base = "https://api.stability.ai")]
#[auth(bearer = api_key)]
#[submit(
    post = "/v2beta/{+payload.task}",
    header("Accept" = "application/json"),
    multipart {
        ..payload.params, prompt: payload.prompt?, output_format: payload.format?,
        image: file(payload.image?, max = "10MB", types = ["image/jpeg", "image/png", "image/webp"]),
        subject_image: file(payload.subject_image?, max = "10MB", types = ["image/jpeg", "image/png", "image/webp"]),
    },
    accept = [200, 202],
    capture(id = "$.id"),
    at_most_once,
)]
#[poll(get = "/v2beta/results/{job.id}", header("Accept" = "*/*"))]
#[states(rules(
    code == 202 => running, code == 404 => lost,
    header("finish-reason") == "CONTENT_FILTERED" => failed(moderated),
    code == 200 && header("finish-reason") == "SUCCESS" => succeeded,
    code == 200 => failed(bug, "a 200 without a finish-reason"),
))]
#[outcome(raw, mime = header("content-type"), keep_for = "24h", meta(seed = header("seed")))]
#[errors(
    message = ["$.errors[*]" | join("; "), "$.message"], code = "$.name",
    400 | 404 | 413 | 422 => invalid_input, 401 => auth, 402 => billing, 403 => moderated,
    429 => rate_limited(wait = [header("retry-after")]), 5xx => transient,
)]
#[pace(first = "10s", min = "10s", max = "10s", deadline = "20m")]
#[limits(rate = "150/10s", max_response = "64MiB")]
#[health(get = "/v1/user/balance", every = "5m", metric(credits = "$.credits"))]
pub struct StabilityAsyncConnector {
    /// A key from the account page.
    #[env("STABILITY_API_KEY")]
    api_key: Secret,
}

/// An image to make or to edit.
#[derive(Deserialize, JsonSchema)]
pub struct StabilityPayload {
    /// What is done: the path below `/v2beta/stable-image`.
    #[schemars(length(min = 1), example = &"generate/core", example = &"edit/outpaint", example = &"upscale/fast")]
    pub task: String,
    /// What to show; some tasks take none.
    #[schemars(example = &"a lighthouse in the fog")]
    pub prompt: Option<String>,
    /// The image to begin with; some tasks need one.
    pub image: Option<Asset>,
    /// `png`, `jpeg` or `webp`.
    #[schemars(example = &"png")]
    pub format: Option<String>,
    /// Everything else that the task takes: `aspect_ratio`, `seed`, `negative_prompt`, `style_preset`.
    #[schemars(example = serde_json::json!({ "aspect_ratio": "16:9" }))]
    pub params: Option<Map<String, Value>>,
}

/// A task that takes its time.
#[derive(Deserialize, JsonSchema)]
pub struct StabilityAsyncPayload {
    /// What is done: the path below `/v2beta`.
    #[schemars(length(min = 1), example = &"stable-image/upscale/creative", example = &"stable-image/edit/replace-background-and-relight")]
    pub task: String,
    /// What to show, or what the image shows.
    #[schemars(example = &"a lighthouse in the fog")]
    pub prompt: Option<String>,
    /// The image that becomes larger.
    #[schemars(example = &"data:image/png;base64,iVBORw0KGgo=")]
    pub image: Option<Asset>,
    /// The image whose subject is relit.
    pub subject_image: Option<Asset>,
    /// `png`, `jpeg` or `webp`; for sound `mp3` or `wav`.
    #[schemars(example = &"png")]
    pub format: Option<String>,
    /// Everything else that the task takes: `seed`, `negative_prompt`, `creativity`.
    #[schemars(example = serde_json::json!({ "creativity": 0.3 }))]
    pub params: Option<Map<String, Value>>,
}
