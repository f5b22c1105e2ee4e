//! Any service that answers one POST with its result: no code, only the environment.
//!
//! Source: none but this file. The job's `input` is the body; the whole JSON answer is the result. What the service must do: answer
//! 2xx with JSON, or an error code with a text in `error`, `message` or `detail`.
//!
//! Of a service of which nothing is known it is not known either that it merges two submits, so a lost answer leaves the job
//! `uncertain` (`at_most_once`). `X-Job-Id` lets the service tell jobs apart.

use std::time::Duration;

use emp_core::{Connector, Secret, Url};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

/// A service of one's own that answers at once.
#[derive(Connector)]
#[connector(service = "rest-sync", version = "1.0.0", mode = sync, payload = RestSyncPayload)]
#[http(base = env.base_url, allow_http)]
#[auth(bearer = token)]
#[submit(post = "/{+env.path}", header("X-Job-Id" = queue.job_id), json { ..payload.input }, timeout = env.timeout, at_most_once)]
#[errors(
    message = ["$.error.message", "$.error", "$.message", "$.detail"], code = ["$.error.code", "$.code"],
    400 | 404 | 413 | 422 => invalid_input, 401 | 403 => auth, 402 => billing,
    429 => rate_limited(wait = [header("retry-after")]), 5xx => transient,
)]
#[limits(in_flight = env.max_concurrent, max_response = "64MiB")]
#[health(get = "/{+env.health_path}", every = "30s")]
pub struct RestSyncConnector {
    /// Where the service is.
    #[env("REST_SYNC_URL")]
    base_url: Url,
    /// A bearer token, where the service asks for one.
    #[env("REST_SYNC_TOKEN", optional)]
    token: Option<Secret>,
    /// The path that jobs are posted to, without the first slash.
    #[env("REST_SYNC_PATH", default = "process")]
    path: String,
    /// The path that says 2xx while the service is well, without the first slash.
    #[env("REST_SYNC_HEALTH_PATH", default = "health")]
    health_path: String,
    /// For how long the service may take.
    #[env("REST_SYNC_TIMEOUT", default = "5m", range = 1..=86400)]
    timeout: Duration,
    /// Jobs at the service at once.
    #[env("REST_SYNC_MAX_CONCURRENT", default = 4, range = 1..=1000)]
    max_concurrent: u32,
}

/// A job for the service.
#[derive(Deserialize, JsonSchema)]
pub struct RestSyncPayload {
    /// The body, in the service's own shape.
    #[schemars(example = serde_json::json!({ "prompt": "a lighthouse in the fog" }))]
    pub input: Map<String, Value>,
}
