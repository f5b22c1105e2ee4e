//! An `OpenAPI` description, as far as a new connector needs it.

use serde_json::{Map, Value, json};

use super::plan::{Credential, Kind};

/// Most references in a row.
const MAX_HOPS: usize = 20;
const METHODS: &[&str] = &["get", "post", "put", "patch", "delete"];

/// A description.
#[derive(Debug)]
pub(super) struct Document {
    root: Value,
}

/// An operation with its place.
#[derive(Clone, Debug)]
pub(super) struct Operation {
    pub(super) method: String,
    pub(super) path: String,
    value: Value,
}

impl Operation {
    pub(super) fn name(&self) -> String {
        let id = self.value.get("operationId").and_then(Value::as_str);
        id.map_or_else(|| format!("{} {}", self.method.to_ascii_uppercase(), self.path), str::to_owned)
    }
}

impl Document {
    pub(super) fn new(root: Value) -> Self {
        Self { root }
    }

    pub(super) fn title(&self) -> String {
        let title = self
            .root
            .pointer("/info/title")
            .and_then(Value::as_str)
            .unwrap_or("the service's OpenAPI description");
        title.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    fn operations(&self) -> impl Iterator<Item = Operation> {
        let paths = self.root.get("paths").and_then(Value::as_object);
        paths.into_iter().flatten().flat_map(|(path, item)| {
            METHODS.iter().filter_map(move |method| {
                let value = item.get(*method)?.clone();
                Some(Operation { method: (*method).to_owned(), path: path.clone(), value })
            })
        })
    }

    /// The operation with an id, or with a method and a path.
    pub(super) fn operation(&self, name: &str) -> Result<Operation, String> {
        let is = |operation: &Operation| {
            let route = format!("{} {}", operation.method, operation.path);
            operation.value.get("operationId").and_then(Value::as_str) == Some(name)
                || route.eq_ignore_ascii_case(name)
        };
        self.operations().find(is).ok_or_else(|| {
            let names: Vec<String> = self.operations().map(|operation| operation.name()).collect();
            match emp_core::syntax::nearest(name, names.iter().map(String::as_str)) {
                Some(nearest) => format!("it has no operation `{name}`; did you mean `{nearest}`?"),
                None => format!(
                    "it has no operation `{name}`; it has {}",
                    names.into_iter().take(20).collect::<Vec<_>>().join(", ")
                ),
            }
        })
    }

    /// The operation that asks after the job of a submit: a GET of one more segment, a parameter, or one beside it.
    pub(super) fn poll_of(&self, submit: &Operation) -> Option<Operation> {
        let gets: Vec<Operation> = self
            .operations()
            .filter(|operation| operation.method == "get" && operation.path.ends_with('}'))
            .collect();
        let below = format!("{}/{{", submit.path.trim_end_matches('/'));
        let direct =
            gets.iter().find(|get| get.path.starts_with(&below) && !get.path[below.len()..].contains('/'));
        // `POST /text_to_video` and `GET /tasks/{id}`: the one whose answer has a status.
        let with_status = || {
            let mut found = gets.iter().filter(|get| {
                self.answer(get).is_some_and(|schema| {
                    ["status", "state", "task_status"]
                        .iter()
                        .any(|name| schema.pointer(&format!("/properties/{name}")).is_some())
                })
            });
            found.next().filter(|_| found.next().is_none())
        };
        direct.or_else(with_status).cloned()
    }

    /// The operation that cancels the job of a poll.
    pub(super) fn cancel_of(&self, poll: &Operation) -> Option<Operation> {
        let wanted = format!("{}/cancel", poll.path);
        let by_path =
            self.operations().find(|operation| operation.path == wanted && operation.method != "get");
        by_path.or_else(|| {
            self.operations().find(|operation| operation.method == "delete" && operation.path == poll.path)
        })
    }

    /// The first server, its variables at their defaults.
    pub(super) fn server(&self) -> Option<String> {
        let server = self.root.pointer("/servers/0")?;
        let variables = server.get("variables").and_then(Value::as_object);
        let url = server.get("url")?.as_str()?.to_owned();
        Some(variables.into_iter().flatten().fold(url, |url, (name, variable)| {
            let default = variable.get("default").and_then(Value::as_str).unwrap_or_default();
            url.replace(&format!("{{{name}}}"), default)
        }))
    }

    /// A schema with its references followed and its `allOf` joined.
    pub(super) fn resolve(&self, schema: &Value) -> Value {
        self.resolved(schema, MAX_HOPS)
    }

    fn resolved(&self, schema: &Value, hops: usize) -> Value {
        let Some(hops) = hops.checked_sub(1) else { return Value::Null };
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            let target = reference.strip_prefix('#').and_then(|pointer| self.root.pointer(pointer));
            return target.map(|target| self.resolved(target, hops)).unwrap_or_default();
        }
        let Some(parts) = schema.get("allOf").and_then(Value::as_array) else {
            // Of alternatives the first that is an object, or the first.
            let choice =
                ["oneOf", "anyOf"].into_iter().find_map(|name| schema.get(name).and_then(Value::as_array));
            return match choice.filter(|_| schema.get("properties").is_none()) {
                Some(parts) => {
                    let parts: Vec<Value> = parts.iter().map(|part| self.resolved(part, hops)).collect();
                    let object = parts.iter().find(|part| part.get("properties").is_some());
                    let described =
                        object.or_else(|| parts.iter().find(|part| part.get("type") != Some(&json!("null"))));
                    described.cloned().unwrap_or_default()
                }
                None => schema.clone(),
            };
        };
        let mut joined = Map::new();
        for part in parts.iter().map(|part| self.resolved(part, hops)).chain([without(schema, "allOf")]) {
            for (name, value) in part.as_object().cloned().unwrap_or_default() {
                match (joined.get_mut(&name), value) {
                    (Some(Value::Object(known)), Value::Object(more)) => known.extend(more),
                    (Some(Value::Array(known)), Value::Array(more)) => known.extend(more),
                    (Some(_), _) => {}
                    (None, value) => {
                        joined.insert(name, value);
                    }
                }
            }
        }
        Value::Object(joined)
    }

    /// The schema of an operation's JSON body.
    pub(super) fn body(&self, operation: &Operation) -> Option<Value> {
        let body = self.resolve(operation.value.get("requestBody")?);
        Some(self.resolve(json_of(&body)?))
    }

    /// The schema of an operation's first good JSON answer.
    pub(super) fn answer(&self, operation: &Operation) -> Option<Value> {
        let responses = operation.value.get("responses")?.as_object()?;
        let good = responses.iter().filter(|(code, _)| code.starts_with('2'));
        good.into_iter().find_map(|(_, response)| {
            let response = self.resolve(response);
            Some(self.resolve(json_of(&response)?))
        })
    }

    /// The status words at a path of a schema.
    pub(super) fn words(&self, schema: &Value, path: &str) -> Vec<String> {
        let at = path.trim_start_matches("$.").split('.').try_fold(self.resolve(schema), |schema, name| {
            Some(self.resolve(schema.get("properties")?.get(name)?))
        });
        let words = at.as_ref().and_then(|schema| schema.get("enum")).and_then(Value::as_array);
        words.into_iter().flatten().filter_map(|word| word.as_str().map(str::to_owned)).collect()
    }

    /// What a path's parameter is said to be.
    pub(super) fn parameter_doc(&self, operation: &Operation, name: &str) -> Option<String> {
        let item = self.root.get("paths")?.get(&operation.path)?;
        let lists = [operation.value.get("parameters"), item.get("parameters")];
        let parameters = lists.into_iter().flatten().filter_map(Value::as_array).flatten();
        let parameter = parameters
            .map(|parameter| self.resolve(parameter))
            .find(|parameter| parameter.get("name").and_then(Value::as_str) == Some(name))?;
        let text = parameter
            .get("description")?
            .as_str()?
            .split("\n\n")
            .next()?
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ");
        Some(text.chars().take(160).collect()).filter(|text: &String| !text.is_empty())
    }

    /// Where the credential of an operation stands.
    pub(super) fn credential(&self, operation: &Operation, next: &mut Vec<String>) -> Credential {
        let security = operation.value.get("security").or_else(|| self.root.get("security"));
        let name = security
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .find_map(|requirement| requirement.as_object()?.keys().next());
        let schemes = self.root.pointer("/components/securitySchemes").and_then(Value::as_object);
        let scheme = match (name, schemes) {
            (Some(name), Some(schemes)) => schemes.get(name),
            // A description that declares a scheme and forgets to require it means it.
            (None, Some(schemes)) => schemes.values().next(),
            _ => None,
        };
        let Some(scheme) = scheme.map(|scheme| self.resolve(scheme)) else {
            next.push("`#[auth]`: the description has no security scheme".to_owned());
            return Credential::Bearer;
        };
        let text = |name: &str| scheme.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        match (text("type").as_str(), text("scheme").to_ascii_lowercase().as_str(), text("in").as_str()) {
            ("http", "basic", _) => Credential::Basic,
            ("apiKey", _, "header") => Credential::Header { name: text("name"), prefix: String::new() },
            ("apiKey", _, "query") => Credential::Query { name: text("name") },
            ("http", ..) => Credential::Bearer,
            (kind, ..) => {
                next.push(format!("`#[auth]`: the description wants `{kind}`; a bearer token stands there"));
                Credential::Bearer
            }
        }
    }
}

/// The Rust type of a schema.
pub(super) fn kind(schema: &Value) -> Kind {
    let kind = match schema.get("type") {
        Some(Value::String(kind)) => Some(kind.as_str()),
        Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null"),
        _ => schema.get("properties").map(|_| "object"),
    };
    match kind {
        Some("string") => Kind::Text,
        Some("integer") => Kind::Integer,
        Some("number") => Kind::Number,
        Some("boolean") => Kind::Bool,
        Some("array") => Kind::List,
        Some("object") => Kind::Object,
        _ => Kind::Any,
    }
}

fn without(schema: &Value, name: &str) -> Value {
    let members = schema.as_object().into_iter().flatten();
    members.filter(|(known, _)| *known != name).map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// The schema of the JSON among the contents of a body or an answer.
fn json_of(holder: &Value) -> Option<&Value> {
    let content = holder.get("content")?.as_object()?;
    let json = content.iter().find(|(kind, _)| kind.starts_with("application/") && kind.contains("json"));
    json?.1.get("schema")
}
