//! `#[states(..)]` and `#[errors(..)]`: what an answer means.

use super::Form::{Flag, Free, Group, Value};
use super::{Attribute, key, repeated};

/// `#[states(..)]`
pub const STATES: Attribute = Attribute {
    name: "states",
    doc: "What an answer says of the job: rules first, then the word at `at`.",
    keys: &[
        key("at", Value, "at = \"$.status\"", "Where the status word is."),
        key("canceled", Value, "canceled = [\"canceled\"]", "Words for a job that a cancel ended."),
        repeated(
            "failed",
            Free,
            "failed(moderated) = [\"blocked\"]",
            "Words for failed, with the kind of failure; `service` when not said.",
        ),
        key("fold_case", Flag, "fold_case", "Words are compared without regard to case."),
        key("lost", Value, "lost = [\"not_found\"]", "Words for a job that the service does not know."),
        key("queued", Value, "queued = [\"queued\"]", "Words for accepted and not started."),
        key(
            "rules",
            Group,
            "rules(code == 404 => lost)",
            "Tried in order before the words; first of all `with(Self::judge)`, a function of the type.",
        ),
        key("running", Value, "running = [\"processing\"]", "Words for being worked on."),
        key("succeeded", Value, "succeeded = [\"done\"]", "Words for done."),
        key("timed_out", Value, "timed_out = [\"timeout\"]", "Words for `failed(timeout)`."),
        key(
            "unknown",
            Value,
            "unknown = running(warn)",
            "What any other word means: `running(warn)` or `failed`.",
        ),
    ],
};

/// `#[errors(..)]`
pub const ERRORS: Attribute = Attribute {
    name: "errors",
    doc: "What a refusal means: `401 | 403 => auth`, `429 => rate_limited(wait = header(\"retry-after\"))`.",
    keys: &[
        key("code", Value, "code = \"$.error.code\"", "The service's own code."),
        key(
            "message",
            Value,
            "message = [\"$.error.message\", \"$.detail\"]",
            "The text for people, in fallback order.",
        ),
        key(
            "retry",
            Value,
            "retry = header(\"x-should-retry\")",
            "Where the service says whether a refused submit is worth another try: `true` or `false`.",
        ),
        key(
            "with",
            Group,
            "with(Self::classify)",
            "A function of the type that classifies before the rules do.",
        ),
    ],
};
