//! Gemini: one request, one answer.
//!
//! Source: Google's Python SDK (`models.generate_content`, `GenerateContentResponse`, `FinishReason`, `BlockedReason`). Google
//! publishes no OpenAPI description of it. The fields of `error`, and what 429 means, are general knowledge.
//!
//! An answer cannot be looked up or merged, so a lost one leaves the job `uncertain` (`at_most_once`).

use emp_core::{Connector, Secret};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

/// Gemini: text, tools and images from Google's models.
#[derive(Connector)]
#[connector(service = "gemini", version = "1.0.0", mode = sync, payload = GeminiPayload)]
#[http(base = "https://generativelanguage.googleapis.com/v1beta")]
#[auth(header("x-goog-api-key") = "{api_key}")]
#[submit(
    post = "/models/{payload.model ?? env.model}:generateContent",
    json {
        "contents": payload.contents, "systemInstruction": payload.system_instruction?, "tools": payload.tools?,
        "generationConfig": payload.generation_config?, "safetySettings": payload.safety_settings?,
    },
    timeout = "10m",
    at_most_once,
)]
#[states(rules(
    "$.promptFeedback.blockReason" present => failed(moderated),
    "$.candidates[0].finishReason" in ["SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY"] => failed(moderated),
    code == 200 => succeeded,
))]
#[outcome(
    text = "$.candidates[0].content.parts[*].text" | join(""), json = "$.candidates[0].content",
    meta(finish = "$.candidates[0].finishReason", usage = "$.usageMetadata", model = "$.modelVersion"),
)]
#[errors(
    message = ["$.error.message", "$.promptFeedback.blockReason"], code = ["$.error.status", "$.error.code"],
    400 | 404 => invalid_input, 401 | 403 => auth,
    429 => rate_limited(wait = [header("retry-after")]), 5xx => transient,
)]
#[limits(max_response = "32MiB")]
#[health(get = "/models", every = "5m")]
pub struct GeminiConnector {
    /// A key from Google AI Studio.
    #[env("GEMINI_API_KEY")]
    api_key: Secret,
    /// The model for jobs that name none.
    #[env("GEMINI_MODEL", default = "gemini-2.5-flash")]
    model: String,
}

/// A conversation to go on with; the API's own words.
#[derive(Deserialize, JsonSchema)]
pub struct GeminiPayload {
    /// The conversation so far: each turn has a `role` and `parts`.
    #[schemars(length(min = 1), example = serde_json::json!([{ "role": "user", "parts": [{ "text": "Say hello." }] }]))]
    pub contents: Vec<Map<String, Value>>,
    /// The model; `GEMINI_MODEL` when left out.
    #[schemars(example = &"gemini-2.5-flash")]
    pub model: Option<String>,
    /// What the model is told before the conversation.
    #[schemars(example = serde_json::json!({ "parts": [{ "text": "Answer in one sentence." }] }))]
    pub system_instruction: Option<Map<String, Value>>,
    /// Tools that the model may use.
    pub tools: Option<Vec<Map<String, Value>>>,
    /// `temperature`, `maxOutputTokens`, `responseSchema`.
    #[schemars(example = serde_json::json!({ "temperature": 0.7 }))]
    pub generation_config: Option<Map<String, Value>>,
    /// What is filtered, and from which degree on.
    pub safety_settings: Option<Vec<Map<String, Value>>>,
}
