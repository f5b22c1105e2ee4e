//! WaveSpeed: models of many kinds. The answer says at which URL to ask after a task.
//!
//! Source: WaveSpeed's documentation (submit, get result, status values), and Hugging Face's hub client, which speaks to it. WaveSpeed
//! publishes no OpenAPI description. What 402 and 429 mean, `webhook`, and the hosts of outputs are general knowledge; a link to any
//! other host stays a link.
//!
//! WaveSpeed has no idempotency key, so a lost answer leaves the job `uncertain` (`at_most_once`), and no cancel.

use emp_core::{Connector, Secret};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

/// Runs models on WaveSpeed.
#[derive(Connector)]
#[connector(service = "wavespeed", version = "1.0.0", payload = WaveSpeedPayload)]
#[http(base = "https://api.wavespeed.ai/api/v3")]
#[origins(download = ["*.cloudfront.net", "*.wavespeed.ai"])]
#[auth(bearer = api_key)]
#[submit(
    post = "/{+payload.model}",
    query("webhook" = webhook.url?),
    json { ..payload.input },
    envelope(ok = "$.code" == 200, message = "$.message"),
    capture(id = "$.data.id", poll_url = "$.data.urls.get"),
    at_most_once,
)]
#[poll(get = job.poll_url, envelope(ok = "$.code" == 200, message = "$.message"))]
#[states(
    at = "$.data.status", queued = ["created"], running = ["processing"], succeeded = ["completed"], failed = ["failed"],
    unknown = running(warn), rules(code == 404 => lost),
)]
#[outcome(json = "$.data.outputs", files = auto_urls, meta(run_ms = "$.data.timings.inference"))]
#[errors(
    message = ["$.data.error", "$.message"], code = "$.code",
    400 | 404 | 422 => invalid_input, 401 | 403 => auth, 402 => billing,
    429 => rate_limited(wait = [header("retry-after")]), 5xx => transient,
)]
#[pace(first = "1s", min = "500ms", max = "5s", deadline = "30m")]
pub struct WaveSpeedConnector {
    /// A key from the dashboard.
    #[env("WAVESPEED_API_KEY")]
    api_key: Secret,
}

/// A task for a model.
#[derive(Deserialize, JsonSchema)]
pub struct WaveSpeedPayload {
    /// The model's path.
    #[schemars(length(min = 1), example = &"wavespeed-ai/flux-dev")]
    pub model: String,
    /// The model's own input.
    #[schemars(example = serde_json::json!({ "prompt": "a lighthouse in the fog" }))]
    pub input: Map<String, Value>,
}
