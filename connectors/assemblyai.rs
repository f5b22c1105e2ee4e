//! AssemblyAI: transcripts of audio and video.
//!
//! Source: AssemblyAI's OpenAPI description (`createTranscript`, `getTranscript`, `TranscriptParams`, `Error`), all four values of
//! `status`. The key stands in `Authorization` without a scheme.
//!
//! AssemblyAI has no idempotency key, so a lost answer leaves the job `uncertain` (`at_most_once`), and no cancel.

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
#[submit(
    post = "/v2/transcript",
    json { ..payload.params, "audio_url": payload.audio, "speech_models": payload.speech_models ?? env.speech_models },
    capture(id = "$.id"),
    feeds_poll,
    at_most_once,
)]
#[poll(get = "/v2/transcript/{job.id}")]
#[states(
    at = "$.status", queued = ["queued"], running = ["processing"], succeeded = ["completed"], failed = ["error"],
    unknown = running(warn), rules(code == 404 => lost),
)]
#[outcome(text = "$.text", json = "$", meta(seconds = "$.audio_duration", language = "$.language_code"))]
#[errors(
    message = "$.error",
    400 | 404 | 422 => invalid_input, 401 | 403 => auth, 402 => billing,
    429 => rate_limited(wait = [header("retry-after")]), 5xx => transient,
)]
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
    /// The recording's URL.
    #[schemars(length(min = 1), example = &"https://example.com/interview.mp3")]
    pub audio: String,
    /// The models, in order of preference; `ASSEMBLYAI_SPEECH_MODELS` when left out.
    #[schemars(example = serde_json::json!(["universal-2"]))]
    pub speech_models: Option<Vec<String>>,
    /// Everything else that the API takes: `language_code`, `speaker_labels`, `redact_pii`.
    #[schemars(example = serde_json::json!({ "speaker_labels": true }))]
    pub params: Option<Map<String, Value>>,
}
