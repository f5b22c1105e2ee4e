//! Cutting and reading slices, on small documents.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails by panicking, as the test does")]

use emp_openapi::{
    About, Change, CutError, Kinds, Location, Origin, Reach, Schema, Scheme, Side, Slice, What, changes,
    slice,
};
use emp_syntax::jsonpath::JsonPath;
use serde_json::{Value, json};

fn about() -> About {
    About {
        source: "https://example.com/openapi.json".to_owned(),
        date: "2026-11-26".to_owned(),
        licence: "MIT".to_owned(),
        origin: Origin::Official,
        sha256: "0".repeat(64),
    }
}

fn cut(document: &Value, operations: &[&str]) -> Result<Value, CutError> {
    let operations: Vec<String> = operations.iter().map(|name| (*name).to_owned()).collect();
    slice(document, &operations, &about())
}

fn document() -> Value {
    json!({
        "info": { "title": "Jobs", "version": "1", "description": "Long." },
        "openapi": "3.1.0",
        "servers": [{ "url": "https://api.example.com/v1", "description": "Here." }],
        "security": [{ "key": [] }],
        "paths": {
            "/jobs": {
                "parameters": [{ "$ref": "#/components/parameters/Trace" }],
                "post": {
                    "operationId": "jobs.create", "description": "Makes a job.",
                    "parameters": [{ "name": "X-Version", "in": "header", "required": true, "schema": { "type": "string" } }],
                    "requestBody": { "content": { "application/json": { "schema": { "$ref": "#/components/schemas/NewJob" } } } },
                    "responses": { "201": { "description": "Made.", "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Job" } } } } }
                },
                "get": { "responses": { "200": { "content": { "application/json": { "schema": { "type": "array", "items": { "$ref": "#/components/schemas/Job" } } } } } } }
            },
            "/other": { "get": { "operationId": "other", "responses": { "200": { "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Unused" } } } } } } }
        },
        "components": {
            "parameters": { "Trace": { "name": "trace", "in": "query", "description": "?" } },
            "securitySchemes": { "key": { "type": "apiKey", "in": "header", "name": "x-key", "description": "The key." }, "other": { "type": "http", "scheme": "basic" } },
            "schemas": {
                "NewJob": { "type": "object", "required": ["prompt"], "properties": { "prompt": { "type": "string", "description": "What." }, "parent": { "$ref": "#/components/schemas/Job" } } },
                "Job": { "type": "object", "properties": { "id": { "type": "string" }, "description": { "type": "string" }, "child": { "$ref": "#/components/schemas/Job" }, "state": { "$ref": "#/components/schemas/State" }, "first": { "$ref": "#/components/schemas/Job/properties/id" } } },
                "State": { "enum": ["new", "done"], "x-names": ["New", "Done"] },
                "Unused": { "type": "object" }
            }
        }
    })
}

#[test]
fn a_slice_has_the_named_operations_and_what_they_reach_and_no_prose() {
    let cut = cut(&document(), &["jobs.create"]).unwrap();
    let paths: Vec<_> = cut["paths"].as_object().unwrap().keys().collect();
    assert_eq!(paths, ["/jobs"]);
    assert!(cut.pointer("/paths/~1jobs/get").is_none());
    let schemas: Vec<_> = cut["components"]["schemas"].as_object().unwrap().keys().collect();
    assert_eq!(schemas, ["Job", "NewJob", "State"]);
    let credentials: Vec<_> = cut["components"]["securitySchemes"].as_object().unwrap().keys().collect();
    assert_eq!(credentials, ["key"]);
    let text = cut.to_string();
    for prose in ["Makes a job.", "Long.", "Here.", "What.", "The key.", "x-names"] {
        assert!(!text.contains(prose), "{prose}");
    }
    let job = &cut["components"]["schemas"]["Job"]["properties"];
    assert_eq!(job["description"], json!({ "type": "string" }), "a member may be called like a keyword");
    assert_eq!(job["first"], json!({ "type": "string" }), "a reference to no component is put in its place");
}

#[test]
fn the_bytes_do_not_depend_on_the_order_of_the_original() {
    fn reversed(value: &Value) -> Value {
        match value {
            Value::Object(members) => {
                members.iter().rev().map(|(key, value)| (key.clone(), reversed(value))).collect()
            }
            Value::Array(items) => items.iter().map(reversed).collect(),
            value => value.clone(),
        }
    }
    let (one, two) = (document(), reversed(&document()));
    assert_ne!(one.to_string(), two.to_string());
    let operations = ["jobs.create", "GET /jobs"];
    assert_eq!(cut(&one, &operations).unwrap().to_string(), cut(&two, &operations).unwrap().to_string());
}

#[test]
fn what_cannot_be_cut_says_why() {
    let wrong = cut(&document(), &["jobs.creat"]).unwrap_err();
    assert_eq!(wrong.to_string(), "there is no operation `jobs.creat`; did you mean `jobs.create`?");
    assert_eq!(cut(&json!({ "swagger": "2.0" }), &["x"]), Err(CutError::NotOpenApi));
    let mut lost = document();
    lost["components"]["schemas"]["NewJob"] = json!({ "$ref": "other.yaml#/NewJob" });
    assert_eq!(cut(&lost, &["jobs.create"]), Err(CutError::Reference("other.yaml#/NewJob".to_owned())));
}

#[test]
fn an_operation_says_what_it_takes_and_answers() {
    let slice = Slice::new(cut(&document(), &["jobs.create", "GET /jobs"]).unwrap()).unwrap();
    let create = slice.operation("jobs.create").unwrap();
    assert_eq!((create.method().as_str(), create.path()), ("POST", "/jobs"));
    let parameters: Vec<_> = create
        .parameters()
        .iter()
        .map(|parameter| (parameter.name, parameter.location, parameter.required))
        .collect();
    assert_eq!(parameters, [("trace", Location::Query, false), ("X-Version", Location::Header, true)]);
    assert_eq!(create.json_body().unwrap().required(), ["prompt"]);
    assert_eq!(create.security(), [[Scheme::Header("x-key".to_owned())]]);
    assert!(create.responses()[0].is_for(201) && !create.responses()[0].is_for(200));
    assert!(slice.operation("GET /jobs").is_some_and(|list| list.name() == "GET /jobs"));
}

#[test]
fn a_schema_that_contains_itself_has_an_end() {
    let mut circle = document();
    circle["components"]["schemas"]["Job"] = json!({ "allOf": [{ "$ref": "#/components/schemas/Job" }] });
    circle["components"]["schemas"]["State"] = json!({ "$ref": "#/components/schemas/State" });
    let slice = Slice::new(cut(&circle, &["jobs.create"]).unwrap()).unwrap();
    let job = slice.operation("jobs.create").unwrap().responses().remove(0).json.unwrap();
    assert!(matches!(job.reach(&JsonPath::parse("$..x").unwrap()), Reach::Open));
    assert_eq!(job.kinds(), Kinds::ALL);
}

/// What paths find in an answer of a schema.
fn reach(schema: Value, path: &str) -> (&'static str, Option<Kinds>, Option<Vec<String>>) {
    let mut whole = document();
    whole["components"]["schemas"]["Job"] = schema;
    let slice = Slice::new(cut(&whole, &["jobs.create"]).unwrap()).unwrap();
    let job = slice.operation("jobs.create").unwrap().responses().remove(0).json.unwrap();
    let found = |schema: &Schema<'_>| {
        schema.words().map(|words| words.iter().map(|word| (*word).to_owned()).collect())
    };
    match job.reach(&JsonPath::parse(path).unwrap()) {
        Reach::Found(schema) => ("ok", Some(schema.kinds()), found(&schema)),
        Reach::Open => ("open", None, None),
        Reach::Missing(_) => ("missing", None, None),
    }
}

#[test]
fn alternatives_and_parts_are_read_as_an_author_reads_them() {
    let text = json!({ "type": "string" });
    let both = json!({ "allOf": [{ "properties": { "a": text } }, { "required": ["a"] }, { "properties": { "b": text } }] });
    assert_eq!(reach(both.clone(), "$.b").0, "ok");
    assert_eq!(reach(both, "$.c").0, "missing", "a part without members does not open the others");
    let either = json!({ "oneOf": [{ "properties": { "a": { "const": "x" } } }, { "properties": { "a": { "const": "y" } } }, { "type": "null" }] });
    assert_eq!(reach(either.clone(), "$.a").2.unwrap(), ["x", "y"]);
    assert_eq!(reach(either, "$.b").0, "missing");
    let named_or_not = json!({ "properties": { "a": { "anyOf": [text, { "enum": ["x"] }] } } });
    assert_eq!(reach(named_or_not, "$.a").2, None, "any text is allowed beside the words");
    let narrowed = json!({ "properties": { "a": { "allOf": [text, { "enum": ["x", "y"] }] } } });
    assert_eq!(reach(narrowed, "$.a").2.unwrap(), ["x", "y"]);
    let more = json!({ "type": "object", "properties": { "a": text }, "additionalProperties": { "type": "integer" } });
    assert_eq!(reach(more, "$.z").1.unwrap(), Kinds::NUMBER);
    assert_eq!(reach(json!({ "type": "object" }), "$.a").0, "open");
    assert_eq!(
        reach(json!({ "type": "object", "properties": { "a": text }, "additionalProperties": true }), "$.z")
            .0,
        "open"
    );
    assert_eq!(reach(json!({ "type": "object", "additionalProperties": false }), "$.z").0, "missing");
    assert_eq!(reach(json!({ "type": "string" }), "$.z").0, "missing");
    assert_eq!(reach(json!({}), "$.z").0, "open");
    let nullable = json!({ "properties": { "a": { "type": "string", "nullable": true }, "b": { "type": ["integer", "null"] } } });
    assert_eq!(reach(nullable.clone(), "$.a").1.unwrap(), Kinds::TEXT.or(Kinds::NULL));
    assert_eq!(reach(nullable, "$.b").1.unwrap(), Kinds::NUMBER.or(Kinds::NULL));
}

#[test]
fn arrays_wildcards_slices_filters_and_descendants_are_walked() {
    let item = |kind: &str, member: &str| json!({ "type": "object", "properties": { "type": { "const": kind }, member: { "type": "string" } } });
    let list = json!({ "properties": {
        "items": { "type": "array", "items": { "oneOf": [item("image", "url"), item("text", "body")] } },
        "pair": { "type": "array", "prefixItems": [{ "type": "string" }, { "type": "integer" }] },
        "map": { "type": "object", "additionalProperties": { "properties": { "deep": { "type": "boolean" } } } },
    } });
    let verdict = |path: &str| reach(list.clone(), path).0;
    assert_eq!(verdict("$.items[0].url"), "ok");
    assert_eq!(verdict("$.items[-1:].url"), "ok");
    assert_eq!(verdict("$.items[?@.type=='image'].url"), "ok");
    assert_eq!(verdict("$.items[?@.type=='image'].body"), "missing", "an image has none");
    assert_eq!(verdict("$.items[?@.type=='video'].url"), "missing", "there is no video");
    assert_eq!(verdict("$.items[?@.kind=='image'].url"), "missing");
    assert_eq!(verdict("$.items.url"), "missing");
    assert_eq!(reach(list.clone(), "$.pair[1]").1.unwrap(), Kinds::NUMBER);
    assert_eq!(verdict("$.map.anything.deep"), "ok");
    assert_eq!(verdict("$.map[*].deep"), "ok");
    assert_eq!(verdict("$..deep"), "ok");
    assert_eq!(verdict("$.map..deep"), "ok");
    assert_eq!(verdict("$..anything"), "ok", "a map has whatever member is asked for");
    assert_eq!(verdict("$.items..nowhere"), "missing");
}

#[test]
fn drift_tells_what_breaks_from_what_does_not() {
    let old = document();
    let mut new = document();
    let job = &mut new["components"]["schemas"]["Job"]["properties"];
    job["id"] = json!({ "type": ["string", "null"] });
    job["extra"] = json!({ "type": "string" });
    job.as_object_mut().unwrap().remove("description");
    new["components"]["schemas"]["State"] = json!({ "enum": ["new", "gone"] });
    new["components"]["schemas"]["NewJob"]["required"] = json!(["prompt", "model"]);
    new["components"]["schemas"]["NewJob"]["properties"]["model"] = json!({ "type": "string" });
    new["paths"]["/jobs"]["post"]["parameters"][0]["name"] = json!("X-Date");
    new["paths"]["/jobs"]["post"]["responses"]["202"] = json!({});
    let read = |document: &Value| Slice::new(cut(document, &["jobs.create"]).unwrap()).unwrap();
    let found = changes(&read(&old), &read(&new));
    let said = |side: Side, path: &str| -> Vec<(String, bool)> {
        let at = found.iter().filter(|change| change.side == side && change.path == path);
        at.map(|change| (change.what.to_string(), change.breaking())).collect()
    };
    let one = |text: &str, breaking: bool| vec![(text.to_owned(), breaking)];
    assert_eq!(said(Side::Answer, "$.id"), one("was text, is null or text", true));
    assert_eq!(said(Side::Answer, "$.extra"), one("is new", false));
    assert_eq!(said(Side::Answer, "$.description"), one("is gone", true));
    assert_eq!(
        said(Side::Answer, "$.state"),
        [("can be \"gone\" now".to_owned(), true), ("cannot be \"done\" any more".to_owned(), false)]
    );
    assert_eq!(said(Side::Answer, ""), one("can be answered with 202 now", true));
    assert_eq!(said(Side::Request, "$.model"), one("must be sent now", true));
    assert_eq!(said(Side::Request, "X-Date"), one("must be sent now", true));
    assert!(changes(&read(&old), &read(&old)).is_empty());
    let gone = Slice::new(cut(&old, &["GET /jobs"]).unwrap()).unwrap();
    let lost = Change {
        operation: "jobs.create".to_owned(),
        side: Side::Request,
        path: String::new(),
        what: What::OperationGone,
    };
    assert_eq!(changes(&read(&old), &gone), [lost]);
}
