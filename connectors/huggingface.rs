//! Hugging Face: models through its router, at its own inference and at fal's queue.
//!
//! Source: Hugging Face's hub client (`inference/_providers`: `hf_inference.py`, `fal_ai.py`, `_common.py`). For chat set
//! `OPENAI_BASE_URL=https://router.huggingface.co/v1` and use the OpenAI connector. That 503 says that a model is being loaded, what 402
//! and 429 mean, and the host of fal's files, are general knowledge. There is no OpenAPI description.
//!
//! fal answers with URLs of its own host, where the token means nothing: the router is asked for the same path below `/fal-ai`, as the
//! hub client does, so that the token goes to Hugging Face alone.
//!
//! Nothing can be looked up or merged, so a lost answer leaves the job `uncertain` (`at_most_once`).

use emp_core::{Connector, Secret};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

/// Runs models at Hugging Face's own inference: the answer's bytes are the result.
#[derive(Connector)]
#[connector(service = "huggingface", version = "1.0.0", mode = sync, payload = HuggingFacePayload)]
#[http(base = "https://router.huggingface.co")]
#[auth(bearer = token)]
#[submit(
    post = "/hf-inference/models/{+payload.model}",
    json { "inputs": payload.inputs, "parameters": payload.parameters? },
    timeout = "10m",
    rejects = [503],
    at_most_once,
)]
#[outcome(raw, mime = header("content-type"), meta(compute_secs = header("x-compute-time")))]
#[errors(
    message = ["$.error.message", "$.error"], code = ["$.error_type", "$.error.code"],
    400 | 404 | 413 | 422 => invalid_input, 401 | 403 => auth, 402 => billing,
    429 => rate_limited(wait = [header("retry-after")]), 503 => capacity(wait = ["$.estimated_time"]), 5xx => transient,
)]
#[limits(max_response = "64MiB")]
pub struct HuggingFaceConnector {
    /// A token that may make calls to inference providers.
    #[env("HF_TOKEN")]
    token: Secret,
}

/// Runs models in fal's queue through Hugging Face's router.
#[derive(Connector)]
#[connector(service = "huggingface-fal", version = "1.0.0", payload = HuggingFaceFalPayload)]
#[http(base = "https://router.huggingface.co/fal-ai")]
#[origins(download = ["*.fal.media", "storage.googleapis.com"])]
#[auth(bearer = token)]
#[submit(
    post = "/{+payload.model}",
    query("_subdomain" = "queue"),
    json { ..payload.input },
    capture(id = "$.request_id", path = "$.response_url" | last_match(r"^https?://[^/]+/([^?]+)")),
    at_most_once,
)]
#[poll(
    get = "/{+job.path}/status", query("_subdomain" = "queue", "logs" = "1"),
    queue_position = "$.queue_position", logs = "$.logs[*].message" | join("\n"),
)]
#[states(
    at = "$.status", queued = ["IN_QUEUE"], running = ["IN_PROGRESS"], succeeded = ["COMPLETED"], unknown = running(warn),
    rules("$.error" present => failed(service), code == 404 => lost),
)]
#[outcome(get = "/{+job.path}", query("_subdomain" = "queue"), json = "$", files = auto_urls, on_http_error => failed(service))]
#[errors(
    message = ["$.detail[*].msg" | join("; "), "$.detail", "$.error.message", "$.error"], code = "$.error_type",
    400 | 404 | 422 => invalid_input, 401 | 403 => auth, 402 => billing,
    429 => rate_limited(wait = [header("retry-after")]), 5xx => transient,
)]
#[pace(first = "1s", min = "500ms", max = "5s", slow_while(queued, "2s"), deadline = "30m")]
pub struct HuggingFaceFalConnector {
    /// A token that may make calls to inference providers.
    #[env("HF_TOKEN")]
    token: Secret,
}

/// What a model is asked.
#[derive(Deserialize, JsonSchema)]
pub struct HuggingFacePayload {
    /// The model.
    #[schemars(length(min = 1), example = &"black-forest-labs/FLUX.1-schnell")]
    pub model: String,
    /// A prompt, or what else the model's task takes.
    #[schemars(example = &"a lighthouse in the fog")]
    pub inputs: Value,
    /// The task's parameters.
    #[schemars(example = serde_json::json!({ "width": 1024, "height": 768 }))]
    pub parameters: Option<Map<String, Value>>,
}

/// A request for a model at fal.
#[derive(Deserialize, JsonSchema)]
pub struct HuggingFaceFalPayload {
    /// The model's path at fal, as the model's page at Hugging Face maps it.
    #[schemars(length(min = 1), example = &"fal-ai/wan/v2.2-a14b/text-to-video")]
    pub model: String,
    /// The model's own input. Files are http or data URLs.
    #[schemars(example = serde_json::json!({ "prompt": "a lighthouse in the fog" }))]
    pub input: Map<String, Value>,
}
