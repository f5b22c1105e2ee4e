//! `#[connector(..)]`, `#[openapi(..)]`, `#[env(..)]`, `#[limits(..)]`, `#[health(..)]`: what a connector is and what it may use.

use super::Form::{Flag, Group, Value};
use super::{Attribute, FORM, GET, HEADER, JSON, MULTIPART, POST, QUERY, RAW, TIMEOUT, key};

/// `#[connector(..)]`
pub const CONNECTOR: Attribute = Attribute {
    name: "connector",
    doc: "What the connector is called and what it serves.",
    keys: &[
        key(
            "crate",
            Value,
            "crate = ::my_core",
            "Another path to `emp_core`, for a crate that renames or re-exports it.",
        ),
        key("custom", Flag, "custom", "The protocol is the type's own `CustomConnector::run`."),
        key(
            "mode",
            Value,
            "mode = sync",
            "`poll` (submit, then ask), `sync` (the submit's answer is the result) or `stream` (it always comes piece by piece).",
        ),
        key("output", Value, "output = ChatOutput", "The type of a result, for its JSON Schema."),
        key(
            "payload",
            Value,
            "payload = ChatPayload",
            "The type of a payload: holes are checked against its fields, jobs against its JSON Schema.",
        ),
        key("service", Value, "service = \"replicate\"", "The service that it serves, or a list of them."),
        key(
            "unregistered",
            Flag,
            "unregistered",
            "Not in the folder that build.rs reads; for tests and examples.",
        ),
        key("version", Value, "version = \"1.0.0\"", "The connector's own version, semver."),
    ],
};

/// `#[variant(..)]`
pub const VARIANT: Attribute = Attribute {
    name: "variant",
    doc: "Another connector, which differs by its name, its service and what it reads of the environment. May stand several times.",
    keys: &[
        key(
            "description",
            Value,
            "description = \"Workflows at a ComfyUI elsewhere.\"",
            "What it is, for people; as the struct's doc comment when absent.",
        ),
        key(
            "env",
            Group,
            "env(url(\"REMOTE_URL\"), token(\"REMOTE_TOKEN\", optional))",
            "By field, what stands in its `#[env(..)]`; as the struct's when absent.",
        ),
        key("name", Value, "name = RemoteConnector", "The type, which this makes."),
        key("service", Value, "service = \"remote\"", "The service that it serves, or a list of them."),
    ],
};

/// `#[openapi(..)]`
pub const OPENAPI: Attribute = Attribute {
    name: "openapi",
    doc: "The service's own description, which build.rs checks the declaration against: paths, status words, required members.",
    keys: &[
        key(
            "allow",
            Value,
            "allow = [\"$.eta\", \"expired\"]",
            "What the declaration has and the description lacks: paths, status words, headers, members, codes.",
        ),
        key(
            "cancel",
            Value,
            "cancel = \"jobs.cancel\"",
            "The operation of `#[cancel]`; found by method and path when absent.",
        ),
        key(
            "file",
            Value,
            "file = \"example.json\"",
            "The slice in `schemas/openapi/`, which `emp openapi slice` cuts out of the vendor's file.",
        ),
        key(
            "open",
            Value,
            "open = [\"$.result\"]",
            "Paths of answers below which the description is not asked, because it is wrong or vague there.",
        ),
        key(
            "poll",
            Value,
            "poll = \"jobs.get\"",
            "The operation of `#[poll]`; needed where the URL comes from the service.",
        ),
        key("strict", Flag, "strict", "A path of which the description says nothing is a mistake too."),
        key(
            "submit",
            Value,
            "submit = \"POST /jobs\"",
            "The operation of `#[submit]`, by id or by method and path; found by method and path when absent.",
        ),
    ],
};

/// `#[limits(..)]`
pub const LIMITS: Attribute = Attribute {
    name: "limits",
    doc: "What the service allows, for one credential.",
    keys: &[
        key(
            "attempts",
            Value,
            "attempts = 3",
            "Submits of one job that may fail definitely; or `env.field`.",
        ),
        key("in_flight", Value, "in_flight = 4", "Service jobs at once; or `env.field`."),
        key("max_body", Value, "max_body = \"10MB\"", "Largest request body."),
        key("max_file", Value, "max_file = \"500MB\"", "Largest file of a result."),
        key("max_response", Value, "max_response = \"8MiB\"", "Largest answer."),
        key("max_total", Value, "max_total = \"2GB\"", "All files of a result together."),
        key("rate", Value, "rate = \"150/10s\"", "Requests in a time, submits and polls together."),
    ],
};

/// `#[health(..)]`
pub const HEALTH: Attribute = Attribute {
    name: "health",
    doc: "How the service's health is asked.",
    keys: &[
        key("every", Value, "every = \"30s\"", "How often."),
        FORM,
        GET,
        HEADER,
        JSON,
        key("metric", Group, "metric(queued = \"$.queue.length\")", "Numbers to publish beside the health."),
        MULTIPART,
        POST,
        QUERY,
        RAW,
        key("ready", Value, "ready = \"$.ready\" == true", "A 2xx answer is healthy only when this holds."),
        TIMEOUT,
    ],
};

/// `#[env("NAME", ..)]` on a field.
pub const ENV: Attribute = Attribute {
    name: "env",
    doc: "The variable that fills a field.",
    keys: &[
        key("default", Value, "default = \"30s\"", "Used when the variable is not set or empty."),
        key("optional", Flag, "optional", "Says what the type `Option<..>` says already."),
        key("range", Value, "range = 1..=60", "Smallest and largest number; for durations in seconds."),
        key("unit", Value, "unit = ms", "What a bare number means in a duration: `s` or `ms`."),
    ],
};
