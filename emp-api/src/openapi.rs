//! The OpenAPI 3.1 document, from the table of routes and the types that serialise.

use std::sync::LazyLock;

use axum::Json;
use schemars::generate::{SchemaGenerator, SchemaSettings};
use serde_json::{Map, Value, json};

use crate::code::Code;
use crate::problem::{MEDIA_TYPE, Problem};
use crate::route::{Answer, Method, Parameter, Route};
use crate::routes::TABLE;
use crate::submit::JobRequest;

/// How any call may be refused.
const ANY_CALL: [Code; 5] = [Code::NoAuth, Code::CrossSite, Code::WrongHost, Code::Internal, Code::StoreDown];

pub(crate) const IDEMPOTENCY_KEY: Parameter = Parameter {
    place: "header",
    name: "Idempotency-Key",
    description: "A key of the client's own, instead of `idempotency_key` in the body.",
    schema: || json!({ "type": "string", "minLength": 1, "maxLength": 255 }),
};

pub(crate) const LAST_EVENT_ID: Parameter = Parameter {
    place: "header",
    name: "Last-Event-ID",
    description: "Only events after this `seq`.",
    schema: || json!({ "type": "integer", "minimum": 0 }),
};

pub(crate) const RANGE: Parameter = Parameter {
    place: "header",
    name: "Range",
    description: "One range of bytes; any other is answered with the whole file.",
    schema: || json!({ "type": "string", "examples": ["bytes=0-1023"] }),
};

pub(crate) const FILTERS: [Parameter; 6] = [
    Parameter {
        place: "query",
        name: "limit",
        description: "Jobs on a page.",
        schema: || json!({ "type": "integer", "minimum": 1, "maximum": 200, "default": 50 }),
    },
    Parameter {
        place: "query",
        name: "cursor",
        description: "`next` of the page before, with the same filters.",
        schema: || json!({ "type": "string" }),
    },
    Parameter {
        place: "query",
        name: "state",
        description: "Only jobs in one of these states. May repeat.",
        schema: || json!({ "type": "array", "items": { "enum": emp_core::job::JobState::ALL } }),
    },
    Parameter {
        place: "query",
        name: "status",
        description: "Only jobs with one of these statuses, in the guide's words. May repeat.",
        schema: || json!({ "type": "array", "items": { "enum": crate::view::Status::ALL } }),
    },
    Parameter {
        place: "query",
        name: "service",
        description: "Only jobs of this service.",
        schema: || json!({ "type": "string" }),
    },
    Parameter {
        place: "query",
        name: "label",
        description: "Only jobs with this label, as `name=value`. May repeat.",
        schema: || json!({ "type": "array", "items": { "type": "string", "pattern": "^[^=]+=" } }),
    },
];

static DOCUMENT: LazyLock<Value> = LazyLock::new(document);

/// Serves the document.
pub(crate) async fn serve() -> Json<&'static Value> {
    Json(&DOCUMENT)
}

/// The JSON Schema of the body of `POST /api/jobs`.
pub fn job_request() -> Value {
    schemars::schema_for!(JobRequest).into()
}

/// The OpenAPI 3.1 document of this API.
pub fn document() -> Value {
    let settings = || {
        SchemaSettings::draft2020_12().with(|settings| {
            settings.definitions_path = "/components/schemas".into();
            settings.meta_schema = None;
        })
    };
    // A type's shape may differ by direction: what may be left out of a request is always there in an answer.
    let mut schemas = Schemas {
        requests: settings().into_generator(),
        answers: settings().for_serialize().into_generator(),
    };
    let problem = schemas.answers.subschema_for::<Problem>().to_value();
    let mut paths: Map<String, Value> = Map::new();
    for route in TABLE {
        let operation = schemas.operation(route, &problem);
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        let method = match route.method {
            Method::Get => "get",
            Method::Post => "post",
        };
        path[method] = operation;
    }
    let mut definitions = schemas.requests.take_definitions(true);
    definitions.extend(schemas.answers.take_definitions(true));
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "EMP job API",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Submit jobs to external AI services, follow them, and get their results. Every refusal is an RFC 9457 problem.",
            "license": { "name": env!("CARGO_PKG_LICENSE") },
        },
        "servers": [{ "url": "/", "description": "The server that serves this document." }],
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "paths": paths,
        "components": {
            "schemas": definitions,
            "securitySchemes": { "token": { "type": "http", "scheme": "bearer" } },
        },
        "security": [{}, { "token": [] }],
    })
}

struct Schemas {
    requests: SchemaGenerator,
    answers: SchemaGenerator,
}

impl Schemas {
    fn operation(&mut self, route: &Route, problem: &Value) -> Value {
        let mut responses: Map<String, Value> =
            route.answers.iter().map(|answer| (answer.status.to_string(), self.answer(answer))).collect();
        let mut refusals: Vec<Code> = route.refusals.iter().copied().chain(ANY_CALL).collect();
        refusals.sort_by_key(|code| code.status());
        for same_status in refusals.chunk_by(|a, b| a.status() == b.status()) {
            let Some(first) = same_status.first() else { continue };
            let described: Vec<String> =
                same_status.iter().map(|code| format!("{} (`{}`)", code.title(), code.as_str())).collect();
            let content = json!({ MEDIA_TYPE: { "schema": problem } });
            responses.insert(
                first.status().to_string(),
                json!({ "description": described.join("; "), "content": content }),
            );
        }
        let mut operation = json!({ "operationId": route.name, "summary": route.summary, "parameters": parameters(route), "responses": responses });
        if let Some((schema, required)) = route.body {
            let schema = schema(&mut self.requests);
            operation["requestBody"] =
                json!({ "required": required, "content": { "application/json": { "schema": schema } } });
        }
        operation
    }

    fn answer(&mut self, answer: &Answer) -> Value {
        let content: Map<String, Value> = answer
            .content
            .iter()
            .map(|content| {
                (content.media_type.to_owned(), json!({ "schema": (content.schema)(&mut self.answers) }))
            })
            .collect();
        let headers: Map<String, Value> = answer
            .headers
            .iter()
            .map(|(name, description)| {
                ((*name).to_owned(), json!({ "description": description, "schema": { "type": "string" } }))
            })
            .collect();
        json!({ "description": answer.description, "headers": headers, "content": content })
    }
}

fn parameters(route: &Route) -> Vec<Value> {
    let in_path = route.path.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'));
    let mut all: Vec<Value> = in_path
        .map(|name| json!({ "in": "path", "name": name, "required": true, "schema": { "type": "string" } }))
        .collect();
    all.extend(route.parameters.iter().map(|parameter| {
        json!({
            "in": parameter.place,
            "name": parameter.name,
            "description": parameter.description,
            "schema": (parameter.schema)(),
        })
    }));
    all
}
