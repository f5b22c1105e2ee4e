//! `#[cancel(..)]` and `#[cleanup(..)]`: what is sent when a job ends.

use super::Form::{Flag, Free, Value};
use super::{
    Attribute, DELETE, FORM, GET, HEADER, JSON, MULTIPART, PATCH, POST, PUT, QUERY, RAW, TIMEOUT, key,
    repeated,
};

/// `#[cancel(..)]`
pub const CANCEL: Attribute = Attribute {
    name: "cancel",
    doc: "How a job is cancelled at the service.",
    keys: &[
        DELETE,
        key(
            "drop_connection",
            Flag,
            "drop_connection",
            "The service ends a job whose connection closes; for `mode = sync`.",
        ),
        FORM,
        GET,
        key("gone", Value, "gone = [404]", "Codes that say that the job does not exist."),
        HEADER,
        JSON,
        MULTIPART,
        key("ok", Value, "ok = [200, 202]", "Codes that confirm it; any 2xx when absent."),
        key(
            "only_if",
            Value,
            "only_if = running",
            "Ask first, and send nothing to a job that has ended: the request would destroy its result.",
        ),
        PATCH,
        POST,
        PUT,
        QUERY,
        key(
            "scope",
            Value,
            "scope = service",
            "`job` (when absent), or `service`: it ends whatever runs there, which needs `#[limits(in_flight = 1)]`.",
        ),
        TIMEOUT,
        key("too_late", Value, "too_late = [409]", "Codes that say that the job has ended already."),
        repeated(
            "when",
            Free,
            "when(queued) = post(\"/queue\", json { \"delete\": [job.id] })",
            "The request for a job that is `queued`, or `running`.",
        ),
    ],
};

/// A request as a value: `post("/queue", json { .. })`.
pub const CALL: Attribute = Attribute {
    name: "request",
    doc: "A verb with its path, and what a request has.",
    keys: &[HEADER, JSON, QUERY, TIMEOUT],
};

/// `#[cleanup(..)]`
pub const CLEANUP: Attribute = Attribute {
    name: "cleanup",
    doc: "What is tidied up at the service when a job's result is stored: one request, whose failure changes nothing.",
    keys: &[
        DELETE,
        GET,
        HEADER,
        JSON,
        PATCH,
        POST,
        PUT,
        QUERY,
        RAW,
        TIMEOUT,
        key("when", Value, "when = payload.ephemeral == true", "After which jobs; all of them when absent."),
    ],
};
