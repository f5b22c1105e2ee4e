//! The keys of what surrounds a poll.

use super::Form::{Flag, Value};
use super::{Attribute, GET, HEADER, JSON, POST, QUERY, TIMEOUT, key};

/// `envelope(..)`
pub const ENVELOPE: Attribute = Attribute {
    name: "envelope",
    doc: "An answer with a 2xx code may be a refusal all the same. One that is there and not ok is: `#[errors]` says which (`200 if \"$.code\" == 1302 => rate_limited`), else it is `service`, and a submit so refused accepted nothing. An answer in which `ok` finds no value is no envelope and says nothing.",
    keys: &[
        key("message", Value, "message = \"$.message\"", "The refusal's text, before those of `#[errors]`."),
        key("ok", Value, "ok = \"$.code\" == 0", "The answer means what its code says only when this holds."),
    ],
};

/// `#[batch_poll(..)]`
pub const BATCH_POLL: Attribute = Attribute {
    name: "batch_poll",
    doc: "One request asks after all jobs of a credential that wait. A job that it does not tell of is asked after alone.",
    keys: &[
        key(
            "complete",
            Flag,
            "complete",
            "An element is as good as a poll's answer; else a job that has ended is polled once more for its result.",
        ),
        key("every", Value, "every = \"2s\"", "From one batch to the next; 2 s when absent."),
        GET,
        HEADER,
        key("id", Value, "id = \"$.id\"", "In an element: the service job id."),
        key("items", Value, "items = \"$.results[*]\"", "The elements."),
        JSON,
        key(
            "most",
            Value,
            "most = 100",
            "So many ids (`queue.ids`) in one request at most; 100 when absent.",
        ),
        key("next", Value, "next = \"$.next\"", "The URL of the next page, followed as `#[origins]` allows."),
        key("pages", Value, "pages = 5", "So many pages at most; 5 when absent."),
        POST,
        QUERY,
        TIMEOUT,
        key(
            "worth_it_above",
            Value,
            "worth_it_above = 20",
            "While no more than so many jobs wait, each is asked after alone; 20 when absent.",
        ),
    ],
};

/// `#[side_progress(..)]`
pub const SIDE_PROGRESS: Attribute = Attribute {
    name: "side_progress",
    doc: "Where to ask how far a job is while the answer to its submit is held back. Its faults never touch the job.",
    keys: &[
        key("eta", Value, "eta = \"$.eta_relative\"", "Seconds left."),
        key("every", Value, "every = \"1s\"", "From one question to the next; 1 s when absent."),
        GET,
        HEADER,
        JSON,
        POST,
        key(
            "preview",
            Value,
            "preview = \"$.current_image\"",
            "A picture of what there is so far: a URL or base64.",
        ),
        key("progress", Value, "progress = \"$.progress\" | fraction", "A fraction, 0 to 1."),
        key("progress_text", Value, "progress_text = \"$.state.job\"", "A text for people."),
        QUERY,
        TIMEOUT,
    ],
};

/// `deadline(..)`
pub const DEADLINE: Attribute = Attribute {
    name: "deadline",
    doc: "Clocks of the phases of a job, beside the whole.",
    keys: &[
        key("queued", Value, "queued = \"10m\"", "For how long the service may let it wait; or `env.field`."),
        key("running", Value, "running = \"30m\"", "For how long it may run; or `env.field`."),
        key("total", Value, "total = \"1h\"", "From the submit to the end; the sum of the two when absent."),
    ],
};
