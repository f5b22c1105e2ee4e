//! The attributes and their keys: one table for the parser, its suggestions and the reference.

mod answer;
mod connector;
mod end;
mod outcome;
mod place;
mod polling;
mod stream;
mod submit;
mod webhook;

pub use answer::{ERRORS, STATES};
pub use connector::{CONNECTOR, ENV, HEALTH, LIMITS, OPENAPI, VARIANT};
pub use end::{CALL, CANCEL, CLEANUP};
pub use outcome::{EACH, OUTCOME, PART, PARTIAL};
pub use place::{AUTH, HTTP, JWT, OAUTH2, ORIGINS};
pub use polling::{BATCH_POLL, DEADLINE, ENVELOPE, PACE, POLL, SIDE_PROGRESS};
pub use stream::{CHUNKS, STREAM, WEBSOCKET};
pub use submit::{ASSET, ASSIGN_ID, IDEMPOTENT, LOOKUP, PREPARE, SUBMIT};
pub use webhook::{HMAC, WEBHOOK};

/// An attribute of a declaration.
#[derive(Debug)]
pub struct Attribute {
    /// Its name: `submit` for `#[submit(..)]`.
    pub name: &'static str,
    /// What it declares.
    pub doc: &'static str,
    /// Its keys, sorted.
    pub keys: &'static [Key],
}

/// A key of an attribute.
#[derive(Debug)]
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// How it is written.
    pub form: Form,
    /// It may be written more than once.
    pub repeat: bool,
    /// An example of it, ready to paste.
    pub example: &'static str,
    /// What it says.
    pub doc: &'static str,
}

/// How a key is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `key`
    Flag,
    /// `key = value`
    Value,
    /// `key(..)`
    Group,
    /// `key {..}`
    Braces,
    /// In more than one of these forms.
    Free,
}

const fn key(name: &'static str, form: Form, example: &'static str, doc: &'static str) -> Key {
    Key { name, form, repeat: false, example, doc }
}

const fn repeated(name: &'static str, form: Form, example: &'static str, doc: &'static str) -> Key {
    Key { name, form, repeat: true, example, doc }
}

use Form::{Braces, Group, Value};

const GET: Key =
    key("get", Value, "get = \"/jobs/{job.id}\"", "A GET of a path below the base, or of a captured URL.");
const POST: Key =
    key("post", Value, "post = \"/jobs\"", "A POST to a path below the base, or to a captured URL.");
const PUT: Key = key("put", Value, "put = \"/jobs/{job.id}\"", "A PUT.");
const PATCH: Key = key("patch", Value, "patch = \"/jobs/{job.id}\"", "A PATCH.");
const DELETE: Key = key("delete", Value, "delete = \"/jobs/{job.id}\"", "A DELETE.");
const QUERY: Key = repeated(
    "query",
    Group,
    "query(\"logs\" = \"1\")",
    "Query pairs; a pair with an optional hole that has no value is left out.",
);
const HEADER: Key = repeated(
    "header",
    Group,
    "header(\"Prefer\" = \"wait\")",
    "Headers; never the credential, which is `#[auth]`'s.",
);
const JSON: Key =
    key("json", Braces, "json { \"prompt\": payload.prompt }", "The body: JSON with typed holes.");
const WHEN: Key = key(
    "when",
    Value,
    "when = payload.image present",
    "Only for the jobs of which this holds; the attribute may stand again for others, the last time without it.",
);
const FORM: Key = key(
    "form",
    Braces,
    "form { prompt: payload.prompt }",
    "The body: `application/x-www-form-urlencoded`. Holes as in `json`; a list has a pair for each element.",
);
const MULTIPART: Key = key(
    "multipart",
    Braces,
    "multipart { image: file(payload.image), prompt: payload.prompt }",
    "The body: `multipart/form-data`, the same bytes whenever it is sent again.",
);
const RAW: Key = key(
    "raw",
    Group,
    "raw(file(payload.audio), content_type = \"audio/wav\")",
    "The body: the bytes of one asset, or the text of one value.",
);
const MAX_BODY: Key = key(
    "max_body",
    Value,
    "max_body = \"10MB\"",
    "Largest body of this request; a larger one is refused before anything is sent.",
);
const TIMEOUT: Key = key("timeout", Value, "timeout = \"60s\"", "For how long the request may take in all.");

/// Every attribute of a struct.
pub const ATTRIBUTES: &[&Attribute] = &[
    &CONNECTOR,
    &VARIANT,
    &OPENAPI,
    &HTTP,
    &ORIGINS,
    &AUTH,
    &PREPARE,
    &SUBMIT,
    &POLL,
    &STATES,
    &OUTCOME,
    &ERRORS,
    &CANCEL,
    &CLEANUP,
    &PACE,
    &LIMITS,
    &HEALTH,
    &STREAM,
    &WEBSOCKET,
    &WEBHOOK,
    &BATCH_POLL,
    &SIDE_PROGRESS,
];
