//! `#[outcome(..)]` and its parts.

use super::Form::{Flag, Free, Group, Value};
use super::{Attribute, GET, HEADER, QUERY, TIMEOUT, key};

/// `#[outcome(..)]`
pub const OUTCOME: Attribute = Attribute {
    name: "outcome",
    doc: "Where the result is; the whole body of the answer that says that the job is done when absent.",
    keys: &[
        key(
            "also",
            Group,
            "also(srt = get(\"/jobs/{job.id}/srt\", raw) if payload.srt == true)",
            "More answers that belong to the result; what is refused for good is left out.",
        ),
        key("base64", Value, "base64 = \"$.images[*]\"", "Files in base64: each node is one."),
        key(
            "files",
            Value,
            "files = urls(\"$.images[*].url\")",
            "Files behind URLs: `urls(..)`, `auto_urls` (every URL in the result whose host `download` names), or `each(..)`.",
        ),
        key(
            "first_of",
            Group,
            "first_of(json = \"$.result\", get(\"$.resourceLocation\", json = \"$\"))",
            "Places for the result, tried in order; the first that has something is it.",
        ),
        GET,
        HEADER,
        key("json", Value, "json = \"$.output\"", "The result as JSON."),
        key(
            "jsonl",
            Flag,
            "jsonl",
            "The answer is JSON by lines, perhaps compressed with gzip: an array for the selectors.",
        ),
        key("keep_for", Value, "keep_for = \"1h\"", "For how long the service keeps it."),
        key("meta", Group, "meta(usage = \"$.usage\")", "Facts about it."),
        key(
            "mime",
            Value,
            "mime = header(\"content-type\")",
            "Where the media type of `raw` or `base64` is; told from the bytes when absent.",
        ),
        key("min", Value, "min = 1", "Fewer files, or results where there are no files, are no success."),
        key(
            "on_http_error",
            Free,
            "on_http_error => failed(service)",
            "What a 4xx or 5xx answer to `get` means; as `#[errors]` says when absent.",
        ),
        key(
            "partial",
            Group,
            "partial(when = \"$.unsafe_count\" > 0)",
            "An answer that has some of the result and not all: told with the progress of a job that goes on, and of one that is done.",
        ),
        QUERY,
        key("raw", Flag, "raw", "The answer's own bytes are the result: one file."),
        key(
            "refresh",
            Value,
            "refresh = poll",
            "A link that answers 401, 403, 404 or 410 has expired: the next poll gives a fresh one.",
        ),
        key(
            "rules",
            Group,
            "rules(code == 425 => running)",
            "What the answer to `get` says, tried in order.",
        ),
        key("text", Value, "text = \"$.text\"", "The result as text."),
        TIMEOUT,
        key(
            "too_few",
            Free,
            "too_few => failed(moderated)",
            "What fewer than `min` mean; `failed(moderated)` when absent.",
        ),
        key(
            "types",
            Value,
            "types = [\"image/*\", \"video/mp4\"]",
            "Media types that a file may have; any but a page of HTML when absent.",
        ),
    ],
};

/// `partial(..)`
pub const PARTIAL: Attribute = Attribute {
    name: "partial",
    doc: "Which answers have some of the result and not all.",
    keys: &[key(
        "when",
        Value,
        "when = \"$.status\" == \"FIRST_SUCCESS\"",
        "Looked at in the answers that say how the job is.",
    )],
};

/// `get(..)` inside `first_of` and `also`.
pub const PART: Attribute = Attribute {
    name: "get",
    doc: "Another answer: a GET of a path, of `job.result_url`, or of the URL that a selector finds; and what is taken out of it.",
    keys: &[
        key("files", Value, "files = urls(\"$.url\")", "Files behind URLs."),
        HEADER,
        key("json", Value, "json = \"$\"", "As JSON."),
        key("jsonl", Flag, "jsonl", "The answer is JSON by lines."),
        QUERY,
        key("raw", Flag, "raw", "The answer's own bytes: one file."),
        key("text", Value, "text = \"$.text\"", "As text."),
        TIMEOUT,
    ],
};

/// `each(..)`
pub const EACH: Attribute = Attribute {
    name: "each",
    doc: "One request for each item, which is `item` in its holes.",
    keys: &[
        GET,
        HEADER,
        key(
            "name",
            Value,
            "name = item.filename",
            "What the file is called; its extension follows from its media type.",
        ),
        QUERY,
        TIMEOUT,
    ],
};
