//! OpenAI images: one request, one answer with the images in base64, as the GPT image models give them. A job that brings an image
//! edits it.
//!
//! Source: OpenAI's OpenAPI description (`createImage`, `createImageEdit`, `ImagesResponse`, `ErrorResponse`). The two codes of a
//! refused prompt are general knowledge: the description has no list of codes.
//!
//! An image cannot be looked up or merged, so a lost answer leaves the job `uncertain` (`at_most_once`).

use emp_core::asset::Asset;
use emp_core::{Connector, Secret, Url};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

/// Makes and edits images with OpenAI's models.
#[derive(Connector)]
#[connector(service = "openai-images", version = "1.0.0", mode = sync, payload = ImagesPayload)]
#[openapi(file = "openai-images.json")]
#[http(base = env.base_url)]
#[auth(bearer = api_key)]
#[submit(
    when = payload.image present,
    post = "/images/edits",
    header("OpenAI-Organization" = env.organization?),
    multipart {
        ..payload.params, model: payload.model ?? env.model, prompt: payload.prompt,
        image: file(payload.image, max = "50MB", types = ["image/png", "image/webp", "image/jpeg"]),
        mask: file(payload.mask?, max = "4MB", types = ["image/png"]),
    },
    timeout = "10m",
    rejects = [503],
    at_most_once,
)]
#[submit(
    post = "/images/generations",
    header("OpenAI-Organization" = env.organization?),
    json { ..payload.params, "model": payload.model ?? env.model, "prompt": payload.prompt },
    timeout = "10m",
    rejects = [503],
    at_most_once,
)]
#[outcome(base64 = "$.data[*].b64_json", min = 1, meta(usage = "$.usage", format = "$.output_format", request = header("x-request-id")))]
#[errors(
    message = "$.error.message", code = ["$.error.code", "$.error.type"],
    400 if "$.error.code" in ["moderation_blocked", "content_policy_violation"] => moderated,
    400 | 404 | 422 => invalid_input, 401 | 403 => auth, 429 if "$.error.code" == "insufficient_quota" => billing,
    429 => rate_limited(wait = [header("retry-after-ms") | millis, header("retry-after")]), 408 | 409 | 5xx => transient,
)]
#[limits(max_response = "64MiB")]
#[health(get = "/models", every = "5m")]
pub struct OpenAIImagesConnector {
    /// A key from the API dashboard.
    #[env("OPENAI_API_KEY")]
    api_key: Secret,
    /// Where the API is; `/v1` included.
    #[env("OPENAI_BASE_URL", default = "https://api.openai.com/v1")]
    base_url: Url,
    /// The model for jobs that name none.
    #[env("OPENAI_IMAGE_MODEL", default = "gpt-image-1")]
    model: String,
    /// The organization to bill, for keys that belong to several.
    #[env("OPENAI_ORG", optional)]
    organization: Option<String>,
}

/// Images to make, or an image to edit.
#[derive(Deserialize, JsonSchema)]
pub struct ImagesPayload {
    /// What to show, or what to change.
    #[schemars(length(min = 1), example = &"a lighthouse in the fog")]
    pub prompt: String,
    /// The model; `OPENAI_IMAGE_MODEL` when left out.
    #[schemars(example = &"gpt-image-1")]
    pub model: Option<String>,
    /// The image to edit.
    pub image: Option<Asset>,
    /// Where to edit it: where this one is transparent.
    pub mask: Option<Asset>,
    /// Everything else that the API takes: `n`, `size`, `quality`, `background`, `output_format`.
    #[schemars(example = serde_json::json!({ "size": "1024x1024", "output_format": "png" }))]
    pub params: Option<Map<String, Value>>,
}
