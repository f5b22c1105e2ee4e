//! `EMP0164` to `EMP0170`: mistakes in what surrounds a poll.

use super::{Code, Entry};

/// A selector reads a further answer that is asked for, where it is there.
pub const UNKNOWN_PROBE: Code = Code::new("EMP0164");
/// `queue.hold_secs` stands beside a `hold`.
pub const NO_HOLD: Code = Code::new("EMP0165");
/// A batch says which jobs it asks after.
pub const BATCH_IDS: Code = Code::new("EMP0166");
/// What is expected of a job is known before it is polled.
pub const ETA: Code = Code::new("EMP0167");

/// The table.
pub const ENTRIES: &[Entry] = &[
    Entry {
        code: UNKNOWN_PROBE,
        title: "a selector reads a further answer that is asked for",
        why: "the answers of `also(..)` are there while a job's state is judged, under the names that `also` gives them, and nowhere else",
        help: "declare the question in `#[poll]`, and read its answer in `#[states]` or in the progress of `#[poll]`",
        example: "#[poll(get = \"/history/{job.id}\", also(queue = get(\"/queue\")))]",
    },
    Entry {
        code: NO_HOLD,
        title: "a request that says how long to hold has a `hold`",
        why: "the engine must wait longer than the service may hold its answer back, or it gives up just before it comes",
        help: "add `hold` to the same attribute, or remove the hole",
        example: "#[poll(get = \"/jobs/{job.id}\", query(\"wait\" = \"{queue.hold_secs}\"), hold = \"25s\")]",
    },
    Entry {
        code: BATCH_IDS,
        title: "a batch says which jobs it asks after",
        why: "a list that is asked for by GET names its jobs itself; any other request must send the ids",
        help: "send `queue.ids`, the ids of the jobs that wait",
        example: "#[batch_poll(post = \"/fetch\", json { \"ids\": queue.ids }, items = \"$.jobs[*]\", id = \"$.id\")]",
    },
    Entry {
        code: ETA,
        title: "what is expected of a job is known before it is polled",
        why: "it decides when the first poll is made",
        help: "capture it from the submit's answer and write `eta = job.expected_secs`; seconds left that polls tell are `eta` of `#[poll]`, which paces too",
        example: "#[pace(eta = job.expected_secs)]",
    },
];
