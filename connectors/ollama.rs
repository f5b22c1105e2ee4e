//! Ollama: models on a machine of one's own.
//!
//! Source: Ollama's OpenAPI description (`generate`, `version`, `GenerateRequest`, `GenerateResponse`, `ErrorResponse`). The
//! answer is lines of JSON; the last one says `done`. An error in the middle is a line too, under HTTP 200.
//!
//! Nobody is billed for a generation (`billable = false`), so one whose answer was lost is simply made again.

use emp_core::{Connector, Secret, Url};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

/// Generates text with a model that Ollama runs; it is told while it comes.
#[derive(Connector)]
#[connector(service = "ollama", version = "1.0.0", mode = stream, payload = OllamaPayload)]
#[openapi(file = "ollama.json")]
#[http(base = env.base_url, allow_http)]
#[auth(bearer = api_key)]
#[submit(
    post = "/api/generate",
    json {
        "model": payload.model ?? env.model, "prompt": payload.prompt, "system": payload.system?, "images": payload.images?,
        "format": payload.format?, "options": payload.options?, "think": payload.think?, "keep_alive": env.keep_alive,
    },
    timeout = env.timeout,
    billable = false,
)]
#[stream(ndjson, delta = "$.response", done = "$.done" == true, error = "$.error", idle_timeout = "5m")]
#[outcome(
    text = deltas,
    meta(finish = "$.done_reason", tokens = "$.eval_count", prompt_tokens = "$.prompt_eval_count", total_ns = "$.total_duration"),
)]
#[errors(message = "$.error", 400 | 404 => invalid_input, 401 | 403 => auth, 429 => rate_limited, 5xx => transient)]
#[limits(in_flight = env.max_concurrent)]
#[cancel(drop_connection)]
#[health(get = "/api/version", every = "15s")]
pub struct OllamaConnector {
    /// Where Ollama is.
    #[env("OLLAMA_URL", default = "http://127.0.0.1:11434")]
    base_url: Url,
    /// A key, where a proxy or Ollama's own cloud asks for one.
    #[env("OLLAMA_API_KEY", optional)]
    api_key: Option<Secret>,
    /// The model for jobs that name none.
    #[env("OLLAMA_MODEL", default = "llama3.2")]
    model: String,
    /// For how long a model stays loaded after a generation.
    #[env("OLLAMA_KEEP_ALIVE", default = "5m")]
    keep_alive: String,
    /// For how long a generation may take.
    #[env("OLLAMA_TIMEOUT", default = "10m", range = 1..=86400)]
    timeout: std::time::Duration,
    /// Generations at once.
    #[env("OLLAMA_MAX_CONCURRENT", default = 1, range = 1..=1000)]
    max_concurrent: u32,
}

/// A text to generate.
#[derive(Deserialize, JsonSchema)]
pub struct OllamaPayload {
    /// What the model answers to.
    #[schemars(length(min = 1), example = &"Why is the sky blue?")]
    pub prompt: String,
    /// The model; `OLLAMA_MODEL` when left out.
    #[schemars(example = &"llama3.2")]
    pub model: Option<String>,
    /// What the model is told before the prompt.
    #[schemars(example = &"Answer in one sentence.")]
    pub system: Option<String>,
    /// Images in base64, for models that see.
    pub images: Option<Vec<String>>,
    /// `json`, or a JSON Schema for the answer.
    pub format: Option<Value>,
    /// `temperature`, `seed`, `num_ctx`, `num_predict`.
    #[schemars(example = serde_json::json!({ "temperature": 0.7 }))]
    pub options: Option<Map<String, Value>>,
    /// Whether a reasoning model thinks aloud, or how much.
    pub think: Option<Value>,
}
