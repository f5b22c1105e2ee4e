//! OpenAI chat completions: one request, one answer.
//!
//! Source: OpenAI's OpenAPI description (`createChatCompletion`, `CreateChatCompletionRequest`, `CreateChatCompletionResponse`,
//! `ErrorResponse`). Works with every service that speaks the same protocol: set `OPENAI_BASE_URL`.
//!
//! A completion cannot be looked up or merged, so a lost answer leaves the job `uncertain` (`at_most_once`). Only 503, by which the
//! service says that it is overloaded, is taken for a refusal.

use emp_core::{Connector, Secret, Url};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// OpenAI chat completions.
#[derive(Connector)]
#[connector(service = "openai", version = "1.0.0", mode = sync, payload = ChatPayload, output = ChatAnswer)]
// The events of a stream are not in the description of the answer.
#[openapi(file = "openai-chat.json")]
#[http(base = env.base_url)]
#[auth(bearer = api_key)]
#[submit(
    post = "/chat/completions",
    header("OpenAI-Organization" = env.organization?),
    json {
        "model": payload.model ?? env.model, "messages": payload.messages,
        "temperature": payload.temperature?, "max_completion_tokens": payload.max_completion_tokens?,
        "tools": payload.tools?, "tool_choice": payload.tool_choice?,
        "response_format": payload.response_format?, "stop": payload.stop?,
    },
    timeout = "10m",
    rejects = [503],
    at_most_once,
)]
#[stream(
    sse, when = payload.stream == true, json { "stream": true, "stream_options": { "include_usage": true } },
    delta = "$.choices[0].delta.content", end = "[DONE]", error = "$.error.message", idle_timeout = "2m",
)]
#[states(rules(
    "$.choices[0].finish_reason" == "content_filter" => failed(moderated),
    "$.choices[0].message.refusal" present || "$.choices[0].delta.refusal" present => failed(moderated),
    code == 200 => succeeded,
))]
#[outcome(
    text = ["$.choices[0].message.content", deltas], json = "$.choices[0].message",
    meta(finish = "$.choices[0].finish_reason", usage = "$.usage", request = header("x-request-id")),
)]
#[errors(
    message = ["$.error.message", "$.choices[0].message.refusal"], code = ["$.error.code", "$.error.type"],
    400 | 404 | 422 => invalid_input, 401 | 403 => auth,
    429 if "$.error.code" == "insufficient_quota" => billing,
    429 => rate_limited(wait = [header("retry-after-ms") | millis, header("retry-after"), header("x-ratelimit-reset-requests") | duration]),
    408 | 409 | 5xx => transient,
)]
#[cancel(drop_connection)]
#[health(get = "/models", every = "5m")]
pub struct OpenAIConnector {
    /// A key from the API dashboard.
    #[env("OPENAI_API_KEY")]
    api_key: Secret,
    /// Where the API is; `/v1` included.
    #[env("OPENAI_BASE_URL", default = "https://api.openai.com/v1")]
    base_url: Url,
    /// The model for jobs that name none.
    #[env("OPENAI_MODEL", default = "gpt-4.1-mini")]
    model: String,
    /// The organization to bill, for keys that belong to several.
    #[env("OPENAI_ORG", optional)]
    organization: Option<String>,
}

/// A chat to complete; the API's own words.
#[derive(Deserialize, JsonSchema)]
pub struct ChatPayload {
    /// The conversation so far.
    #[schemars(length(min = 1), example = serde_json::json!([{ "role": "user", "content": "Say hello." }]))]
    pub messages: Vec<ChatMessage>,
    /// The model; `OPENAI_MODEL` when left out.
    #[schemars(example = &"gpt-4.1-mini")]
    pub model: Option<String>,
    /// 0 to 2: the higher, the more random.
    #[schemars(range(min = 0.0, max = 2.0), example = 0.7)]
    pub temperature: Option<f64>,
    /// The most tokens to generate, reasoning included.
    #[schemars(range(min = 1), example = 256)]
    pub max_completion_tokens: Option<u32>,
    /// Whether the text is told while it comes.
    #[schemars(example = false)]
    pub stream: Option<bool>,
    /// Functions that the model may call.
    pub tools: Option<Vec<Value>>,
    /// Which of them: `none`, `auto`, `required`, or one by name.
    pub tool_choice: Option<Value>,
    /// `{"type": "json_object"}`, or a JSON Schema for the answer.
    pub response_format: Option<Value>,
    /// Up to four texts that end the answer.
    pub stop: Option<Vec<String>>,
}

/// What comes of a chat.
#[derive(Serialize, JsonSchema)]
pub struct ChatAnswer {
    /// The answer's text.
    #[schemars(example = &"Hello.")]
    pub text: Option<String>,
    /// The whole message; absent when it was streamed.
    pub json: Option<ChatMessage>,
}

/// One message of a chat.
#[derive(Deserialize, Serialize, JsonSchema)]
#[schemars(example = serde_json::json!({ "role": "assistant", "content": "Hello." }))]
pub struct ChatMessage {
    /// Who speaks.
    pub role: Role,
    /// A text, or a list of content parts; absent where the model calls tools.
    pub content: Option<Value>,
    /// Anything else of the message: `name`, `tool_calls`, `tool_call_id`.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

/// Who speaks in a chat.
#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Instructions, for reasoning models.
    Developer,
    /// Instructions.
    System,
    /// The person.
    User,
    /// The model.
    Assistant,
    /// A tool's answer.
    Tool,
    /// A function's answer, in the API's older form.
    Function,
}
