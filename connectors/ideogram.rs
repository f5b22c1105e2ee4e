//! Ideogram: one request, one answer with the URLs of the images.
//!
//! Source: Ideogram's OpenAPI description (`POST /v1/ideogram-v3/generate`, `ImageObject`). A prompt that fails the safety check is a
//! 422; an image that fails it has `is_image_safe: false`. The URLs end after a while; for how long they live is written nowhere. Their
//! host is that of the description's examples.
//!
//! An image cannot be looked up or merged, so a lost answer leaves the job `uncertain` (`at_most_once`).

use emp_core::{Connector, Secret};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

/// Makes images with Ideogram.
#[derive(Connector)]
#[connector(service = "ideogram", version = "1.0.0", mode = sync, payload = IdeogramPayload)]
#[openapi(file = "ideogram.json")]
#[http(base = "https://api.ideogram.ai")]
#[origins(download = ["ideogram.ai"])]
#[auth(header("Api-Key") = "{api_key}")]
#[submit(
    post = "/v1/ideogram-v3/generate",
    json { ..payload.params, "prompt": payload.prompt },
    timeout = "5m",
    at_most_once,
)]
#[states(rules("$.data[?@.is_image_safe==true]" present => succeeded, code == 200 => failed(moderated, "no image is safe")))]
#[outcome(
    json = "$.data[?@.is_image_safe==true]" | all, files = auto_urls, partial(when = "$.data[?@.is_image_safe==false]" present),
    meta(created = "$.created"),
)]
#[errors(
    message = ["$.error", "$.detail"],
    422 => moderated, 400 | 404 => invalid_input, 401 | 403 => auth, 402 => billing,
    429 => rate_limited(wait = [header("retry-after")]), 5xx => transient,
)]
pub struct IdeogramConnector {
    /// A key from the API page.
    #[env("IDEOGRAM_API_KEY")]
    api_key: Secret,
}

/// Images to make.
#[derive(Deserialize, JsonSchema)]
pub struct IdeogramPayload {
    /// What to show.
    #[schemars(length(min = 1), example = &"a lighthouse in the fog")]
    pub prompt: String,
    /// Everything else that the API takes: `num_images`, `aspect_ratio`, `style_type`, `seed`.
    #[schemars(example = serde_json::json!({ "aspect_ratio": "16x9" }))]
    pub params: Option<Map<String, Value>>,
}
