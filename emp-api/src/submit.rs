//! `POST /api/jobs`: a job comes in whole and valid, or not at all.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use emp_core::job::Job;
use emp_store::{Enqueued, NewJob};
use jsonschema::Validator;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::body;
use crate::catalog::Catalog;
use crate::code::Code;
use crate::problem::{Refusal, Violation};
use crate::state::ApiState;
use crate::view::Receipt;
use crate::violations::{compile, violations};

/// The header in which a client may send its key.
pub(crate) const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// The header that says that the job was there already.
const REPLAYED: &str = "idempotency-replayed";
/// Longest idempotency key, bytes.
const MAX_KEY: usize = 255;

/// A job to submit. Its schema is what bodies are checked against, and what OpenAPI shows.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JobRequest {
    /// The service that does it: one of `GET /api/services`.
    #[schemars(length(min = 1))]
    pub service: String,
    /// What to do, as the service's payload schema says.
    pub payload: Value,
    /// 0 to 9; 9 goes first.
    #[serde(default)]
    #[schemars(range(max = 9))]
    pub priority: u8,
    /// What a worker must have to claim it.
    #[serde(default)]
    #[schemars(schema_with = "labels_schema")]
    pub labels: BTreeMap<String, String>,
    /// A key of the client's own: the same key and job again give the same job. 1 to 255 visible ASCII characters.
    #[serde(default)]
    #[schemars(length(min = 1, max = 255))]
    pub idempotency_key: Option<String>,
}

fn labels_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({
        "type": "object",
        "maxProperties": 16,
        "propertyNames": { "pattern": "^[a-zA-Z0-9][a-zA-Z0-9._/-]{0,62}$" },
        "additionalProperties": { "type": "string", "maxLength": 128, "pattern": "^[^\\x00-\\x1f\\x7f]*$" },
    })
}

static ENVELOPE: LazyLock<Result<Validator, String>> =
    LazyLock::new(|| compile(&schemars::schema_for!(JobRequest).into()));

/// Takes a job in.
pub(crate) async fn submit(State(state): State<ApiState>, request: Request) -> Result<Response, Refusal> {
    let header_key = header_key(request.headers())?;
    let body = body::read_json(request, &state.limits).await?;
    let job = check(&state.catalog, body, header_key)?;
    match state.store.enqueue(job).await? {
        Enqueued::New(job) => Ok(receipt(StatusCode::ACCEPTED, &job)),
        Enqueued::Replayed(job) => {
            let mut response = receipt(StatusCode::OK, &job);
            response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
            Ok(response)
        }
        Enqueued::KeyConflict { job } => Err(Refusal::new(
            Code::KeyConflict,
            format!(
                "the key belongs to job {job}, which asks for something else; use a new key for a new job"
            ),
        )),
    }
}

fn receipt(status: StatusCode, job: &Job) -> Response {
    let location = [(header::LOCATION, format!("/api/jobs/{}", job.id))];
    (status, location, Json(Receipt::from(job))).into_response()
}

/// The job that a body asks for, or everything that is wrong with it.
fn check(catalog: &Catalog, body: Value, header_key: Option<String>) -> Result<NewJob, Refusal> {
    if let Some(key) = body.get("idempotency_key").and_then(Value::as_str) {
        check_key(key, "the member `idempotency_key`")?;
    }
    let envelope = ENVELOPE.as_ref().map_err(|error| Refusal::new(Code::Internal, error.clone()))?;
    let mut wrong = violations(envelope, &body, "");
    let name = body.get("service").and_then(Value::as_str).filter(|name| !name.is_empty());
    let service = name.and_then(|name| catalog.service(name));
    let mut code = Code::Invalid;
    if let (Some(name), None) = (name, service) {
        wrong.push(unknown_service(catalog, name));
        code = Code::UnknownService;
    }
    if let (Some(service), Some(payload)) = (service, body.get("payload")) {
        wrong.extend(service.violations(payload));
    }
    if !wrong.is_empty() {
        let refusal = Refusal::new(code, summary(&wrong)).errors(wrong);
        return Err(match name.filter(|_| service.is_none()).and_then(|name| catalog.nearest(name)) {
            Some(nearest) => refusal.help(format!("write \"service\": \"{nearest}\"")),
            None => refusal,
        });
    }
    let request: JobRequest =
        serde_json::from_value(body).map_err(|error| Refusal::new(Code::Invalid, error.to_string()))?;
    let idempotency_key = match (header_key, request.idempotency_key) {
        (Some(header), Some(member)) if header != member => {
            let violation = Violation {
                pointer: "/idempotency_key".to_owned(),
                detail: "is not the key of the `Idempotency-Key` header".to_owned(),
                expected: Some("one key, in the header or in the body".to_owned()),
            };
            let detail =
                "the `Idempotency-Key` header and the member `idempotency_key` differ; send one of them";
            return Err(Refusal::new(Code::Invalid, detail).errors(vec![violation]));
        }
        (header, member) => header.or(member),
    };
    Ok(NewJob {
        service: request.service,
        payload: request.payload,
        priority: request.priority,
        labels: request.labels,
        idempotency_key,
    })
}

fn unknown_service(catalog: &Catalog, name: &str) -> Violation {
    let shown: String = name.chars().take(64).collect();
    let expected =
        catalog.nearest(name).map_or_else(|| known_services(catalog), |nearest| format!("`{nearest}`"));
    Violation {
        pointer: "/service".to_owned(),
        detail: format!("no worker serves `{shown}`"),
        expected: Some(expected),
    }
}

fn known_services(catalog: &Catalog) -> String {
    let names: Vec<String> = catalog.services().take(20).map(|(name, _)| format!("`{name}`")).collect();
    if names.is_empty() {
        "a service, but none is mapped".to_owned()
    } else {
        format!("one of {}", names.join(", "))
    }
}

/// The first place that is wrong, in one sentence, and how many more there are.
fn summary(wrong: &[Violation]) -> String {
    let Some(first) = wrong.first() else { return String::new() };
    let place = if first.pointer.is_empty() { "the body" } else { &first.pointer };
    let expected =
        first.expected.as_ref().map(|expected| format!("; expected {expected}")).unwrap_or_default();
    let more =
        if wrong.len() > 1 { format!(" (and {} more in `errors`)", wrong.len() - 1) } else { String::new() };
    format!("{place}: {}{expected}{more}", first.detail)
}

fn header_key(headers: &HeaderMap) -> Result<Option<String>, Refusal> {
    let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Refusal::new(
            Code::InvalidKey,
            "the header `Idempotency-Key` stands twice; send it once",
        ));
    }
    let key = value.to_str().unwrap_or_default();
    check_key(key, "the header `Idempotency-Key`")?;
    Ok(Some(key.to_owned()))
}

fn check_key(key: &str, place: &str) -> Result<(), Refusal> {
    if (1..=MAX_KEY).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(());
    }
    Err(Refusal::new(
        Code::InvalidKey,
        format!("{place} must be 1 to {MAX_KEY} visible ASCII characters, for example a UUID"),
    ))
}
