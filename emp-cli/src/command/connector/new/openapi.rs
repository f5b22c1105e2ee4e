//! An operation of an `OpenAPI` description, read as a submit, and the one that asks after its job.

use emp_core::secret::names_credential;
use serde_json::{Map, Value};
use url::Url;

use super::document::{Document, Operation, kind};
use super::path;
use super::plan::{Field, Kind, NewConnector, Polled, Words, is_ident};

/// Names under which answers have a job's id, its status, and a result.
const IDS: &[&str] = &[
    "id",
    "job_id",
    "task_id",
    "request_id",
    "prediction_id",
    "generation_id",
    "uuid",
    "taskId",
    "jobId",
    "requestId",
];
const STATUSES: &[&str] = &["status", "state", "task_status", "job_status", "phase", "taskStatus"];
const RESULTS: &[&str] = &[
    "output", "result", "results", "outputs", "response", "assets", "images", "data", "video", "audio",
    "text",
];

/// Reads the operation that submits, and the one that asks after the job: the named one, or the one whose path says so.
///
/// # Errors
/// What is missing, with what there is.
pub(super) fn read(document: &Document, operation: &str, poll: Option<&str>) -> Result<NewConnector, String> {
    let submit = document.operation(operation)?;
    let mut next = Vec::new();
    let poll = match poll {
        Some(name) => Some(document.operation(name)?),
        None => document.poll_of(&submit),
    };
    let base = base(document, &mut next);
    let mut fields = path_fields(document, &submit, &mut next);
    let (constants, body) = body(document, &submit, &mut next);
    fields.extend(body);
    let answer = document.answer(&submit);
    let polled = poll.map(|poll| polled(document, &submit, answer.as_ref(), &poll, &mut next));
    if polled.is_none() {
        next.push("no operation asks after a job, so the answer is taken for the result (`mode = sync`); name one with --poll".to_owned());
    }
    let (polled, result) = match polled {
        Some((polled, shown)) => (Some(polled), shown),
        None => (None, answer),
    };
    let outcome = result.and_then(|schema| found(document, &schema, RESULTS)).unwrap_or_default();
    Ok(NewConnector {
        source: format!("{}, operation `{}`", document.title(), submit.name()),
        base,
        credential: document.credential(&submit, &mut next),
        method: submit.method.to_ascii_uppercase(),
        path: path::holes(&submit.path, None),
        query: Vec::new(),
        headers: Vec::new(),
        constants,
        fields,
        polled,
        outcome,
        next,
    })
}

fn base(document: &Document, next: &mut Vec<String>) -> String {
    if let Some(base) = document.server().filter(|text| Url::parse(text).is_ok()) {
        return base.trim_end_matches('/').to_owned();
    }
    next.push("`#[http(base = ..)]`: the description names no server".to_owned());
    "https://api.example.com".to_owned()
}

fn path_fields(document: &Document, submit: &Operation, next: &mut Vec<String>) -> Vec<Field> {
    let doc = |name: &str| document.parameter_doc(submit, name);
    path::parameters(&submit.path).map(|name| path::field(name, doc(name), next)).collect()
}

type Body = (Vec<(String, Value)>, Vec<Field>);

fn body(document: &Document, submit: &Operation, next: &mut Vec<String>) -> Body {
    let Some(schema) = document.body(submit) else {
        next.push("the operation has no JSON body: write it by hand".to_owned());
        return (Vec::new(), Vec::new());
    };
    let required: Vec<&str> = schema
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let empty = Map::new();
    let properties = schema.get("properties").and_then(Value::as_object).unwrap_or(&empty);
    if properties.is_empty() {
        next.push("the body's schema has no properties: write its members by hand".to_owned());
    }
    let mut constants = Vec::new();
    let mut fields = Vec::new();
    for (name, schema) in properties {
        let schema = document.resolve(schema);
        let needed = required.contains(&name.as_str());
        if is_ident(name) {
            fields.push(field(name, &schema, needed));
        } else if let Some(value) = constant(&schema).filter(|_| needed) {
            next.push(format!(
                "`{name}` of the body is no name of Rust, so it is a constant; make it a hole by hand"
            ));
            constants.push((name.clone(), value));
        } else {
            next.push(format!("`{name}` of the body is no name of Rust and was left out"));
        }
    }
    (constants, fields)
}

fn constant(schema: &Value) -> Option<Value> {
    let first = |name: &str| schema.get(name)?.as_array()?.first().cloned();
    schema.get("const").or_else(|| schema.get("default")).cloned().or_else(|| first("enum"))
}

fn field(name: &str, schema: &Value, required: bool) -> Field {
    let mut doc = first_sentence(schema.get("description").and_then(Value::as_str).unwrap_or_default());
    if doc.is_empty() {
        doc = format!("`{name}`, as the service takes it.");
    }
    let words: Vec<String> = schema
        .get("enum")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .take(12)
        .map(|word| format!("`{word}`"))
        .collect();
    if !words.is_empty() {
        doc.extend([" One of ", &words.join(", ").replace('"', ""), "."]);
    }
    let example = schema
        .get("example")
        .cloned()
        .or_else(|| schema.get("examples").and_then(Value::as_array).and_then(|all| all.first()).cloned());
    let example = example.or_else(|| constant(schema)).filter(|_| !names_credential(name));
    let kind = kind(schema);
    let fits = |value: &Value| {
        kind == Kind::Any || Kind::of(value) == kind || (kind == Kind::Number && value.is_number())
    };
    Field { name: name.to_owned(), kind, doc, required, example: example.filter(fits), in_path: false }
}

/// A description's first sentence, on one line.
fn first_sentence(text: &str) -> String {
    let line = text.split("\n\n").next().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ");
    let sentence = line.split_once(". ").map_or(line.as_str(), |(sentence, _)| sentence);
    let short: String = sentence.trim_end_matches('.').chars().take(160).collect();
    if short.is_empty() { short } else { short + "." }
}

/// The paths of some names in a schema, one step down at most: `$.id`, `$.data.id`.
fn all(document: &Document, schema: &Value, names: &[&str]) -> Vec<String> {
    let members =
        |schema: &Value| schema.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
    let properties = members(schema);
    let mut paths: Vec<String> =
        names.iter().filter(|name| properties.contains_key(**name)).map(|name| format!("$.{name}")).collect();
    let plain = |name: &str| name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
    for (outer, inner) in properties.iter().filter(|(name, _)| plain(name)) {
        let inside = members(&document.resolve(inner));
        let found = names.iter().filter(|name| inside.contains_key(**name));
        paths.extend(found.map(|name| format!("$.{outer}.{name}")));
    }
    paths
}

fn found(document: &Document, schema: &Value, names: &[&str]) -> Option<String> {
    all(document, schema, names).into_iter().next()
}

/// The path of the status: one with a list of words before one without.
fn status(document: &Document, schema: &Value) -> Option<String> {
    let paths = all(document, schema, STATUSES);
    let listed = paths.iter().find(|path| !document.words(schema, path).is_empty());
    listed.or(paths.first()).cloned()
}

fn polled(
    document: &Document,
    submit: &Operation,
    answer: Option<&Value>,
    poll: &Operation,
    next: &mut Vec<String>,
) -> (Polled, Option<Value>) {
    let id = answer.and_then(|schema| found(document, schema, IDS)).unwrap_or_else(|| {
        next.push(
            "`capture(id = ..)`: the description does not say where the answer has the job's id".to_owned(),
        );
        "$.id".to_owned()
    });
    let shown = document.answer(poll);
    let status = shown.as_ref().and_then(|schema| status(document, schema)).unwrap_or_else(|| {
        next.push("`#[states(at = ..)]`: the description does not say where the status is".to_owned());
        "$.status".to_owned()
    });
    let words = shown.as_ref().map(|schema| document.words(schema, &status)).unwrap_or_default();
    let words = if words.is_empty() {
        next.push("`#[states]`: the description has no status words; the usual ones stand there".to_owned());
        Words::usual()
    } else {
        Words::sorted(words.iter().map(String::as_str))
    };
    if !words.unclear.is_empty() {
        next.push(format!(
            "`#[states]`: nothing says what {} means; taken for running",
            words.unclear.join(", ")
        ));
    }
    let job = path::parameters(&poll.path).last();
    for name in path::parameters(&poll.path).filter(|name| Some(*name) != job) {
        if !path::parameters(&submit.path).any(|known| known == name) {
            next.push(format!("`#[poll]`: its path needs `{name}`, which no job has yet"));
        }
    }
    let cancel = document
        .cancel_of(poll)
        .map(|cancel| (cancel.method.to_ascii_uppercase(), path::holes(&cancel.path, job)));
    let polled = Polled {
        id,
        method: poll.method.to_ascii_uppercase(),
        path: path::holes(&poll.path, job),
        status,
        words,
        cancel,
    };
    (polled, shown)
}
