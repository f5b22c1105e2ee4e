//! AUTOMATIC1111's web UI, and those that speak its API (Forge, SD.Next): one request, and beside it the progress.
//!
//! Source: its `modules/api/models.py` and `api.py` (`txt2img`, `img2img`, `ProgressResponse`, `interruptapi`): images are base64, `info`
//! is JSON in a text. That an interrupt ends whatever runs is general knowledge, and so are the shapes of its errors.
//!
//! It works at one image at a time, and nobody is billed, so a lost answer means that the image is made again. An interrupt is sent while
//! our request is open, whether it runs or waits: have one worker process for each web UI, and nobody else at it.

use emp_core::asset::Asset;
use emp_core::{Connector, Secret, Url};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

/// Makes images with a Stable Diffusion web UI of one's own.
#[derive(Connector)]
#[connector(service = "a1111", version = "1.0.0", mode = sync, payload = A1111Payload)]
#[http(base = env.url, allow_http)]
#[auth(basic(user = user, password = password))]
#[submit(
    when = payload.image present,
    post = "/sdapi/v1/img2img",
    json {
        ..payload.params, "prompt": payload.prompt, "negative_prompt": payload.negative_prompt?,
        "init_images": [base64(payload.image)], "force_task_id": queue.job_id,
    },
    timeout = env.timeout,
    billable = false,
)]
#[submit(
    post = "/sdapi/v1/txt2img",
    json { ..payload.params, "prompt": payload.prompt, "negative_prompt": payload.negative_prompt?, "force_task_id": queue.job_id },
    timeout = env.timeout,
    billable = false,
)]
#[side_progress(
    get = "/sdapi/v1/progress", query("skip_current_image" = "true"), progress = "$.progress" | fraction,
    eta = "$.eta_relative", progress_text = "$.state.job",
)]
#[outcome(base64 = "$.images[*]", min = 1, too_few => failed(service), meta(info = "$.info" | parse_json))]
#[errors(
    message = ["$.detail[*].msg" | join("; "), "$.detail", "$.errors", "$.error"], code = "$.error",
    400 | 404 | 422 => invalid_input, 401 | 403 => auth, 5xx => transient,
)]
#[cancel(post = "/sdapi/v1/interrupt", scope = service)]
#[limits(in_flight = 1, max_response = "256MiB")]
#[health(get = "/sdapi/v1/progress", query("skip_current_image" = "true"), every = "15s", metric(queued = "$.state.job_count"))]
pub struct A1111Connector {
    /// Where it listens.
    #[env("A1111_URL", default = "http://127.0.0.1:7860")]
    url: Url,
    /// The user of `--api-auth`, where it was started with that.
    #[env("A1111_USER", default = "")]
    user: String,
    /// The password that belongs to it.
    #[env("A1111_PASSWORD", optional)]
    password: Option<Secret>,
    /// For how long one request may take: as long as its images.
    #[env("A1111_TIMEOUT", default = "30m", range = 1..=86400)]
    timeout: std::time::Duration,
}

/// An image to make.
#[derive(Deserialize, JsonSchema)]
pub struct A1111Payload {
    /// What to show.
    #[schemars(length(min = 1), example = &"a lighthouse in the fog")]
    pub prompt: String,
    /// What not to show.
    #[schemars(example = &"people")]
    pub negative_prompt: Option<String>,
    /// The image to begin with.
    pub image: Option<Asset>,
    /// Everything else that the API takes: `steps`, `sampler_name`, `width`, `height`, `seed`, `batch_size`.
    #[schemars(example = serde_json::json!({ "steps": 20, "width": 512, "height": 512 }))]
    pub params: Option<Map<String, Value>>,
}
