//! `#[stream(..)]` and `#[websocket(..)]`: what is told while a job runs.

use super::Form::{Braces, Flag, Free, Group, Value};
use super::{Attribute, GET, HEADER, JSON, POST, QUERY, TIMEOUT, key, repeated};

/// `#[stream(..)]`
pub const STREAM: Attribute = Attribute {
    name: "stream",
    doc: "How the output comes piece by piece: the submit's answer is a stream, or a route beside the poll gives what is new.",
    keys: &[
        key(
            "chunks",
            Group,
            "chunks(get = \"/stream/{job.id}\", items = \"$.stream[*].output\")",
            "A route beside the poll gives what is new since the last time.",
        ),
        key(
            "delta",
            Value,
            "delta = \"$.choices[0].delta.content\"",
            "In an event: the text that it adds. `deltas` is all of it, for `#[outcome(text = deltas)]`.",
        ),
        key("done", Value, "done = \"$.done\" == true", "An event for which this holds is the last one."),
        key("end", Value, "end = \"[DONE]\"", "An event with exactly this text is the end, and no data."),
        key(
            "error",
            Value,
            "error = \"$.error\"",
            "In an event: an error, though the code said success. A rule of `#[states]` may give it its kind.",
        ),
        key("idle_timeout", Value, "idle_timeout = \"60s\"", "Longest silence; then the answer is lost."),
        key(
            "json",
            Braces,
            "json { \"stream\": true }",
            "Members that the body of a streamed submit has more.",
        ),
        key("ndjson", Flag, "ndjson", "The submit's answer is lines of JSON."),
        key("sse", Flag, "sse", "The submit's answer is server-sent events."),
        key(
            "when",
            Value,
            "when = payload.stream == true",
            "Which jobs are streamed, by their payload; all when absent.",
        ),
    ],
};

/// `#[websocket(..)]`
pub const WEBSOCKET: Attribute = Attribute {
    name: "websocket",
    doc: "A socket beside the poll. Its events show the progress at once; a final word among them makes the poll ask for the truth.",
    keys: &[
        key("at", Value, "at = \"$.type\"", "Where an event's word is."),
        key("canceled", Value, "canceled = [\"interrupted\"]", "Words for a job that a cancel ended."),
        key("delta", Value, "delta = \"$.data.text\"", "Text that an event adds to the output."),
        key("eta", Value, "eta = \"$.data.eta\"", "Seconds left."),
        repeated("failed", Free, "failed = [\"execution_error\"]", "Words for failed."),
        GET,
        HEADER,
        key("idle_timeout", Value, "idle_timeout = \"60s\"", "Longest silence; then it is connected anew."),
        key(
            "job",
            Value,
            "job = \"$.data.prompt_id\"",
            "Whose an event is: the service job's id. Events of others are passed over.",
        ),
        key("lost", Value, "lost = [\"unknown\"]", "Words for a job that the service does not know."),
        key("progress", Value, "progress = \"$.data.value\" | ratio(\"$.data.max\")", "A fraction, 0 to 1."),
        key("progress_text", Value, "progress_text = \"$.data.node\"", "A text for people."),
        QUERY,
        key("queue_position", Value, "queue_position = \"$.data.position\"", "How many are ahead."),
        key("queued", Value, "queued = [\"waiting\"]", "Words for accepted and not started."),
        key("rules", Group, "rules(\"$.data.node\" present => running)", "Tried in order before the words."),
        key("running", Value, "running = [\"execution_start\"]", "Words for being worked on."),
        key("succeeded", Value, "succeeded = [\"execution_success\"]", "Words for done."),
        TIMEOUT,
    ],
};

/// `chunks(..)`
pub const CHUNKS: Attribute = Attribute {
    name: "chunks",
    doc: "A route beside the poll that gives what is new since the last time.",
    keys: &[
        GET,
        HEADER,
        key("items", Value, "items = \"$.stream[*].output\"", "The new pieces."),
        JSON,
        POST,
        QUERY,
        TIMEOUT,
    ],
};
