//! Replicate: a prediction is created, and the answer says at which URL to ask after it and at which to cancel it.
//!
//! Source: Replicate's OpenAPI description (`predictions.create`, `predictions.get`, `predictions.cancel`, `account.get`,
//! `schemas_prediction_response`), all six values of `status`.
//!
//! Replicate has no idempotency key, so a lost answer leaves the job `uncertain` (`at_most_once`). For the same reason the
//! create request is not held open with `Prefer: wait`: the sooner its answer comes, the less can be lost.
//!
//! Its webhooks have the prediction as a poll's answer has it, signed as Standard Webhooks are.

use emp_core::{Connector, Secret};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

/// Runs any model on Replicate.
#[derive(Connector)]
#[connector(service = "replicate", version = "1.0.0", payload = ReplicatePayload)]
#[openapi(file = "replicate.json", poll = "predictions.get", cancel = "predictions.cancel")]
#[http(base = "https://api.replicate.com/v1")]
#[origins(download = ["replicate.delivery", "*.replicate.delivery"], download_auth = same_as_api)]
#[auth(bearer = api_token)]
#[submit(
    post = "/predictions",
    header("Cancel-After" = "{queue.budget_secs}s"),
    json {
        "version": payload.version, "input": payload.input,
        "webhook": webhook.url?, "webhook_events_filter": webhook.events?,
    },
    accept = [201, 202],
    capture(id = "$.id", poll_url = "$.urls.get", cancel_url = "$.urls.cancel"),
    feeds_poll,
    at_most_once,
)]
#[poll(get = job.poll_url, echo = "$.id", progress = "$.logs" | last_match(r"(\d+)%\|") | percent, logs = "$.logs")]
#[states(
    at = "$.status", queued = ["starting"], running = ["processing"], succeeded = ["succeeded"],
    failed = ["failed"], canceled = ["canceled", "aborted"], unknown = running(warn),
    rules(code == 404 => lost, "$.data_removed" == true => failed(expired)),
)]
#[outcome(json = "$.output", files = auto_urls, keep_for = "1h", meta(predict_secs = "$.metrics.predict_time", total_secs = "$.metrics.total_time"))]
#[errors(
    message = ["$.error", "$.detail", "$.title"],
    401 | 403 => auth, 402 => billing, 400 | 404 | 422 => invalid_input,
    429 => rate_limited(wait = [header("retry-after")]), 5xx => transient,
)]
#[cancel(post = job.cancel_url, ok = [200], gone = [404])]
#[batch_poll(get = "/predictions", items = "$.results[*]", id = "$.id", next = "$.next")]
#[webhook(verify = standard_webhooks(webhook_secret), body = same_as_poll, events = ["completed"])]
#[pace(first = "1s", min = "500ms", max = "10s", advice = [header("retry-after")], deadline = "30m")]
#[limits(in_flight = env.max_concurrent)]
#[health(get = "/account", every = "60s")]
pub struct ReplicateConnector {
    /// An API token from the account page.
    #[env("REPLICATE_API_TOKEN")]
    api_token: Secret,
    /// Predictions at once, for this token.
    #[env("REPLICATE_MAX_CONCURRENT", default = 10, range = 1..=1000)]
    max_concurrent: u32,
    /// What its webhooks are signed with (`/v1/webhooks/default/secret`); without it a call only says that there is news.
    #[env("REPLICATE_WEBHOOK_SECRET", optional)]
    webhook_secret: Option<Secret>,
}

/// A prediction to make.
#[derive(Deserialize, JsonSchema)]
pub struct ReplicatePayload {
    /// `owner/name` of an official model, `owner/name:version`, or a version's 64 characters.
    #[schemars(length(min = 1), example = &"black-forest-labs/flux-schnell")]
    pub version: String,
    /// The model's input; each model documents its own. Files are http or data URLs.
    #[schemars(example = serde_json::json!({ "prompt": "a lighthouse in the fog" }))]
    pub input: Map<String, Value>,
}
