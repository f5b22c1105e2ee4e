//! Azure Document Intelligence: a long-running operation as Azure's guidelines describe it. The answer's header
//! `Operation-Location` says at which URL to ask after it.
//!
//! Source: Microsoft's API guidelines (long-running operations) and the reference of the service's client
//! (`AnalyzeOperationOutput`: `notStarted`, `running`, `failed`, `succeeded`, `canceled`, `skipped`). The guidelines spell some of
//! these words otherwise, services in the wild too, so case makes no difference and both spellings of cancelled are known.
//!
//! The guidelines' `Operation-Id`, by which a service merges two submits, is not documented for this one, so a lost answer leaves
//! the job `uncertain` (`at_most_once`). Results are kept for a day; a cancel deletes the result.

use emp_core::{Connector, Secret, Url};
use schemars::JsonSchema;
use serde::Deserialize;

/// Reads documents with Azure Document Intelligence.
#[derive(Connector)]
#[connector(service = "azure-docint", version = "1.0.0", payload = DocumentPayload)]
#[http(base = env.endpoint, allow_hosts = ["*.cognitiveservices.azure.com"])]
#[auth(header("Ocp-Apim-Subscription-Key") = "{api_key}")]
#[submit(
    post = "/documentintelligence/documentModels/{payload.model ?? env.model}:analyze",
    query("api-version" = "2024-11-30", "pages" = payload.pages?, "locale" = payload.locale?, "outputContentFormat" = payload.format?),
    json { "urlSource": payload.document },
    accept = [202],
    capture(poll_url = header("operation-location"), id = header("operation-location") | last_match(r"([^/?]+)(?:\?.*)?$")),
    at_most_once,
)]
#[poll(get = job.poll_url, progress = "$.percentCompleted" | percent)]
#[states(
    at = "$.status", fold_case, queued = ["notStarted"], running = ["running"], succeeded = ["succeeded"],
    failed = ["failed", "skipped"], canceled = ["canceled", "cancelled"], unknown = running(warn),
    rules(code == 404 => lost),
)]
#[outcome(json = ["$.analyzeResult", "$.result"], keep_for = "24h")]
#[errors(
    message = ["$.error.innererror.message", "$.error.message"], code = ["$.error.innererror.code", "$.error.code"],
    400 | 404 => invalid_input, 401 | 403 => auth, 429 => rate_limited(wait = [header("retry-after")]), 5xx => transient,
)]
#[cancel(delete = job.poll_url, ok = [200, 204], gone = [404], only_if = running)]
#[pace(
    first = "2s", min = "1s", max = "30s", deadline = "1h",
    advice = [header("x-ms-retry-after-ms") | millis, header("retry-after-ms") | millis, header("retry-after")],
)]
#[health(get = "/documentintelligence/info", query("api-version" = "2024-11-30"), every = "5m")]
pub struct AzureDocIntConnector {
    /// The resource's endpoint.
    #[env("DOCINT_ENDPOINT")]
    endpoint: Url,
    /// One of the resource's two keys.
    #[env("DOCINT_KEY")]
    api_key: Secret,
    /// The model for jobs that name none.
    #[env("DOCINT_MODEL", default = "prebuilt-layout")]
    model: String,
}

/// A document to read.
#[derive(Deserialize, JsonSchema)]
pub struct DocumentPayload {
    /// The document's URL.
    #[schemars(length(min = 1), example = &"https://example.com/invoice.pdf")]
    pub document: String,
    /// The model; `DOCINT_MODEL` when left out.
    #[schemars(example = &"prebuilt-invoice")]
    pub model: Option<String>,
    /// Which pages: `1-3,5`.
    #[schemars(example = &"1-3,5")]
    pub pages: Option<String>,
    /// The language: `de`, `en-US`.
    #[schemars(example = &"en-US")]
    pub locale: Option<String>,
    /// `text` or `markdown`.
    #[schemars(example = &"markdown")]
    pub format: Option<String>,
}
