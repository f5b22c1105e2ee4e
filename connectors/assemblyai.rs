//! AssemblyAI: transcripts of audio and video.
//!
//! Source: AssemblyAI's OpenAPI description (`uploadFile`, `createTranscript`, `getTranscript`, `getSubtitles`, `deleteTranscript`,
//! `TranscriptParams`, `Error`), all four values of `status`. The key stands in `Authorization` without a scheme. A recording that has
//! no URL is uploaded first; an uploaded one can be read with keys of the same project only.
//!
//! AssemblyAI has no idempotency key, so a lost answer leaves the job `uncertain` (`at_most_once`), and no cancel.

use emp_core::asset::Asset;
use emp_core::{Connector, Secret};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

/// Transcribes audio and video.
#[derive(Connector)]
#[connector(service = "assemblyai", version = "1.0.0", payload = TranscriptPayload)]
#[openapi(file = "assemblyai.json")]
#[http(base = "https://api.assemblyai.com")]
#[auth(header("Authorization") = "{api_key}")]
#[prepare(
    unless = payload.audio is url,
    post = "/v2/upload",
    raw(file(payload.audio, types = ["audio/*", "video/*"]), content_type = "application/octet-stream"),
    timeout = "10m",
    capture(audio_url = "$.upload_url"),
)]
#[submit(
    post = "/v2/transcript",
    json {
        ..payload.params, "audio_url": prepared.audio_url ?? url(payload.audio),
        "speech_models": payload.speech_models ?? env.speech_models, "webhook_url": webhook.url?,
    },
    capture(id = "$.id"),
    feeds_poll,
    at_most_once,
)]
#[poll(get = "/v2/transcript/{job.id}")]
#[states(
    at = "$.status", queued = ["queued"], running = ["processing"], succeeded = ["completed"], failed = ["error"],
    unknown = running(warn), rules(code == 404 => lost),
)]
#[outcome(
    text = "$.text", json = "$", meta(seconds = "$.audio_duration", language = "$.language_code"),
    also(srt = get("/v2/transcript/{job.id}/srt", raw) if payload.srt == true),
)]
#[errors(
    message = "$.error",
    400 | 404 | 422 => invalid_input, 401 | 403 => auth, 402 => billing,
    429 => rate_limited(wait = [header("retry-after")]), 5xx => transient,
)]
#[cleanup(delete = "/v2/transcript/{job.id}", when = payload.ephemeral == true)]
#[pace(first = "3s", min = "3s", max = "15s", advice = [header("retry-after")], deadline = "2h")]
#[limits(in_flight = env.max_concurrent, max_response = "64MiB")]
#[health(get = "/v2/transcript", query("limit" = "1"), every = "5m")]
pub struct AssemblyAIConnector {
    /// A key from the dashboard.
    #[env("ASSEMBLYAI_API_KEY")]
    api_key: Secret,
    /// The models for jobs that name none, in order of preference.
    #[env("ASSEMBLYAI_SPEECH_MODELS", default = "universal-3-pro,universal-2")]
    speech_models: Vec<String>,
    /// Transcripts at once, for this key.
    #[env("ASSEMBLYAI_MAX_CONCURRENT", default = 200, range = 1..=10000)]
    max_concurrent: u32,
}

/// A recording to transcribe.
#[derive(Deserialize, JsonSchema)]
pub struct TranscriptPayload {
    /// The recording: its URL, which AssemblyAI fetches, or its bytes, which are uploaded.
    #[schemars(example = &"https://example.com/interview.mp3")]
    pub audio: Asset,
    /// The models, in order of preference; `ASSEMBLYAI_SPEECH_MODELS` when left out.
    #[schemars(example = serde_json::json!(["universal-2"]))]
    pub speech_models: Option<Vec<String>>,
    /// Whether subtitles are kept beside the transcript.
    #[schemars(example = false)]
    pub srt: Option<bool>,
    /// Whether the transcript is deleted at AssemblyAI when its result is stored.
    #[schemars(example = false)]
    pub ephemeral: Option<bool>,
    /// Everything else that the API takes: `language_code`, `speaker_labels`, `redact_pii`.
    #[schemars(example = serde_json::json!({ "speaker_labels": true }))]
    pub params: Option<Map<String, Value>>,
}
