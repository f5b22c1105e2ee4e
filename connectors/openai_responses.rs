//! OpenAI responses in the background: a response is created, then asked after until it has ended.
//!
//! Source: OpenAI's OpenAPI description (`createResponse`, `getResponse`, `cancelResponse`, `Response`), all six values of `status`.
//! The advice in `openai-poll-after-ms` is read by OpenAI's own clients. An `incomplete` response has ended: a filter stopped it,
//! which is moderation, or its tokens did not suffice, which is a result with `incomplete` in its facts.
//!
//! A response cannot be merged or searched for, so a lost answer leaves the job `uncertain` (`at_most_once`).

use emp_core::{Connector, Secret, Url};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

/// OpenAI responses, in the background: reasoning, tools and images that take their time.
#[derive(Connector)]
#[connector(service = "openai-responses", version = "1.0.0", payload = ResponsesPayload)]
#[openapi(file = "openai-responses.json")]
#[http(base = env.base_url)]
#[auth(bearer = api_key)]
#[submit(
    post = "/responses",
    header("OpenAI-Organization" = env.organization?),
    json {
        ..payload.params, "model": payload.model ?? env.model, "input": payload.input,
        "instructions": payload.instructions?, "background": true,
    },
    capture(id = "$.id"),
    feeds_poll,
    rejects = [503],
    at_most_once,
)]
#[poll(get = "/responses/{job.id}", header("OpenAI-Organization" = env.organization?))]
#[states(
    at = "$.status", queued = ["queued"], running = ["in_progress"], succeeded = ["completed", "incomplete"],
    failed = ["failed"], canceled = ["cancelled"], unknown = running(warn),
    rules("$.incomplete_details.reason" == "content_filter" => failed(moderated), code == 404 => lost),
)]
#[outcome(
    text = "$.output[?@.type=='message'].content[?@.type=='output_text'].text" | join(""), json = "$.output",
    meta(incomplete = "$.incomplete_details.reason", usage = "$.usage"),
)]
#[errors(
    message = ["$.error.message"], code = ["$.error.code", "$.error.type"],
    400 | 404 | 422 => invalid_input, 401 | 403 => auth, 429 if "$.error.code" == "insufficient_quota" => billing,
    429 => rate_limited(wait = [header("retry-after-ms") | millis, header("retry-after")]), 408 | 409 | 5xx => transient,
)]
#[cancel(post = "/responses/{job.id}/cancel", header("OpenAI-Organization" = env.organization?), gone = [404])]
#[pace(first = "2s", min = "1s", max = "15s", advice = [header("openai-poll-after-ms") | millis], deadline = "1h")]
#[health(get = "/models", every = "5m")]
pub struct OpenAIResponsesConnector {
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

/// A response to create.
#[derive(Deserialize, JsonSchema)]
pub struct ResponsesPayload {
    /// A text, or a list of input items.
    #[schemars(example = &"Write a long story about a lighthouse.")]
    pub input: Value,
    /// The model; `OPENAI_MODEL` when left out.
    #[schemars(example = &"gpt-5.1")]
    pub model: Option<String>,
    /// What the model is told before the input.
    #[schemars(example = &"Write plainly.")]
    pub instructions: Option<String>,
    /// Everything else that the API takes: `tools`, `reasoning`, `text`, `max_output_tokens`.
    #[schemars(example = serde_json::json!({ "max_output_tokens": 4000 }))]
    pub params: Option<Map<String, Value>>,
}
