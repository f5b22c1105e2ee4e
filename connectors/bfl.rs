//! Black Forest Labs: FLUX images. The answer to a submit says at which URL to ask after the task, perhaps on a regional host.
//!
//! Source: BFL's OpenAPI description (`generate_flux_2_pro`, `get_result`, `get_credits`, `ResultResponse`), all six values of
//! `status`; `result` is untyped there. 402, the limit of 24 tasks, `retry_after` in the body of a 429 and the ten minutes for
//! which an image is kept are from BFL's guide. Asking for a result takes no key, so a regional host gets none. With a webhook BFL would
//! not say where to ask after a task, so it is given none. The hosts of images are general knowledge; a link to any other stays a link.
//!
//! BFL has no idempotency key and no list of tasks, so a lost answer leaves the job `uncertain` (`at_most_once`).

use emp_core::{Connector, Secret};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

/// Makes and edits images with the FLUX models.
#[derive(Connector)]
#[connector(service = "bfl", version = "1.0.0", payload = BflPayload)]
// Refusals other than 422 have a text in `detail`, which the description does not mention.
#[openapi(file = "bfl.json", poll = "GET /v1/get_result", allow = ["$.detail"])]
#[http(base = "https://api.bfl.ai")]
#[origins(follow = ["*.bfl.ai"], download = ["*.bfl.ai", "*.blob.core.windows.net"])]
#[auth(header("x-key") = "{api_key}")]
#[submit(
    post = "/v1/{payload.model ?? env.model}",
    json { ..payload.params, "prompt": payload.prompt },
    capture(id = "$.id", poll_url = "$.polling_url", cost = "$.cost"),
    at_most_once,
)]
#[poll(get = job.poll_url, progress = "$.progress" | fraction)]
#[states(
    at = "$.status", running = ["Pending"], succeeded = ["Ready"], failed = ["Error"],
    failed(moderated) = ["Request Moderated", "Content Moderated"], lost = ["Task not found"], unknown = running(warn),
    rules(code == 404 => lost),
)]
#[outcome(json = "$.result", files = auto_urls, keep_for = "10m")]
#[errors(
    message = ["$.detail[*].msg" | join("; "), "$.detail", "$.details..*" | join("; ")],
    400 | 404 | 422 => invalid_input, 401 | 403 => auth, 402 => billing,
    429 => rate_limited(wait = [header("retry-after"), "$.retry_after"]), 5xx => transient,
)]
#[pace(first = "1s", min = "500ms", max = "5s", deadline = "10m")]
#[limits(in_flight = env.max_concurrent)]
#[health(get = "/v1/credits", every = "5m", metric(credits = "$.credits"))]
pub struct BflConnector {
    /// A key from the dashboard.
    #[env("BFL_API_KEY")]
    api_key: Secret,
    /// The model for jobs that name none.
    #[env("BFL_MODEL", default = "flux-2-pro")]
    model: String,
    /// Tasks at once, for this key.
    #[env("BFL_MAX_CONCURRENT", default = 24, range = 1..=1000)]
    max_concurrent: u32,
}

/// An image to make.
#[derive(Deserialize, JsonSchema)]
pub struct BflPayload {
    /// What to show.
    #[schemars(length(min = 1), example = &"a lighthouse in the fog")]
    pub prompt: String,
    /// The model's path below `/v1`; `BFL_MODEL` when left out.
    #[schemars(example = &"flux-2-pro", example = &"flux-kontext-max")]
    pub model: Option<String>,
    /// The model's other parameters: sizes, seed, `input_image` as base64 or URL.
    #[schemars(example = serde_json::json!({ "width": 1024, "height": 768, "output_format": "png" }))]
    pub params: Option<Map<String, Value>>,
}
