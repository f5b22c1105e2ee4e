//! Civitai's orchestration: workflows of one or more steps.
//!
//! Source: Civitai's developer pages, which are generated from its OpenAPI description (`SubmitWorkflow`, `GetWorkflow`,
//! `UpdateWorkflow`): 202 says that the wait ran out, `wait` and `until` hold a poll open. The status words and the cancel are from
//! a client that is generated from the same description.
//!
//! Civitai has no idempotency key, so a lost answer leaves the job `uncertain` (`at_most_once`).

use emp_core::{Connector, Secret};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

/// Runs workflows at Civitai: images, videos, training.
#[derive(Connector)]
#[connector(service = "civitai", version = "1.0.0", payload = CivitaiPayload)]
#[http(base = "https://orchestration.civitai.com/v2/consumer")]
#[origins(download = ["*.civitai.com"])]
#[auth(bearer = api_token)]
#[submit(
    post = "/workflows",
    query("wait" = "0"),
    json { "steps": payload.steps, "tags": payload.tags?, "metadata": { "emp_job": queue.job_id } },
    accept = [200, 202],
    capture(id = "$.id"),
    feeds_poll,
    at_most_once,
)]
#[poll(get = "/workflows/{job.id}", query("wait" = queue.hold_secs, "until" = "change"), hold = "20s")]
#[states(
    at = "$.status", queued = ["unassigned", "preparing", "scheduled"], running = ["processing"],
    succeeded = ["succeeded"], failed = ["failed"], failed(expired) = ["expired"], canceled = ["canceled"],
    unknown = running(warn), rules(code == 404 => lost),
)]
#[outcome(json = "$.steps[*].output" | all, files = auto_urls, meta(cost = "$.cost.total"))]
#[errors(
    message = ["$.detail", "$.title"],
    400 | 404 | 422 => invalid_input, 401 => auth, 402 | 403 => billing,
    429 => rate_limited(wait = [header("retry-after")]), 5xx => transient,
)]
#[cancel(put = "/workflows/{job.id}", json { "status": "canceled" }, gone = [404])]
#[pace(first = "1s", min = "500ms", max = "5s", deadline = "30m")]
pub struct CivitaiConnector {
    /// A token from the account page.
    #[env("CIVITAI_API_TOKEN")]
    api_token: Secret,
}

/// A workflow to run.
#[derive(Deserialize, JsonSchema)]
pub struct CivitaiPayload {
    /// The steps; each has a `$type` and an `input`.
    #[schemars(length(min = 1), example = serde_json::json!([{
        "$type": "imageGen", "input": { "engine": "flux", "prompt": "a lighthouse in the fog", "width": 1024, "height": 1024 }
    }]))]
    pub steps: Vec<Map<String, Value>>,
    /// Words by which the workflow can be found.
    #[schemars(example = serde_json::json!(["emp"]))]
    pub tags: Option<Vec<String>>,
}
