//! ElevenLabs dubbing: a recording goes in, says how long it will take, and is fetched in another language.
//!
//! Source: ElevenLabs' OpenAPI description (`POST /v1/dubbing`, `GET` and `DELETE /v1/dubbing/{dubbing_id}`,
//! `GET /v1/dubbing/{dubbing_id}/audio/{language_code}`). It has no list of statuses: `dubbed`, `dubbing` and `failed` are in its
//! text, `preparing`, `queued` and `cloning` in its examples. What 402 and 429 mean is general knowledge, and so is that deleting a dub
//! stops it. The sound may not be there yet when the dub is: 425.
//!
//! ElevenLabs has no idempotency key, so a lost answer leaves the job `uncertain` (`at_most_once`).

use emp_core::asset::Asset;
use emp_core::{Connector, Secret};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

/// Dubs recordings into another language.
#[derive(Connector)]
#[connector(service = "elevenlabs-dubbing", version = "1.0.0", payload = DubbingPayload)]
// The description has the shape of a 422 alone; any other refusal is a text or `{ "status", "message" }`. It has no list of statuses.
#[openapi(file = "elevenlabs.json", allow = ["$.detail", "$.detail.message", "$.detail.status"])]
#[http(base = "https://api.elevenlabs.io")]
#[auth(header("xi-api-key") = "{api_key}")]
#[submit(
    post = "/v1/dubbing",
    multipart {
        ..payload.params, file: file(payload.recording, max = "1GB", types = ["audio/*", "video/*"]),
        target_lang: payload.target_lang, source_lang: payload.source_lang ?? "auto", name: queue.job_id,
    },
    timeout = "10m",
    capture(id = "$.dubbing_id", expected_secs = "$.expected_duration_sec"),
    at_most_once,
)]
#[poll(get = "/v1/dubbing/{job.id}")]
#[states(
    at = "$.status", queued = ["preparing", "queued"], running = ["cloning", "dubbing"], succeeded = ["dubbed"],
    failed = ["failed"], unknown = running(warn), rules(code == 404 => lost),
)]
#[outcome(
    get = "/v1/dubbing/{job.id}/audio/{payload.target_lang}", rules(code == 425 => running), timeout = "10m",
    raw, mime = header("content-type"),
)]
#[errors(
    message = ["$.error", "$.detail[*].msg" | join("; "), "$.detail.message", "$.detail"], code = "$.detail.status",
    400 | 404 | 422 => invalid_input, 401 | 403 => auth, 402 => billing,
    429 => rate_limited(wait = [header("retry-after")]), 5xx => transient,
)]
#[cancel(delete = "/v1/dubbing/{job.id}", ok = [200], gone = [404], only_if = running)]
#[cleanup(delete = "/v1/dubbing/{job.id}", when = payload.ephemeral == true)]
#[pace(first = "5s", min = "3s", max = "30s", eta = job.expected_secs, deadline = "4h")]
#[health(get = "/v1/user", every = "5m")]
pub struct ElevenLabsDubbingConnector {
    /// A key from the profile page.
    #[env("ELEVENLABS_API_KEY")]
    api_key: Secret,
}

/// A recording to dub.
#[derive(Deserialize, JsonSchema)]
pub struct DubbingPayload {
    /// The recording: sound or a video.
    #[schemars(example = &"data:audio/mpeg;base64,SUQzBAAAAAAAAA==")]
    pub recording: Asset,
    /// The language to dub it into.
    #[schemars(length(min = 1), example = &"es")]
    pub target_lang: String,
    /// The language that is spoken; found out when left out.
    #[schemars(example = &"en")]
    pub source_lang: Option<String>,
    /// Everything else that the API takes: `num_speakers`, `highest_resolution`, `drop_background_audio`.
    #[schemars(example = serde_json::json!({ "num_speakers": 1 }))]
    pub params: Option<Map<String, Value>>,
    /// Whether the dub is deleted at ElevenLabs when it is in the output store.
    #[schemars(example = false)]
    pub ephemeral: Option<bool>,
}
