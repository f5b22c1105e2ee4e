//! Runway: videos, images and sound, as tasks.
//!
//! Source: Runway's OpenAPI description (`POST /v1/image_to_video` and the other tasks, `GET` and `DELETE /v1/tasks/{id}`,
//! `GET /v1/organization`), all six values of `status`. The version header is required by every operation. A failure code that
//! begins with `SAFETY.` is moderation; the description has one of them, `SAFETY.INPUT.IMAGE`. Links to outputs end after a day or two,
//! and the next poll has fresh ones. Their host is general knowledge; a link to any other stays a link.
//!
//! Runway has no idempotency key, so a lost answer leaves the job `uncertain` (`at_most_once`). The same `DELETE` that cancels a
//! running task deletes the output of a finished one.

use emp_core::{Connector, Secret};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

/// Makes videos, images and sound with Runway's models.
#[derive(Connector)]
#[connector(service = "runway", version = "1.0.0", payload = RunwayPayload)]
#[openapi(file = "runway.json")]
#[http(base = "https://api.dev.runwayml.com")]
#[origins(download = ["*.cloudfront.net"])]
#[auth(bearer = api_key)]
#[submit(
    post = "/v1/{payload.task}",
    header("X-Runway-Version" = "2024-11-06"),
    json { ..payload.input, "model": payload.model },
    capture(id = "$.id", estimated_credits = "$.estimatedCost.credits"),
    at_most_once,
)]
#[poll(get = "/v1/tasks/{job.id}", header("X-Runway-Version" = "2024-11-06"), progress = "$.progress" | fraction)]
#[states(
    at = "$.status", queued = ["PENDING", "THROTTLED"], running = ["RUNNING"], succeeded = ["SUCCEEDED"],
    failed = ["FAILED"], canceled = ["CANCELLED"], unknown = running(warn),
    rules("$.failureCode" matches r"^SAFETY" => failed(moderated), code == 404 => lost),
)]
#[outcome(json = "$.output", files = auto_urls, refresh = poll, keep_for = "24h", meta(credits = "$.cost.credits"))]
#[errors(
    message = ["$.failure", "$.error"], code = "$.failureCode",
    400 | 404 | 413 | 422 => invalid_input, 401 | 403 => auth, 402 => billing,
    429 => rate_limited(wait = [header("retry-after")]), 5xx => transient,
)]
#[cancel(delete = "/v1/tasks/{job.id}", header("X-Runway-Version" = "2024-11-06"), ok = [204], gone = [404], only_if = running)]
#[pace(first = "5s", min = "5s", max = "15s", deadline = "30m")]
#[health(get = "/v1/organization", header("X-Runway-Version" = "2024-11-06"), every = "5m", metric(credits = "$.creditBalance"))]
pub struct RunwayConnector {
    /// A key from the developer portal.
    #[env("RUNWAYML_API_SECRET")]
    api_key: Secret,
}

/// A task for Runway.
#[derive(Deserialize, JsonSchema)]
pub struct RunwayPayload {
    /// What is made of what.
    #[schemars(example = &"image_to_video")]
    pub task: RunwayTask,
    /// The model; each serves some of the tasks.
    #[schemars(length(min = 1), example = &"gen4_turbo")]
    pub model: String,
    /// Everything else that the task takes. Files are https, data or Runway URLs.
    #[schemars(example = serde_json::json!({
        "promptImage": "https://example.com/lighthouse.jpg", "promptText": "the fog lifts", "ratio": "1280:720", "duration": 5
    }))]
    pub input: Map<String, Value>,
}

/// A task's kind, which is its path.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunwayTask {
    /// A video that begins with an image.
    ImageToVideo,
    /// A video from a text.
    TextToVideo,
    /// A video made of another.
    VideoToVideo,
    /// An image from a text.
    TextToImage,
    /// A larger image.
    ImageUpscale,
    /// A larger video.
    VideoUpscale,
    /// A character that acts as another video shows.
    CharacterPerformance,
    /// A sound from a text.
    SoundEffect,
    /// Speech in another voice.
    SpeechToSpeech,
    /// Speech from a text.
    TextToSpeech,
    /// Speech in another language.
    VoiceDubbing,
    /// Speech without what is around it.
    VoiceIsolation,
}
