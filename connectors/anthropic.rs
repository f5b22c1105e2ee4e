//! Anthropic messages: one request, one answer.
//!
//! Source: Anthropic's OpenAPI description (`messages_post`, `CreateMessageParams`, `Message`, the nine `..Error` types). The
//! version header is optional there and needed in practice; 402 and 529 (overloaded) are from the API's page of errors.
//!
//! A message cannot be looked up or merged, so a lost answer leaves the job `uncertain` (`at_most_once`). Only 529, by which the
//! service says that it is overloaded, is taken for a refusal.

use emp_core::{Connector, Secret, Url};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Anthropic messages.
#[derive(Connector)]
#[connector(service = "anthropic", version = "1.0.0", mode = sync, payload = MessagesPayload)]
// The events of a stream are not in the description of the answer.
#[openapi(file = "anthropic.json", allow = ["$.delta.stop_reason"])]
#[http(base = env.base_url)]
#[auth(header("x-api-key") = "{api_key}")]
#[submit(
    post = "/v1/messages",
    header("anthropic-version" = "2023-06-01"),
    json {
        "model": payload.model ?? env.model, "max_tokens": payload.max_tokens ?? env.max_tokens,
        "messages": payload.messages, "system": payload.system?, "temperature": payload.temperature?,
        "stop_sequences": payload.stop_sequences?, "tools": payload.tools?, "tool_choice": payload.tool_choice?,
        "thinking": payload.thinking?, "output_config": payload.output_config?,
    },
    timeout = "10m",
    rejects = [529],
    at_most_once,
)]
#[stream(
    sse, when = payload.stream == true, json { "stream": true }, delta = "$.delta.text",
    done = "$.delta.stop_reason" present, error = "$.error.message", idle_timeout = "2m",
)]
#[states(rules(
    "$.stop_reason" == "refusal" || "$.delta.stop_reason" == "refusal" => failed(moderated), code == 200 => succeeded,
))]
#[outcome(
    text = ["$.content[?@.type=='text'].text" | join(""), deltas], json = "$.content",
    meta(stop = ["$.stop_reason", "$.delta.stop_reason"], usage = "$.usage", request = header("request-id")),
)]
#[errors(
    message = ["$.error.message", "$.stop_details.explanation"], code = "$.error.type",
    400 | 404 | 413 => invalid_input, 401 | 403 => auth, 402 => billing,
    429 => rate_limited(wait = [header("retry-after")]), 529 => capacity, 408 | 409 | 5xx => transient,
)]
#[cancel(drop_connection)]
#[health(get = "/v1/models", header("anthropic-version" = "2023-06-01"), every = "5m")]
pub struct AnthropicConnector {
    /// A key from the console.
    #[env("ANTHROPIC_API_KEY")]
    api_key: Secret,
    /// Where the API is; `/v1` not included.
    #[env("ANTHROPIC_BASE_URL", default = "https://api.anthropic.com")]
    base_url: Url,
    /// The model for jobs that name none.
    #[env("ANTHROPIC_MODEL", default = "claude-sonnet-4-6")]
    model: String,
    /// The most tokens to generate for jobs that do not say.
    #[env("ANTHROPIC_MAX_TOKENS", default = 4096, range = 1..=1_000_000)]
    max_tokens: u32,
}

/// A conversation to go on with; the API's own words.
#[derive(Deserialize, JsonSchema)]
pub struct MessagesPayload {
    /// The conversation so far, which ends with the person.
    #[schemars(length(min = 1), example = serde_json::json!([{ "role": "user", "content": "Say hello." }]))]
    pub messages: Vec<Message>,
    /// The model; `ANTHROPIC_MODEL` when left out.
    #[schemars(example = &"claude-sonnet-4-6")]
    pub model: Option<String>,
    /// The most tokens to generate; `ANTHROPIC_MAX_TOKENS` when left out.
    #[schemars(range(min = 1), example = 256)]
    pub max_tokens: Option<u32>,
    /// Instructions: a text, or a list of text blocks.
    #[schemars(example = &"Answer in one sentence.")]
    pub system: Option<Value>,
    /// 0 to 1: the higher, the more random.
    #[schemars(range(min = 0.0, max = 1.0), example = 0.7)]
    pub temperature: Option<f64>,
    /// Whether the text is told while it comes.
    #[schemars(example = false)]
    pub stream: Option<bool>,
    /// Texts that end the answer.
    pub stop_sequences: Option<Vec<String>>,
    /// Tools that the model may use.
    pub tools: Option<Vec<Value>>,
    /// Which of them: `{"type": "auto"}`, `any`, `none`, or `tool` with a name.
    pub tool_choice: Option<Map<String, Value>>,
    /// `{"type": "adaptive"}`, `disabled`, or `enabled` with a budget of tokens.
    pub thinking: Option<Map<String, Value>>,
    /// How much effort, and a JSON Schema for the answer.
    pub output_config: Option<Map<String, Value>>,
}

/// One turn of a conversation.
#[derive(Deserialize, Serialize, JsonSchema)]
pub struct Message {
    /// `user` or `assistant`.
    pub role: Speaker,
    /// A text, or a list of content blocks.
    pub content: Value,
}

/// Who speaks.
#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Speaker {
    /// The person.
    User,
    /// The model.
    Assistant,
}
