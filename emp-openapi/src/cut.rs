//! Cutting a slice out of a description.

use std::collections::{BTreeMap, BTreeSet};

use emp_syntax::nearest;
use serde_json::{Map, Value, json};

use crate::about::{About, KEY};
use crate::document::METHODS;

/// Schemas nested in one another before a cut gives up; no description that a person wrote comes near.
const DEEPEST: usize = 64;

/// The keywords of a schema that are facts which a declaration can be wrong about.
const SCHEMA: [&str; 14] = [
    "$ref",
    "additionalProperties",
    "allOf",
    "anyOf",
    "const",
    "enum",
    "items",
    "nullable",
    "oneOf",
    "patternProperties",
    "prefixItems",
    "properties",
    "required",
    "type",
];

/// Why nothing could be cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CutError {
    /// It is no description of a service in the third version of `OpenAPI`.
    NotOpenApi,
    /// It has no operation of that name.
    NoOperation {
        /// The name.
        wanted: String,
        /// The nearest name that there is.
        nearest: Option<String>,
    },
    /// A reference leads out of the file, to nothing, or in a circle.
    Reference(String),
}

impl std::fmt::Display for CutError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotOpenApi => {
                f.write_str("this is not an OpenAPI 3 document: it has no `openapi: 3..` and `paths`")
            }
            Self::NoOperation { wanted, nearest } => {
                write!(f, "there is no operation `{wanted}`")?;
                nearest.as_ref().map_or(Ok(()), |near| write!(f, "; did you mean `{near}`?"))
            }
            Self::Reference(reference) => write!(f, "the reference `{reference}` leads nowhere in this file"),
        }
    }
}

impl std::error::Error for CutError {}

/// Cuts a slice: the named operations and the schemas that they reach. The same document gives the same bytes, in whatever order
/// its members stand.
///
/// An operation is named by its id, or by its method and path (`POST /jobs`).
pub fn slice(document: &Value, operations: &[String], about: &About) -> Result<Value, CutError> {
    let version = document.get("openapi").and_then(Value::as_str).unwrap_or_default();
    let paths = document.get("paths").and_then(Value::as_object);
    let Some(paths) = paths.filter(|_| version.starts_with("3.")) else { return Err(CutError::NotOpenApi) };
    let mut cut = Cut { document, wanted: BTreeSet::new() };
    let mut kept = BTreeMap::<&str, Map<String, Value>>::new();
    let mut schemes = BTreeSet::<String>::new();
    note_schemes(document.get("security"), &mut schemes);
    for wanted in operations {
        let (path, item, method) = find(paths, wanted)?;
        let into = kept.entry(path).or_default();
        if let Some(parameters) = item.get("parameters") {
            into.insert("parameters".to_owned(), cut.parameters(parameters)?);
        }
        if let Some(servers) = item.get("servers") {
            into.insert("servers".to_owned(), urls(servers));
        }
        let operation = item.get(method).unwrap_or(&Value::Null);
        note_schemes(operation.get("security"), &mut schemes);
        into.insert(method.to_owned(), cut.operation(operation)?);
    }
    let mut components = cut.components()?;
    let known = document.pointer("/components/securitySchemes").and_then(Value::as_object);
    for name in schemes {
        if let Some(scheme) = known.and_then(|known| known.get(&name)) {
            let scheme = pick(scheme, &["type", "in", "name", "scheme"]);
            components.entry("securitySchemes".to_owned()).or_default().insert(name, scheme);
        }
    }
    let mut whole = Map::new();
    whole.insert("openapi".to_owned(), json!(version));
    whole
        .insert("info".to_owned(), pick(document.get("info").unwrap_or(&Value::Null), &["title", "version"]));
    whole.insert(KEY.to_owned(), json!(about));
    if let Some(servers) = document.get("servers") {
        whole.insert("servers".to_owned(), urls(servers));
    }
    if let Some(security) = document.get("security") {
        whole.insert("security".to_owned(), security.clone());
    }
    whole.insert("paths".to_owned(), sorted(json!(kept)));
    whole.insert("components".to_owned(), sorted(json!(components)));
    Ok(Value::Object(whole))
}

/// The path, the path's item and the method of an operation.
fn find<'d>(
    paths: &'d Map<String, Value>,
    wanted: &str,
) -> Result<(&'d str, &'d Value, &'static str), CutError> {
    let mut names = Vec::new();
    for (path, item) in paths {
        for method in METHODS {
            let Some(operation) = item.get(method) else { continue };
            let route = format!("{} {path}", method.to_ascii_uppercase());
            let id = operation.get("operationId").and_then(Value::as_str);
            if id == Some(wanted) || route == wanted {
                return Ok((path, item, method));
            }
            names.extend(id.map(str::to_owned));
            names.push(route);
        }
    }
    let nearest = nearest(wanted, names.iter().map(String::as_str)).map(str::to_owned);
    Err(CutError::NoOperation { wanted: wanted.to_owned(), nearest })
}

struct Cut<'d> {
    document: &'d Value,
    /// The pointers of components that are reached and not yet cut.
    wanted: BTreeSet<String>,
}

impl Cut<'_> {
    fn operation(&mut self, operation: &Value) -> Result<Value, CutError> {
        let mut kept = Map::new();
        if let Some(id) = operation.get("operationId") {
            kept.insert("operationId".to_owned(), id.clone());
        }
        if let Some(parameters) = operation.get("parameters") {
            kept.insert("parameters".to_owned(), self.parameters(parameters)?);
        }
        if let Some(body) = operation.get("requestBody") {
            kept.insert("requestBody".to_owned(), self.with_content(body)?);
        }
        let responses = operation.get("responses").and_then(Value::as_object);
        if let Some(responses) = responses {
            let cut: Result<Map<_, _>, _> = responses
                .iter()
                .map(|(code, response)| Ok((code.clone(), self.with_content(response)?)))
                .collect();
            kept.insert("responses".to_owned(), Value::Object(cut?));
        }
        if let Some(security) = operation.get("security") {
            kept.insert("security".to_owned(), security.clone());
        }
        if let Some(servers) = operation.get("servers") {
            kept.insert("servers".to_owned(), urls(servers));
        }
        Ok(Value::Object(kept))
    }

    fn parameters(&mut self, parameters: &Value) -> Result<Value, CutError> {
        parameters.as_array().into_iter().flatten().map(|parameter| self.parameter(parameter)).collect()
    }

    fn parameter(&mut self, parameter: &Value) -> Result<Value, CutError> {
        match parameter.get("$ref").and_then(Value::as_str) {
            Some(reference) => self.reference(reference, 0),
            None => Ok(pick(parameter, &["name", "in", "required"])),
        }
    }

    /// A request's body or an answer.
    fn with_content(&mut self, owner: &Value) -> Result<Value, CutError> {
        if let Some(reference) = owner.get("$ref").and_then(Value::as_str) {
            return self.reference(reference, 0);
        }
        let mut kept = Map::new();
        if let Some(required) = owner.get("required") {
            kept.insert("required".to_owned(), required.clone());
        }
        if let Some(content) = owner.get("content").and_then(Value::as_object) {
            let media: Result<Map<_, _>, _> = content
                .iter()
                .map(|(media, value)| {
                    let schema = value.get("schema").map(|schema| self.schema(schema, 0)).transpose()?;
                    Ok((
                        media.clone(),
                        schema.map_or_else(|| json!({}), |schema| json!({ "schema": schema })),
                    ))
                })
                .collect();
            kept.insert("content".to_owned(), Value::Object(media?));
        }
        Ok(Value::Object(kept))
    }

    fn schema(&mut self, schema: &Value, depth: usize) -> Result<Value, CutError> {
        let Some(written) = schema.as_object() else { return Ok(schema.clone()) };
        if depth > DEEPEST {
            return Ok(json!({}));
        }
        if let Some(reference) = written.get("$ref").and_then(Value::as_str) {
            return self.reference(reference, depth);
        }
        let mut kept = Map::new();
        for key in SCHEMA {
            let Some(value) = written.get(key) else { continue };
            let cut = match (key, value) {
                ("properties" | "patternProperties", Value::Object(members)) => {
                    let members: Result<Map<_, _>, _> = members
                        .iter()
                        .map(|(name, member)| Ok((name.clone(), self.schema(member, depth + 1)?)))
                        .collect();
                    Value::Object(members?)
                }
                ("allOf" | "anyOf" | "oneOf" | "prefixItems", Value::Array(parts)) => {
                    parts.iter().map(|part| self.schema(part, depth + 1)).collect::<Result<Value, _>>()?
                }
                ("items" | "additionalProperties", value) => self.schema(value, depth + 1)?,
                (_, value) => value.clone(),
            };
            kept.insert(key.to_owned(), cut);
        }
        Ok(Value::Object(kept))
    }

    /// A reference to a component is kept, and the component with it; what another one leads to is put in its place.
    fn reference(&mut self, reference: &str, depth: usize) -> Result<Value, CutError> {
        let wrong = || CutError::Reference(reference.to_owned());
        let pointer = reference.strip_prefix('#').ok_or_else(wrong)?;
        let target = self.document.pointer(pointer).ok_or_else(wrong)?;
        if component(pointer).is_some() {
            self.wanted.insert(pointer.to_owned());
            return Ok(json!({ "$ref": reference }));
        }
        if depth > DEEPEST {
            return Err(wrong());
        }
        self.schema(target, depth + 1)
    }

    /// The components that were reached, and those that they reach.
    fn components(&mut self) -> Result<BTreeMap<String, BTreeMap<String, Value>>, CutError> {
        let mut cut = BTreeMap::<String, BTreeMap<String, Value>>::new();
        while let Some(pointer) = self.wanted.pop_first() {
            let (Some((kind, name)), Some(target)) = (component(&pointer), self.document.pointer(&pointer))
            else {
                continue;
            };
            if cut.get(kind).is_some_and(|components| components.contains_key(&name)) {
                continue;
            }
            let value = match kind {
                "parameters" => self.parameter(target)?,
                "requestBodies" | "responses" => self.with_content(target)?,
                _ => self.schema(target, 0)?,
            };
            cut.entry(kind.to_owned()).or_default().insert(name, value);
        }
        Ok(cut)
    }
}

/// The kind and the name of `/components/schemas/Job`.
fn component(pointer: &str) -> Option<(&str, String)> {
    let (kind, name) = pointer.strip_prefix("/components/")?.split_once('/')?;
    let plain =
        !name.contains('/') && matches!(kind, "parameters" | "requestBodies" | "responses" | "schemas");
    plain.then(|| (kind, name.replace("~1", "/").replace("~0", "~")))
}

fn note_schemes(security: Option<&Value>, into: &mut BTreeSet<String>) {
    let alternatives = security.and_then(Value::as_array).into_iter().flatten();
    into.extend(alternatives.filter_map(Value::as_object).flat_map(Map::keys).cloned());
}

/// Some members of an object, in this order.
fn pick(value: &Value, keys: &[&str]) -> Value {
    let members = keys.iter().filter_map(|key| Some(((*key).to_owned(), value.get(*key)?.clone())));
    Value::Object(members.collect())
}

fn urls(servers: &Value) -> Value {
    servers.as_array().into_iter().flatten().map(|server| pick(server, &["url"])).collect()
}

/// The same value with the members of every object sorted.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let members: BTreeMap<_, _> =
                members.into_iter().map(|(key, value)| (key, sorted(value))).collect();
            Value::Object(members.into_iter().collect())
        }
        Value::Array(items) => items.into_iter().map(sorted).collect(),
        value => value,
    }
}
