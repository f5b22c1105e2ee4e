//! Suno through a gateway (kie.ai, and sunoapi.org, whose API is the same): Suno itself has none.
//!
//! Source: the gateways' documentation (`POST /generate`, `GET /generate/record-info`), all eight values of `status`. Each answer is an
//! envelope whose `code` is 200, or not. What the other codes mean, and the hosts of the tracks, are general knowledge; a link to any
//! other host stays a link. There is no OpenAPI description at hand.
//!
//! The gateway insists on a `callBackUrl`. Where this installation has no public URL it gets `SUNO_CALLBACK_URL`, and the job is polled
//! as ever. A call that fails (`CALLBACK_EXCEPTION`) takes nothing away from tracks that are there.
//!
//! There is no idempotency key, so a lost answer leaves the job `uncertain` (`at_most_once`), and no cancel.

use emp_core::{Connector, Secret, Url};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

/// Makes songs with Suno's models.
#[derive(Connector)]
#[connector(service = "suno", version = "1.0.0", payload = SunoPayload)]
#[http(base = env.base_url)]
#[origins(download = ["*.aiquickdraw.com", "*.suno.ai", "*.api.box", "*.erweima.ai"])]
#[auth(bearer = api_key)]
#[submit(
    post = "/generate",
    json {
        ..payload.params, "prompt": payload.prompt, "model": payload.model ?? env.model,
        "customMode": payload.custom ?? false, "instrumental": payload.instrumental ?? false,
        "callBackUrl": webhook.url ?? env.callback_url,
    },
    envelope(ok = "$.code" == 200, message = "$.msg"),
    capture(id = "$.data.taskId"),
    at_most_once,
)]
#[poll(
    get = "/generate/record-info", query("taskId" = job.id), envelope(ok = "$.code" == 200, message = "$.msg"),
    progress_text = "$.data.status",
)]
#[states(
    at = "$.data.status", queued = ["PENDING"], running = ["TEXT_SUCCESS", "FIRST_SUCCESS"], succeeded = ["SUCCESS"],
    failed = ["CREATE_TASK_FAILED", "GENERATE_AUDIO_FAILED", "CALLBACK_EXCEPTION"], failed(moderated) = ["SENSITIVE_WORD_ERROR"],
    unknown = running(warn),
    rules("$.data.status" == "CALLBACK_EXCEPTION" && "$.data.response.sunoData[*].audioUrl" present => succeeded, code == 404 => lost),
)]
#[outcome(
    json = "$.data.response.sunoData[*].audioUrl" | all, files = auto_urls, keep_for = "14d",
    meta(tracks = "$.data.response.sunoData[*]['title', 'duration']" | all),
)]
#[errors(
    message = ["$.data.errorMessage", "$.msg"], code = "$.data.errorCode",
    200 if "$.code" in [400, 404, 413, 422] => invalid_input, 200 if "$.code" == 401 => auth, 200 if "$.code" == 402 => billing,
    200 if "$.code" in [405, 429, 430] => rate_limited, 200 if "$.code" == 455 => capacity, 200 if "$.code" in [500, 505] => transient,
    400 | 404 | 413 | 422 => invalid_input, 401 | 403 => auth, 402 => billing,
    429 => rate_limited(wait = [header("retry-after")]), 5xx => transient,
)]
#[pace(first = "10s", min = "5s", max = "20s", deadline = "30m")]
pub struct SunoConnector {
    /// A key of the gateway's.
    #[env("SUNO_API_KEY")]
    api_key: Secret,
    /// Where the gateway is; `/api/v1` included.
    #[env("SUNO_BASE_URL", default = "https://api.kie.ai/api/v1")]
    base_url: Url,
    /// The model for jobs that name none.
    #[env("SUNO_MODEL", default = "V5")]
    model: String,
    /// Where the gateway may call while this installation cannot be reached from outside.
    #[env("SUNO_CALLBACK_URL", default = "https://callback.invalid/")]
    callback_url: Url,
}

/// A song to make.
#[derive(Deserialize, JsonSchema)]
pub struct SunoPayload {
    /// What it is about; with `custom` its lyrics.
    #[schemars(length(min = 1), example = &"a shanty about a lighthouse in the fog")]
    pub prompt: String,
    /// The model; `SUNO_MODEL` when left out.
    #[schemars(example = &"V5")]
    pub model: Option<String>,
    /// Whether `params` has its `style` and its `title`.
    #[schemars(example = false)]
    pub custom: Option<bool>,
    /// Whether nobody sings.
    #[schemars(example = false)]
    pub instrumental: Option<bool>,
    /// Everything else that the API takes: `style`, `title`, `negativeTags`, `vocalGender`.
    #[schemars(example = serde_json::json!({ "negativeTags": "metal" }))]
    pub params: Option<Map<String, Value>>,
}
