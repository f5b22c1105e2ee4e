//! OpenAI batches: a file of requests is uploaded, worked off within a day at half the price, and its answers are a file.
//!
//! Source: OpenAI's OpenAPI description (`createFile`, `createBatch`, `retrieveBatch`, `cancelBatch`, `downloadFile`, `Batch`), all eight
//! values of `status`. A batch whose day is over, or that was cancelled, keeps what was done until then: that is its result.
//!
//! A batch cannot be merged. The list of batches has their metadata, but nothing says in which order it comes, so a lost answer leaves
//! the job `uncertain` (`at_most_once`); the batch's metadata has the job's id as `emp_job`.

use emp_core::asset::Asset;
use emp_core::{Connector, Secret, Url};
use schemars::JsonSchema;
use serde::Deserialize;

/// OpenAI batches: many requests at once, within a day.
#[derive(Connector)]
#[connector(service = "openai-batches", version = "1.0.0", payload = BatchPayload)]
#[openapi(file = "openai-batches.json")]
#[http(base = env.base_url)]
#[auth(bearer = api_key)]
#[prepare(
    post = "/files",
    header("OpenAI-Organization" = env.organization?),
    multipart { purpose: "batch", file: file(payload.input, max = "200MB") },
    timeout = "10m",
    capture(file_id = "$.id"),
)]
#[submit(
    post = "/batches",
    header("OpenAI-Organization" = env.organization?),
    json {
        "input_file_id": prepared.file_id, "endpoint": payload.endpoint, "completion_window": "24h",
        "metadata": { "emp_job": queue.job_id },
    },
    capture(id = "$.id"),
    feeds_poll,
    rejects = [503],
    at_most_once,
)]
#[poll(
    get = "/batches/{job.id}", header("OpenAI-Organization" = env.organization?),
    progress = "$.request_counts.completed" | ratio("$.request_counts.total"),
)]
#[states(
    at = "$.status", queued = ["validating"], running = ["in_progress", "finalizing", "cancelling"], succeeded = ["completed"],
    failed = ["failed"], failed(expired) = ["expired"], canceled = ["cancelled"], unknown = running(warn),
    rules(
        "$.output_file_id" present && "$.expired_at" present => succeeded,
        "$.output_file_id" present && "$.cancelled_at" present => succeeded, code == 404 => lost,
    ),
)]
#[outcome(
    files = each(
        "$['output_file_id', 'error_file_id']", get = "/files/{item}/content", header("OpenAI-Organization" = env.organization?),
    ),
    partial(when = "$.status" in ["expired", "cancelled"] || "$.error_file_id" present),
    meta(counts = "$.request_counts", usage = "$.usage", status = "$.status"),
)]
#[errors(
    message = ["$.errors.data[*].message" | join("; "), "$.error.message"],
    code = ["$.errors.data[*].code", "$.error.code", "$.error.type"],
    400 | 404 | 413 | 422 => invalid_input, 401 | 403 => auth, 429 if "$.error.code" == "insufficient_quota" => billing,
    429 => rate_limited(wait = [header("retry-after-ms") | millis, header("retry-after")]), 408 | 409 | 5xx => transient,
)]
#[cancel(post = "/batches/{job.id}/cancel", header("OpenAI-Organization" = env.organization?), gone = [404])]
#[pace(first = "10s", min = "10s", max = "5m", deadline = "25h")]
#[limits(max_file = "1GB")]
#[health(get = "/models", every = "5m")]
pub struct OpenAIBatchesConnector {
    /// A key from the API dashboard.
    #[env("OPENAI_API_KEY")]
    api_key: Secret,
    /// Where the API is; `/v1` included.
    #[env("OPENAI_BASE_URL", default = "https://api.openai.com/v1")]
    base_url: Url,
    /// The organization to bill, for keys that belong to several.
    #[env("OPENAI_ORG", optional)]
    organization: Option<String>,
}

/// Requests to work off.
#[derive(Deserialize, JsonSchema)]
pub struct BatchPayload {
    /// The requests by lines (JSONL): each has a `custom_id`, a `method`, a `url` and a `body`.
    #[schemars(example = &"data:application/jsonl;base64,eyJjdXN0b21faWQiOiJhIiwibWV0aG9kIjoiUE9TVCIsInVybCI6Ii92MS9jaGF0L2NvbXBsZXRpb25zIiwiYm9keSI6e319Cg==")]
    pub input: Asset,
    /// The route that all of them are for.
    #[schemars(length(min = 1), example = &"/v1/chat/completions")]
    pub endpoint: String,
}
