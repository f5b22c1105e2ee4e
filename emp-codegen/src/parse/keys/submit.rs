//! `#[prepare(..)]`, `#[submit(..)]` and its settle rules, and the adapters of assets.

use super::Form::{Flag, Free, Group, Value};
use super::{
    Attribute, DELETE, FORM, GET, HEADER, JSON, MAX_BODY, MULTIPART, PATCH, POST, PUT, QUERY, RAW, TIMEOUT,
    WHEN, key,
};

/// `#[prepare(..)]`
pub const PREPARE: Attribute = Attribute {
    name: "prepare",
    doc: "A request before the submit, such as an upload. It costs nothing and may be repeated; there may be several, in order.",
    keys: &[
        key("accept", Value, "accept = [200, 201]", "The codes that mean accepted; any 2xx when absent."),
        key(
            "capture",
            Group,
            "capture(audio_url = \"$.upload_url\")",
            "What the answer gives, later `prepared.<name>`; with `each` a list in the order of the elements.",
        ),
        key(
            "each",
            Value,
            "each = payload.uploads",
            "Once for each element of a list, which is `item` then.",
        ),
        FORM,
        GET,
        HEADER,
        JSON,
        MAX_BODY,
        MULTIPART,
        POST,
        PUT,
        QUERY,
        RAW,
        TIMEOUT,
        key(
            "unless",
            Value,
            "unless = payload.audio is url",
            "Not for the jobs, or elements, of which this holds.",
        ),
        key(
            "when",
            Value,
            "when = payload.audio present",
            "Only for the jobs, or elements, of which this holds.",
        ),
    ],
};

/// `#[submit(..)]`
pub const SUBMIT: Attribute = Attribute {
    name: "submit",
    doc: "How a job is submitted, and what a lost answer means.",
    keys: &[
        key("accept", Value, "accept = [200, 201]", "The codes that mean accepted; any 2xx when absent."),
        key(
            "assign_id",
            Free,
            "assign_id = uuid",
            "Settle rule: the id is ours (`job.assigned_id`); after a lost answer the job is looked up by it.",
        ),
        key(
            "at_least_once",
            Flag,
            "at_least_once",
            "Settle rule: a lost answer is sent again, and may be paid for twice.",
        ),
        key(
            "at_most_once",
            Flag,
            "at_most_once",
            "Settle rule: a lost answer is never sent again; the job becomes `uncertain`.",
        ),
        key("billable", Value, "billable = false", "Whether a submit costs money; `true` when absent."),
        key(
            "capture",
            Group,
            "capture(id = \"$.id\", poll_url = \"$.urls.get\")",
            "What the answer gives, later `job.<name>`.",
        ),
        DELETE,
        key(
            "envelope",
            Group,
            "envelope(ok = \"$.code\" == 0, message = \"$.message\")",
            "What makes an answer with a 2xx code a refusal all the same.",
        ),
        key(
            "feeds_poll",
            Flag,
            "feeds_poll",
            "The answer is judged as a poll answer is; it may already be final.",
        ),
        FORM,
        GET,
        HEADER,
        key("hold", Value, "hold = \"10s\"", "For how long the service is asked to hold the request open."),
        key(
            "idempotent",
            Group,
            "idempotent(header(\"Idempotency-Key\"), ttl = \"24h\")",
            "Settle rule: the service merges submits that carry the same key.",
        ),
        JSON,
        key(
            "lookup",
            Group,
            "lookup(get = \"/jobs\", items = \"$.jobs[*]\", tag = \"$.tag\", id = \"$.id\", wait = \"10s\")",
            "Settle rule: jobs can be searched for a tag that holds `queue.job_id`.",
        ),
        MAX_BODY,
        MULTIPART,
        PATCH,
        POST,
        PUT,
        QUERY,
        RAW,
        key("rejects", Value, "rejects = [503]", "5xx codes that say for certain that nothing was accepted."),
        TIMEOUT,
        WHEN,
    ],
};

/// `idempotent(..)`
pub const IDEMPOTENT: Attribute = Attribute {
    name: "idempotent",
    doc: "The service merges submits that carry the same key.",
    keys: &[
        key("field", Group, "field(\"request_id\")", "The key is a top-level member of the body."),
        key("header", Group, "header(\"Idempotency-Key\")", "The key is a header."),
        key("ttl", Value, "ttl = \"24h\"", "For how long the service remembers a key."),
    ],
};

/// `assign_id(..)`
pub const ASSIGN_ID: Attribute = Attribute {
    name: "assign_id",
    doc: "The id is ours.",
    keys: &[
        key(
            "absent_for",
            Value,
            "absent_for = \"30s\"",
            "Absent for so long means that it was never accepted.",
        ),
        key("resend", Flag, "resend", "The service refuses or merges a second submit with the same id."),
        key("uuid", Flag, "uuid", "The id is a UUID."),
    ],
};

/// `lookup(..)`
pub const LOOKUP: Attribute = Attribute {
    name: "lookup",
    doc: "How to search for a job whose submit's answer was lost.",
    keys: &[
        FORM,
        GET,
        HEADER,
        key("id", Value, "id = \"$.id\"", "In a candidate: the service job id."),
        key("items", Value, "items = \"$.jobs[*]\"", "The candidates."),
        JSON,
        MULTIPART,
        POST,
        QUERY,
        RAW,
        key("tag", Value, "tag = \"$.tag\"", "In a candidate: what must equal `queue.job_id`."),
        TIMEOUT,
        key(
            "wait",
            Value,
            "wait = \"10s\"",
            "For how long the service may take to show a job that it accepted.",
        ),
    ],
};

/// `file(payload.image, ..)` and the other adapters.
pub const ASSET: Attribute = Attribute {
    name: "file",
    doc: "An asset of the payload as the service takes it: `file(..)` its bytes, `base64(..)` and `data_uri(..)` those as text, `url(..)` \
          an URL. What an URL gives is fetched before the submit; size and type are checked then.",
    keys: &[
        key(
            "inline",
            Flag,
            "inline",
            "Only of `url(..)`: the service takes a data URI in place of an URL too.",
        ),
        key("max", Value, "max = \"10MB\"", "Largest size, decoded."),
        key(
            "types",
            Value,
            "types = [\"image/png\", \"image/*\"]",
            "What it may be, by its type and by its first bytes.",
        ),
    ],
};
