//! The one table of routes: the router is made from it, and so is the OpenAPI document.

use axum::Router;
use axum::http::{HeaderValue, header};
use axum::middleware;
use axum::routing::{get, post};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::Value;

use crate::code::Code;
use crate::guard::guard;
use crate::jobs::CancelBody;
use crate::offer::{ConnectorView, ServiceDetail, ServiceView, WorkerView};
use crate::problem::Refusal;
use crate::route::{Answer, Content, Method, Route};
use crate::state::ApiState;
use crate::submit::JobRequest;
use crate::view::{EventView, JobPage, JobView, Receipt};
use crate::{events, files, jobs, meta, openapi, submit, webhooks};

/// The router of the API: every route of the table, and problems for everything else.
pub fn router(state: ApiState) -> Router {
    of_routes(state, TABLE.iter())
}

/// The router of a process that takes no jobs in: what it says of itself.
pub(crate) fn health_router(state: ApiState) -> Router {
    of_routes(state, TABLE.iter().filter(|route| HEALTH.contains(&route.path)))
}

/// What a process without an API shows.
const HEALTH: [&str; 4] = ["/livez", "/readyz", "/metrics", "/api/version"];

fn of_routes<'a>(state: ApiState, routes: impl Iterator<Item = &'a Route>) -> Router {
    routes
        .fold(Router::new(), |router, route| router.route(route.path, (route.handler)()))
        .fallback(not_found)
        .method_not_allowed_fallback(not_allowed)
        .layer(middleware::from_fn_with_state(state.clone(), guard))
        .with_state(state)
}

async fn not_found() -> Refusal {
    Refusal::new(Code::NotFound, "no such path; /api/openapi.json lists every path")
}

async fn not_allowed(path: axum::extract::MatchedPath) -> Refusal {
    let methods: Vec<&str> = TABLE
        .iter()
        .filter(|route| route.path == path.as_str())
        .map(|route| match route.method {
            Method::Get => "GET, HEAD",
            Method::Post => "POST",
        })
        .collect();
    let allowed = methods.join(", ");
    let refusal = Refusal::new(Code::MethodNotAllowed, format!("this path has only {allowed}"));
    match HeaderValue::from_str(&allowed) {
        Ok(value) => refusal.header(header::ALLOW, value),
        Err(_) => refusal,
    }
}

fn of<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

macro_rules! json {
    ($status:literal, $description:literal, $type:ty) => {
        json!($status, $description, $type, [])
    };
    ($status:literal, $description:literal, $type:ty, $headers:expr) => {
        Answer {
            status: $status,
            description: $description,
            content: &[Content { media_type: "application/json", schema: of::<$type> }],
            headers: &$headers,
        }
    };
}

const LOCATION: (&str, &str) = ("Location", "The job's own URL.");
const DISPOSITION: (&str, &str) = ("Content-Disposition", "`attachment`, and the file's name.");
const REPLAYED: (&str, &str) = ("Idempotency-Replayed", "`true`: the job was there already.");

/// Every call. What is not here does not exist.
pub(crate) const TABLE: &[Route] = &[
    Route {
        method: Method::Post,
        path: "/api/jobs",
        name: "submitJob",
        summary: "Submit a job",
        handler: || post(submit::submit),
        body: Some((of::<JobRequest>, true)),
        parameters: &[openapi::IDEMPOTENCY_KEY],
        answers: &[
            json!(202, "The job was taken in.", Receipt, [LOCATION]),
            json!(200, "The job had been taken in before, with the same key.", Receipt, [LOCATION, REPLAYED]),
        ],
        refusals: &[
            Code::BadJson,
            Code::InvalidKey,
            Code::RequestTimeout,
            Code::TooLarge,
            Code::ContentType,
            Code::Invalid,
            Code::UnknownService,
            Code::KeyConflict,
            Code::NotReplicated,
            Code::QueueFull,
            Code::StoreFull,
        ],
    },
    Route {
        method: Method::Get,
        path: "/api/jobs",
        name: "listJobs",
        summary: "List jobs, newest first",
        handler: || get(jobs::list),
        body: None,
        parameters: &openapi::FILTERS,
        answers: &[json!(200, "A page of jobs.", JobPage)],
        refusals: &[Code::BadQuery],
    },
    Route {
        method: Method::Get,
        path: "/api/jobs/{id}",
        name: "getJob",
        summary: "Show a job",
        handler: || get(jobs::get),
        body: None,
        parameters: &[],
        answers: &[json!(200, "The job.", JobView)],
        refusals: &[Code::NoSuchJob, Code::BadQuery],
    },
    Route {
        method: Method::Get,
        path: "/api/jobs/{id}/events",
        name: "jobEvents",
        summary: "Follow a job until it ends, or list what happened to it",
        handler: || get(events::events),
        body: None,
        parameters: &[openapi::LAST_EVENT_ID],
        answers: &[
            Answer {
                status: 200,
                description: "The events: as a stream that ends after the job's last one, or as JSON when only that is accepted.",
                content: &[
                    Content { media_type: "text/event-stream", schema: of::<EventView> },
                    Content { media_type: "application/json", schema: of::<Vec<EventView>> },
                ],
                headers: &[],
            },
            Answer {
                status: 204,
                description: "The job has ended and there is nothing after `Last-Event-ID`.",
                content: &[],
                headers: &[],
            },
        ],
        refusals: &[Code::NoSuchJob, Code::BadHeader],
    },
    Route {
        method: Method::Get,
        path: "/api/jobs/{id}/result",
        name: "jobResult",
        summary: "Get a job's result",
        handler: || get(jobs::result),
        body: None,
        parameters: &[],
        answers: &[json!(200, "The result, as the connector gives it.", Value)],
        refusals: &[Code::NoSuchJob, Code::NotDone, Code::NotSucceeded, Code::BadQuery],
    },
    Route {
        method: Method::Get,
        path: "/api/jobs/{id}/files/{name}",
        name: "jobFile",
        summary: "Get a file that a job's result names",
        handler: || get(files::file),
        body: None,
        parameters: &[openapi::RANGE],
        answers: &[
            Answer {
                status: 200,
                description: "The file, as an attachment.",
                content: &[Content { media_type: "application/octet-stream", schema: of::<Value> }],
                headers: &[DISPOSITION],
            },
            Answer {
                status: 206,
                description: "The bytes that `Range` asks for.",
                content: &[Content { media_type: "application/octet-stream", schema: of::<Value> }],
                headers: &[DISPOSITION],
            },
        ],
        refusals: &[Code::NoSuchJob, Code::NotFound, Code::BadRange],
    },
    Route {
        method: Method::Post,
        path: "/api/jobs/{id}/cancel",
        name: "cancelJob",
        summary: "Cancel a job",
        handler: || post(jobs::cancel),
        body: Some((of::<CancelBody>, false)),
        parameters: &[],
        answers: &[json!(202, "Recorded: from now on the job can only end `cancelled`.", JobView)],
        refusals: &[
            Code::BadJson,
            Code::NoSuchJob,
            Code::TooLate,
            Code::RequestTimeout,
            Code::TooLarge,
            Code::ContentType,
            Code::Invalid,
        ],
    },
    Route {
        method: Method::Post,
        path: "/api/webhooks/{id}/{token}",
        name: "receiveWebhook",
        summary: "Take a service's call: the job is looked at soon",
        handler: || post(webhooks::receive),
        body: None,
        parameters: &[],
        answers: &[Answer {
            status: 204,
            description: "Whoever has the job goes by what the call says, where its connector declares how it is proven, and looks at the job where it does not.",
            content: &[],
            headers: &[],
        }],
        refusals: &[Code::NoSuchJob, Code::NotProven, Code::TooLarge, Code::RequestTimeout],
    },
    Route {
        method: Method::Get,
        path: "/api/connectors",
        name: "listConnectors",
        summary: "List the connectors of this binary",
        handler: || get(meta::connectors),
        body: None,
        parameters: &[],
        answers: &[json!(200, "The connectors, by name.", Vec<ConnectorView>)],
        refusals: &[Code::BadQuery],
    },
    Route {
        method: Method::Get,
        path: "/api/services",
        name: "listServices",
        summary: "List the services that jobs may ask for",
        handler: || get(meta::services),
        body: None,
        parameters: &[],
        answers: &[json!(200, "The services, by name.", Vec<ServiceView>)],
        refusals: &[Code::BadQuery],
    },
    Route {
        method: Method::Get,
        path: "/api/services/{name}",
        name: "getService",
        summary: "Show a service and the schema of its payload",
        handler: || get(meta::service),
        body: None,
        parameters: &[],
        answers: &[json!(200, "The service.", ServiceDetail)],
        refusals: &[Code::NotFound, Code::BadQuery],
    },
    Route {
        method: Method::Get,
        path: "/api/workers",
        name: "listWorkers",
        summary: "List the workers that were heard of lately",
        handler: || get(meta::workers),
        body: None,
        parameters: &[],
        answers: &[json!(200, "The workers.", Vec<WorkerView>)],
        refusals: &[Code::BadQuery],
    },
    Route {
        method: Method::Get,
        path: "/api/problems/{code}",
        name: "explainProblem",
        summary: "Explain the code of a problem",
        handler: || get(meta::problem),
        body: None,
        parameters: &[],
        answers: &[json!(200, "What the code means and what to do.", meta::CodeView)],
        refusals: &[Code::NotFound],
    },
    Route {
        method: Method::Get,
        path: "/api/version",
        name: "version",
        summary: "Say what runs here",
        handler: || get(meta::version),
        body: None,
        parameters: &[],
        answers: &[json!(200, "The version.", meta::VersionView)],
        refusals: &[],
    },
    Route {
        method: Method::Get,
        path: "/api/openapi.json",
        name: "openapi",
        summary: "This document",
        handler: || get(openapi::serve),
        body: None,
        parameters: &[],
        answers: &[json!(200, "OpenAPI 3.1.", Value)],
        refusals: &[],
    },
    Route {
        method: Method::Get,
        path: "/livez",
        name: "live",
        summary: "Say that the process answers",
        handler: || get(meta::livez),
        body: None,
        parameters: &[],
        answers: &[json!(200, "It does.", meta::Well)],
        refusals: &[],
    },
    Route {
        method: Method::Get,
        path: "/metrics",
        name: "metrics",
        summary: "Show what this process counts, for Prometheus",
        handler: || get(meta::metrics),
        body: None,
        parameters: &[],
        answers: &[Answer {
            status: 200,
            description: "The metrics, in the text format of Prometheus.",
            content: &[Content { media_type: "text/plain", schema: of::<String> }],
            headers: &[],
        }],
        refusals: &[],
    },
    Route {
        method: Method::Get,
        path: "/readyz",
        name: "ready",
        summary: "Say that jobs can be taken in",
        handler: || get(meta::readyz),
        body: None,
        parameters: &[],
        answers: &[json!(200, "They can.", meta::Well)],
        refusals: &[],
    },
];
