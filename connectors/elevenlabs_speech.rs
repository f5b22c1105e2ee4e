//! ElevenLabs speech: one request, and the answer's bytes are the sound.
//!
//! Source: ElevenLabs' OpenAPI description (`POST /v1/text-to-speech/{voice_id}`). The two headers with the cost and the request are
//! general knowledge, and so is what 402 and 429 mean.
//!
//! Speech cannot be looked up or merged, so a lost answer leaves the job `uncertain` (`at_most_once`).

use emp_core::{Connector, Secret};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

/// Speaks a text with one of ElevenLabs' voices.
#[derive(Connector)]
#[connector(service = "elevenlabs-speech", version = "1.0.0", mode = sync, payload = SpeechPayload)]
// The description has the shape of a 422 alone; any other refusal is a text or `{ "status", "message" }`.
#[openapi(file = "elevenlabs.json", allow = ["$.detail", "$.detail.message", "$.detail.status"])]
#[http(base = "https://api.elevenlabs.io")]
#[auth(header("xi-api-key") = "{api_key}")]
#[submit(
    post = "/v1/text-to-speech/{payload.voice}",
    query("output_format" = payload.format?),
    json { ..payload.params, "text": payload.text, "model_id": payload.model ?? env.model },
    timeout = "5m",
    at_most_once,
)]
#[outcome(raw, mime = header("content-type"), meta(characters = header("character-cost"), request = header("request-id")))]
#[errors(
    message = ["$.detail[*].msg" | join("; "), "$.detail.message", "$.detail"], code = "$.detail.status",
    400 | 404 | 422 => invalid_input, 401 | 403 => auth, 402 => billing,
    429 => rate_limited(wait = [header("retry-after")]), 5xx => transient,
)]
#[limits(in_flight = env.max_concurrent)]
#[health(get = "/v1/models", every = "5m")]
pub struct ElevenLabsSpeechConnector {
    /// A key from the profile page.
    #[env("ELEVENLABS_API_KEY")]
    api_key: Secret,
    /// The model for jobs that name none.
    #[env("ELEVENLABS_MODEL", default = "eleven_multilingual_v2")]
    model: String,
    /// Requests at once, for this key.
    #[env("ELEVENLABS_MAX_CONCURRENT", default = 4, range = 1..=1000)]
    max_concurrent: u32,
}

/// A text to speak.
#[derive(Deserialize, JsonSchema)]
pub struct SpeechPayload {
    /// The text.
    #[schemars(length(min = 1), example = &"The fog lifts.")]
    pub text: String,
    /// The voice's id.
    #[schemars(length(min = 1), example = &"21m00Tcm4TlvDq8ikWAM")]
    pub voice: String,
    /// The model; `ELEVENLABS_MODEL` when left out.
    #[schemars(example = &"eleven_multilingual_v2")]
    pub model: Option<String>,
    /// Codec, sample rate and bit rate.
    #[schemars(example = &"mp3_44100_128")]
    pub format: Option<String>,
    /// Everything else that the API takes: `voice_settings`, `language_code`, `seed`.
    #[schemars(example = serde_json::json!({ "seed": 12345 }))]
    pub params: Option<Map<String, Value>>,
}
