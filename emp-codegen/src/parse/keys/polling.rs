//! `#[poll(..)]`, `#[pace(..)]` and what surrounds a poll.

use super::Form::{Flag, Free, Group, Value};
use super::{Attribute, FORM, GET, HEADER, JSON, MULTIPART, POST, QUERY, RAW, TIMEOUT, WHEN, key};

/// `#[poll(..)]`
pub const POLL: Attribute = Attribute {
    name: "poll",
    doc: "How a job is asked after.",
    keys: &[
        key(
            "also",
            Group,
            "also(queue = get(\"/queue\"))",
            "Further questions, asked while the answer alone does not decide. Rules and progress read them: `queue.\"$.running[*]\" present`.",
        ),
        key(
            "echo",
            Value,
            "echo = \"$.id\"",
            "Where an answer repeats the service job's id: one with another id is not believed.",
        ),
        key(
            "envelope",
            Group,
            "envelope(ok = \"$.code\" == 0, message = \"$.message\")",
            "What makes an answer with a 2xx code a refusal all the same.",
        ),
        key("eta", Value, "eta = \"$.eta\"", "Seconds left."),
        FORM,
        GET,
        HEADER,
        key(
            "hold",
            Value,
            "hold = \"25s\"",
            "For how long the service is asked to hold its answer back; a request says it by `queue.hold_secs`.",
        ),
        key("id", Value, "id = \"$.id\"", "In an element of `items`: the service job id."),
        key(
            "items",
            Value,
            "items = \"$.jobs[*]\"",
            "The answer is a list, and the job is the element with its `id`. A list without it is a 404.",
        ),
        JSON,
        key("logs", Value, "logs = \"$.logs\"", "Log text; the last lines are kept."),
        MULTIPART,
        POST,
        key(
            "preview",
            Value,
            "preview = \"$.preview\"",
            "A picture of what there is so far: an https URL or base64, at most 64 KiB.",
        ),
        key("progress", Value, "progress = \"$.progress\" | percent", "A fraction, 0 to 1."),
        key("progress_text", Value, "progress_text = \"$.step\"", "A text for people."),
        QUERY,
        key("queue_position", Value, "queue_position = \"$.position\"", "How many are ahead."),
        RAW,
        TIMEOUT,
        WHEN,
    ],
};

/// `#[pace(..)]`
pub const PACE: Attribute = Attribute {
    name: "pace",
    doc: "How often and how long to poll.",
    keys: &[
        key(
            "advice",
            Value,
            "advice = [header(\"retry-after\")]",
            "Where the service says when to come again.",
        ),
        key(
            "deadline",
            Free,
            "deadline = \"30m\"",
            "From the submit to the end, whatever happens; or `env.field`. Or a clock for each phase: `deadline(queued = \"10m\", running = \"30m\")`.",
        ),
        key(
            "eta",
            Value,
            "eta = job.expected_secs",
            "Seconds that a job is expected to take from its submit: it is polled rarely before their end, and often near it.",
        ),
        key("factor", Value, "factor = 1.5", "Each wait is the one before times this."),
        key("first", Value, "first = \"2s\"", "From the submit's answer to the first poll."),
        key("jitter", Value, "jitter = 0.2", "A wait is spread by plus or minus this fraction."),
        key(
            "learn",
            Free,
            "learn = payload.model",
            "How long jobs take is learnt from those before, apart for each value, and polls are put where it will end.",
        ),
        key("max", Value, "max = \"30s\"", "The longest wait."),
        key(
            "max_unknown",
            Value,
            "max_unknown = 5",
            "So many answers in a row without a known status end the job.",
        ),
        key("min", Value, "min = \"1s\"", "The shortest wait."),
        key("slow_while", Group, "slow_while(queued, \"2s\")", "While queued, wait at least this long."),
    ],
};

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
