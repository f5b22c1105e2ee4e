//! OpenAI videos: a video is made in the background, and fetched by a request of its own.
//!
//! Source: OpenAI's OpenAPI description (`createVideo`, `GetVideo`, `RetrieveVideoContent`, `DeleteVideo`, `VideoResource`), all four
//! values of `status`. That `moderation_blocked` is the code of a refused prompt, and the advice in `openai-poll-after-ms`, are general
//! knowledge.
//!
//! A video cannot be merged or searched for, so a lost answer leaves the job `uncertain` (`at_most_once`). It cannot be cancelled
//! either: the route that deletes a video is for those that are done.

use emp_core::asset::Asset;
use emp_core::{Connector, Secret, Url};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

/// Makes videos with OpenAI's Sora models.
#[derive(Connector)]
#[connector(service = "openai-videos", version = "1.0.0", payload = VideosPayload)]
#[openapi(file = "openai-videos.json")]
#[http(base = env.base_url)]
#[auth(bearer = api_key)]
#[submit(
    post = "/videos",
    header("OpenAI-Organization" = env.organization?),
    multipart {
        ..payload.params, model: payload.model ?? env.model, prompt: payload.prompt,
        input_reference: file(payload.image?, types = ["image/jpeg", "image/png", "image/webp"]),
    },
    capture(id = "$.id"),
    feeds_poll,
    rejects = [503],
    at_most_once,
)]
#[poll(get = "/videos/{job.id}", header("OpenAI-Organization" = env.organization?), progress = "$.progress" | percent)]
#[states(
    at = "$.status", queued = ["queued"], running = ["in_progress"], succeeded = ["completed"], failed = ["failed"],
    unknown = running(warn),
    rules("$.error.code" == "moderation_blocked" => failed(moderated), code == 404 => lost),
)]
#[outcome(get = "/videos/{job.id}/content", header("OpenAI-Organization" = env.organization?), raw, mime = header("content-type"))]
#[errors(
    message = "$.error.message", code = ["$.error.code", "$.error.type"],
    400 | 404 | 422 => invalid_input, 401 | 403 => auth, 429 if "$.error.code" == "insufficient_quota" => billing,
    429 => rate_limited(wait = [header("retry-after-ms") | millis, header("retry-after")]), 408 | 409 | 5xx => transient,
)]
#[cleanup(delete = "/videos/{job.id}", header("OpenAI-Organization" = env.organization?), when = payload.ephemeral == true)]
#[pace(first = "5s", min = "5s", max = "20s", advice = [header("openai-poll-after-ms") | millis], deadline = "1h")]
#[health(get = "/models", every = "5m")]
pub struct OpenAIVideosConnector {
    /// A key from the API dashboard.
    #[env("OPENAI_API_KEY")]
    api_key: Secret,
    /// Where the API is; `/v1` included.
    #[env("OPENAI_BASE_URL", default = "https://api.openai.com/v1")]
    base_url: Url,
    /// The model for jobs that name none.
    #[env("OPENAI_VIDEO_MODEL", default = "sora-2")]
    model: String,
    /// The organization to bill, for keys that belong to several.
    #[env("OPENAI_ORG", optional)]
    organization: Option<String>,
}

/// A video to make.
#[derive(Deserialize, JsonSchema)]
pub struct VideosPayload {
    /// What to show.
    #[schemars(length(min = 1), example = &"a lighthouse in the fog")]
    pub prompt: String,
    /// The model; `OPENAI_VIDEO_MODEL` when left out.
    #[schemars(example = &"sora-2")]
    pub model: Option<String>,
    /// A picture that the video begins with, of the video's size.
    pub image: Option<Asset>,
    /// Everything else that the API takes: `seconds`, `size`.
    #[schemars(example = serde_json::json!({ "seconds": "4", "size": "1280x720" }))]
    pub params: Option<Map<String, Value>>,
    /// Whether the video is deleted at OpenAI when it is in the output store.
    #[schemars(example = false)]
    pub ephemeral: Option<bool>,
}
