//! `#[outcome]`: EMP0171 to EMP0177.

use super::{Code, Entry};

/// `raw` beside something else.
pub const RAW_ALONE: Code = Code::new("EMP0171");
/// A part of a request without its verb.
pub const NO_GET: Code = Code::new("EMP0172");
/// A key about files, and no files.
pub const NO_FILES: Code = Code::new("EMP0173");
/// Not a media type.
pub const MEDIA_TYPE: Code = Code::new("EMP0174");
/// `refresh` without a poll.
pub const REFRESH: Code = Code::new("EMP0175");
/// A request for the result of a job that has no id.
pub const NO_JOB: Code = Code::new("EMP0176");
/// `first_of` beside something else.
pub const FIRST_OF: Code = Code::new("EMP0177");

/// The entries, in the order of their codes.
pub const ENTRIES: &[Entry] = &[
    Entry {
        code: RAW_ALONE,
        title: "`raw` stands alone",
        why: "an answer whose bytes are the file has no JSON to take something else from",
        help: "remove `raw`, or the other key; facts from headers go into `meta(..)`",
        example: "#[outcome(raw, mime = header(\"content-type\"), meta(seed = header(\"seed\")))]",
    },
    Entry {
        code: NO_GET,
        title: "a request for the result has its `get`",
        why: "without it the result is in the answer that says that the job is done, and nothing is asked",
        help: "add `get = ..`, or remove the keys of the request",
        example: "#[outcome(get = job.result_url, json = \"$\", on_http_error => failed(service))]",
    },
    Entry {
        code: NO_FILES,
        title: "a key about files stands beside files",
        why: "there is no file that it could be about",
        help: "declare the files, or remove the key",
        example: "#[outcome(files = urls(\"$.images[*].url\"), types = [\"image/*\"], refresh = poll)]",
    },
    Entry {
        code: MEDIA_TYPE,
        title: "a media type is `kind/subtype`",
        why: "no file could ever have it, and every result would be refused",
        help: "write `image/png`, or `image/*` for all of a kind",
        example: "#[outcome(files = urls(\"$.url\"), types = [\"image/*\", \"video/mp4\"])]",
    },
    Entry {
        code: REFRESH,
        title: "a fresh link comes from a poll",
        why: "with `mode = sync` the one answer is all that there is",
        help: "remove `refresh = poll`",
        example: "#[outcome(files = urls(\"$.output[*]\"), refresh = poll)]",
    },
    Entry {
        code: NO_JOB,
        title: "a request for the result needs a job that is polled",
        why: "with `mode = sync` nothing of the answer is kept but the result itself, so a crash before the request would lose what was paid for",
        help: "take the result out of the answer, fetch its links with `files = urls(..)`, or declare `#[poll]`",
        example: "#[poll(get = \"/jobs/{job.id}\")]\n#[outcome(get = \"/jobs/{job.id}/result\", json = \"$\")]",
    },
    Entry {
        code: FIRST_OF,
        title: "`first_of` stands alone",
        why: "its places are tried in order, and what stands beside it has no place in that order",
        help: "put it into `first_of(..)`; more answers that belong to the result go into `also(..)`",
        example: "#[outcome(first_of(json = \"$.result\", get(\"$.resourceLocation\", json = \"$\")))]",
    },
];
