//! An operation: what it takes, what it answers, and with which credential.

use serde_json::Value;

use crate::document::Slice;
use crate::route::{Route, base_path};
use crate::schema::Schema;

/// A method of a path.
#[derive(Clone, Copy, Debug)]
pub struct Operation<'d> {
    pub(crate) slice: &'d Slice,
    pub(crate) method: &'static str,
    pub(crate) path: &'d str,
    pub(crate) item: &'d Value,
    pub(crate) value: &'d Value,
}

/// A parameter of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameter<'d> {
    /// Its name.
    pub name: &'d str,
    /// Where it stands.
    pub location: Location,
    /// A request without it is refused.
    pub required: bool,
}

/// Where a parameter stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the words of OpenAPI")]
pub enum Location {
    Path,
    Query,
    Header,
    Cookie,
}

/// A documented answer.
#[derive(Clone, Debug)]
pub struct Response<'d> {
    /// `200`, `2XX`, `default`
    pub code: &'d str,
    /// The body, when it is JSON.
    pub json: Option<Schema<'d>>,
    /// Each event of the body, when it comes piece by piece: server-sent events, or lines of JSON.
    pub events: Option<Schema<'d>>,
    /// It has a body of another type.
    pub other: bool,
}

/// A way to say who one is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// `Authorization: Bearer ..`
    Bearer,
    /// `Authorization: Basic ..`
    Basic,
    /// A header, by its name as written.
    Header(String),
    /// A query pair.
    Query(String),
    /// Something else: cookies, mutual TLS.
    Other,
}

impl<'d> Operation<'d> {
    /// `POST`
    pub fn method(&self) -> String {
        self.method.to_ascii_uppercase()
    }

    /// The path as the file has it, below the servers' base.
    pub fn path(&self) -> &'d str {
        self.path
    }

    /// Its id; the method and the path when it has none.
    pub fn name(&self) -> String {
        self.id().map_or_else(|| self.route_name(), str::to_owned)
    }

    /// `POST /predictions`
    pub fn route_name(&self) -> String {
        format!("{} {}", self.method(), self.path)
    }

    fn id(&self) -> Option<&'d str> {
        self.value.get("operationId").and_then(Value::as_str)
    }

    /// Whether a name is its id, or its method and path.
    pub fn is(&self, name: &str) -> bool {
        let route = name.split_once(' ').is_some_and(|(method, path)| {
            method.eq_ignore_ascii_case(self.method) && path.trim() == self.path
        });
        route || self.id() == Some(name)
    }

    /// The paths under which it is, from the host on, one for each server: `/v1/predictions`.
    pub fn whole_paths(&self) -> Vec<String> {
        let servers = [self.value, self.item, self.slice.document()]
            .into_iter()
            .find_map(|owner| owner.get("servers")?.as_array().filter(|servers| !servers.is_empty()));
        let urls = servers.into_iter().flatten().filter_map(|server| server.get("url")?.as_str());
        let mut paths: Vec<String> =
            urls.map(|url| format!("{}{}", base_path(url).trim_end_matches('/'), self.path)).collect();
        if paths.is_empty() {
            paths.push(self.path.to_owned());
        }
        paths
    }

    /// [`whole_paths`](Self::whole_paths), for comparing.
    pub fn routes(&self) -> Vec<Route> {
        self.whole_paths().iter().map(|path| Route::of_file(path)).collect()
    }

    /// The parameters: the path's own, and the operation's in their place.
    pub fn parameters(&self) -> Vec<Parameter<'d>> {
        let mut all: Vec<Parameter<'d>> = Vec::new();
        for owner in [self.item, self.value] {
            let written = owner.get("parameters").and_then(Value::as_array).into_iter().flatten();
            for parameter in written.filter_map(|written| self.parameter(written)) {
                all.retain(|earlier| {
                    (earlier.name, earlier.location) != (parameter.name, parameter.location)
                });
                all.push(parameter);
            }
        }
        all
    }

    fn parameter(&self, value: &'d Value) -> Option<Parameter<'d>> {
        let value = self.slice.resolve(value)?;
        let location = match value.get("in")?.as_str()? {
            "path" => Location::Path,
            "query" => Location::Query,
            "header" => Location::Header,
            "cookie" => Location::Cookie,
            _ => return None,
        };
        let required = value.get("required").and_then(Value::as_bool).unwrap_or_default();
        Some(Parameter { name: value.get("name")?.as_str()?, location, required })
    }

    /// The media types of the request's body, with their schemas; none when it takes no body.
    pub fn bodies(&self) -> Vec<(&'d str, Schema<'d>)> {
        let body = self.value.get("requestBody").and_then(|body| self.slice.resolve(body));
        body.map(|body| self.content(body)).unwrap_or_default()
    }

    /// The JSON body of the request.
    pub fn json_body(&self) -> Option<Schema<'d>> {
        self.bodies().into_iter().find(|(media, _)| is_json(media)).map(|(_, schema)| schema)
    }

    /// The documented answers, in the order of the file.
    pub fn responses(&self) -> Vec<Response<'d>> {
        let responses = self.value.get("responses").and_then(Value::as_object).into_iter().flatten();
        let answers = responses.filter_map(|(code, response)| {
            let content = self.content(self.slice.resolve(response)?);
            let json = content.iter().position(|(media, _)| is_json(media));
            let other = !content.is_empty() && json.is_none();
            let events = content.iter().find(|(media, _)| is_events(media)).map(|(_, schema)| schema.clone());
            let json = json.and_then(|at| content.into_iter().nth(at)).map(|(_, schema)| schema);
            Some(Response { code, json, events, other })
        });
        answers.collect()
    }

    fn content(&self, owner: &'d Value) -> Vec<(&'d str, Schema<'d>)> {
        const ANYTHING: &Value = &Value::Bool(true);
        let content = owner.get("content").and_then(Value::as_object).into_iter().flatten();
        content
            .map(|(media, value)| {
                (media.as_str(), self.slice.schema(value.get("schema").unwrap_or(ANYTHING)))
            })
            .collect()
    }

    /// The ways to say who one is, each alternative a list of schemes; empty when the file says nothing of it.
    pub fn security(&self) -> Vec<Vec<Scheme>> {
        let security = [self.value, self.slice.document()]
            .into_iter()
            .find_map(|owner| owner.get("security")?.as_array());
        let alternatives = security.into_iter().flatten().filter_map(Value::as_object);
        alternatives.map(|schemes| schemes.keys().map(|name| self.scheme(name)).collect()).collect()
    }

    fn scheme(&self, name: &str) -> Scheme {
        let schemes = self.slice.document().pointer("/components/securitySchemes");
        let Some(scheme) = schemes.and_then(|schemes| self.slice.resolve(schemes.get(name)?)) else {
            return Scheme::Other;
        };
        let word = |key: &str| scheme.get(key).and_then(Value::as_str).unwrap_or_default();
        match (word("type"), word("in")) {
            ("http", _) if word("scheme").eq_ignore_ascii_case("bearer") => Scheme::Bearer,
            ("http", _) if word("scheme").eq_ignore_ascii_case("basic") => Scheme::Basic,
            ("oauth2" | "openIdConnect", _) => Scheme::Bearer,
            ("apiKey", "header") => Scheme::Header(word("name").to_owned()),
            ("apiKey", "query") => Scheme::Query(word("name").to_owned()),
            _ => Scheme::Other,
        }
    }
}

impl Response<'_> {
    /// Whether a status code is the one, or in the class, that this documents. `default` is none.
    pub fn is_for(&self, code: u16) -> bool {
        let (class, text) = (code / 100, code.to_string());
        self.code == text || self.code.eq_ignore_ascii_case(&format!("{class}xx"))
    }

    /// A success: `2..`
    pub fn is_success(&self) -> bool {
        self.code.starts_with('2')
    }
}

/// Whether a media type is that of an answer which comes piece by piece.
fn is_events(media: &str) -> bool {
    let media = media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    matches!(media.as_str(), "text/event-stream" | "application/x-ndjson" | "application/jsonl")
}

/// Whether a media type is JSON: `application/json`, `application/problem+json`, and `*/*`, which may be it.
pub fn is_json(media: &str) -> bool {
    let media = media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    media == "*/*" || media.ends_with("/json") || media.ends_with("+json")
}
