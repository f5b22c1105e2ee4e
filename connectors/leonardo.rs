//! Leonardo.Ai: images from a prompt. Each route wraps its answer in an object of its own.
//!
//! Source: Leonardo's OpenAPI description (`createGeneration`, `getGenerationById`, `deleteGenerationById`, `getUserSelf`), all three
//! values of `status`. A generation that does not exist is a 200 with a null; a failed one has no text that says why. The host of the
//! images is that of the description's examples.
//!
//! Leonardo has no idempotency key, so a lost answer leaves the job `uncertain` (`at_most_once`). A cancel deletes the generation.

use emp_core::{Connector, Secret};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

/// Makes images with Leonardo's models.
#[derive(Connector)]
#[connector(service = "leonardo", version = "1.0.0", payload = LeonardoPayload)]
#[openapi(file = "leonardo.json")]
#[http(base = "https://cloud.leonardo.ai/api/rest/v1")]
#[origins(download = ["cdn.leonardo.ai"])]
#[auth(bearer = api_key)]
#[submit(
    post = "/generations",
    json { ..payload.params, "prompt": payload.prompt, "modelId": payload.model? },
    capture(id = "$.sdGenerationJob.generationId", cost = "$.sdGenerationJob.apiCreditCost"),
    at_most_once,
)]
#[poll(get = "/generations/{job.id}")]
#[states(
    at = "$.generations_by_pk.status", running = ["PENDING"], succeeded = ["COMPLETE"], failed = ["FAILED"],
    unknown = running(warn), rules(code == 404 || code == 200 && "$" present && "$.generations_by_pk" absent => lost),
)]
#[outcome(json = "$.generations_by_pk.generated_images", files = auto_urls, meta(seed = "$.generations_by_pk.seed"))]
#[errors(
    message = ["$.error", "$.message"], code = "$.code",
    400 | 404 | 422 => invalid_input, 401 | 403 => auth, 402 => billing,
    429 => rate_limited(wait = [header("retry-after")]), 5xx => transient,
)]
#[cancel(delete = "/generations/{job.id}", ok = [200], gone = [404], only_if = running)]
#[pace(first = "3s", min = "2s", max = "10s", deadline = "15m")]
#[limits(in_flight = env.max_concurrent)]
#[health(get = "/me", every = "5m")]
pub struct LeonardoConnector {
    /// A key from the API page.
    #[env("LEONARDO_API_KEY")]
    api_key: Secret,
    /// Generations at once, for this key.
    #[env("LEONARDO_MAX_CONCURRENT", default = 10, range = 1..=1000)]
    max_concurrent: u32,
}

/// Images to make.
#[derive(Deserialize, JsonSchema)]
pub struct LeonardoPayload {
    /// What to show.
    #[schemars(length(min = 1), example = &"a lighthouse in the fog")]
    pub prompt: String,
    /// The model's id; the API's own default when left out.
    #[schemars(example = &"b24e16ff-06e3-43eb-8d33-4416c2d75876")]
    pub model: Option<String>,
    /// Everything else that the API takes: `num_images`, `width`, `height`, `presetStyle`.
    #[schemars(example = serde_json::json!({ "num_images": 1, "width": 1024, "height": 768 }))]
    pub params: Option<Map<String, Value>>,
}
