//! A sync connector with a payload type: holes are checked against its fields.

use emp_core::Connector;
use emp_core::secret::Secret;
use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Deserialize, JsonSchema)]
#[allow(dead_code)]
struct Chat {
    model: Option<String>,
    messages: Vec<serde_json::Value>,
    temperature: Option<f64>,
    r#type: Option<String>,
    extra: Option<serde_json::Map<String, serde_json::Value>>,
}

#[derive(JsonSchema)]
#[allow(dead_code)]
struct Answer {
    content: String,
}

/// Chats with OpenAI.
#[derive(Connector)]
#[connector(service = "openai", version = "1.0.0-rc.1", mode = sync, payload = Chat, output = Answer, unregistered)]
#[http(base = env.base_url, allow_hosts = ["api.openai.com", "*.openai.azure.com"])]
#[auth(bearer = api_key)]
#[submit(
    post = "/chat/completions",
    header("OpenAI-Organization" = env.organization?),
    json {
        "model": payload.model ?? env.model,
        "messages": payload.messages,
        "temperature": payload.temperature?,
        "type": payload.type?,
        "stop": [null, true, -1, 2.5, "{{literal}} {payload.model ?? \"x\"}"],
        ..payload.extra,
    },
    timeout = "10m",
    at_least_once,
)]
#[states(rules(
    "$.choices[0].finish_reason" == "content_filter" => failed(moderated),
    "$.choices[0].message.refusal" present => failed(moderated),
    code == 200 => succeeded,
))]
#[outcome(text = "$.choices[0].message.content", json = "$.choices[0].message",
    meta(finish = "$.choices[0].finish_reason", usage = "$.usage", request = header("x-request-id")))]
#[errors(message = ["$.error.message"], code = ["$.error.code", "$.error.type"],
    400 | 404 | 422 => invalid_input, 401 | 403 => auth, 429 if "$.error.code" == "insufficient_quota" => billing,
    429 => rate_limited(wait = [header("retry-after-ms") | millis, header("retry-after"), header("x-ratelimit-reset-requests") | duration]),
    408 | 409 | 5xx => transient)]
#[health(get = "/models", every = "5m")]
struct OpenAiChat {
    #[env("OPENAI_API_KEY")]
    api_key: Secret,
    #[env("OPENAI_BASE_URL", default = "https://api.openai.com/v1")]
    base_url: emp_core::Url,
    #[env("OPENAI_MODEL", default = "gpt-4.1-mini")]
    model: String,
    #[env("OPENAI_ORG", optional)]
    organization: Option<String>,
}

fn main() {
    let spec = OpenAiChat::SPEC;
    assert!(spec.http().unwrap().poll.is_none());
    assert!(spec.payload.to_json_schema()["properties"]["messages"].is_object());
    assert!(spec.output.unwrap()()["properties"]["content"].is_object());
    let OpenAiChat { api_key: _, base_url: _, model: _, organization: _ } =
        OpenAiChat::from_env(&std::collections::BTreeMap::from([("OPENAI_API_KEY".to_owned(), "k".to_owned())])).unwrap();
}
