//! Any service that takes a job and is asked after it: no code, only the environment.
//!
//! Source: none but this file. A job is posted to `<jobs path>`, asked after at `<jobs path>/<id>` and cancelled at
//! `<jobs path>/<id>/cancel`. The id, the status, the progress and the result may stand where most services have them; the status
//! words are those of the vendors whose connectors are beside this one, in any case.
//!
//! Of a service of which nothing is known it is not known either that it merges two submits, so a lost answer leaves the job
//! `uncertain` (`at_most_once`). `X-Job-Id` lets the service tell jobs apart.

use std::time::Duration;

use emp_core::{Connector, Secret, Url};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

/// A service of one's own that is asked until it is done.
#[derive(Connector)]
#[connector(service = "rest-async", version = "1.0.0", payload = RestAsyncPayload)]
#[http(base = env.base_url, allow_http)]
#[auth(bearer = token)]
#[submit(
    post = "/{+env.jobs_path}", header("X-Job-Id" = queue.job_id), json { ..payload.input },
    capture(id = ["$.id", "$.job_id", "$.task_id", "$.request_id", "$.data.id", "$.data.task_id"]),
    feeds_poll, at_most_once,
)]
#[poll(
    get = "/{+env.jobs_path}/{job.id}",
    progress = ["$.progress" | percent, "$.data.progress" | percent], progress_text = ["$.message", "$.step"],
    queue_position = "$.queue_position", eta = "$.eta",
)]
#[states(
    at = ["$.status", "$.state", "$.data.status"], fold_case,
    queued = ["queued", "pending", "submitted", "accepted", "starting", "created"],
    running = ["running", "processing", "in_progress", "in-progress", "started"],
    succeeded = ["succeeded", "success", "completed", "complete", "done", "finished"],
    failed = ["failed", "failure", "error"], canceled = ["canceled", "cancelled", "aborted"],
    timed_out = ["timeout", "timed_out"], failed(expired) = ["expired"], unknown = running(warn), rules(code == 404 => lost),
)]
#[outcome(json = ["$.result", "$.output", "$.outputs", "$.data.result", "$.data.output", "$.data"])]
#[errors(
    message = ["$.error.message", "$.error", "$.message", "$.detail"], code = ["$.error.code", "$.code"],
    400 | 404 | 413 | 422 => invalid_input, 401 | 403 => auth, 402 => billing,
    429 => rate_limited(wait = [header("retry-after")]), 5xx => transient,
)]
#[cancel(post = "/{+env.jobs_path}/{job.id}/cancel", too_late = [409], gone = [404])]
#[pace(first = "1s", min = "1s", max = "15s", advice = [header("retry-after")], deadline = env.deadline)]
#[limits(in_flight = env.max_concurrent, max_response = "64MiB")]
#[health(get = "/{+env.health_path}", every = "30s")]
pub struct RestAsyncConnector {
    /// Where the service is.
    #[env("REST_ASYNC_URL")]
    base_url: Url,
    /// A bearer token, where the service asks for one.
    #[env("REST_ASYNC_TOKEN", optional)]
    token: Option<Secret>,
    /// The path of jobs, without the first slash.
    #[env("REST_ASYNC_JOBS_PATH", default = "jobs")]
    jobs_path: String,
    /// The path that says 2xx while the service is well, without the first slash.
    #[env("REST_ASYNC_HEALTH_PATH", default = "health")]
    health_path: String,
    /// For how long a job may take, from its submit to its end.
    #[env("REST_ASYNC_DEADLINE", default = "1h", range = 1..=86400)]
    deadline: Duration,
    /// Jobs at the service at once.
    #[env("REST_ASYNC_MAX_CONCURRENT", default = 4, range = 1..=1000)]
    max_concurrent: u32,
}

/// A job for the service.
#[derive(Deserialize, JsonSchema)]
pub struct RestAsyncPayload {
    /// The body, in the service's own shape.
    #[schemars(example = serde_json::json!({ "prompt": "a lighthouse in the fog" }))]
    pub input: Map<String, Value>,
}
