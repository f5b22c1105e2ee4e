//! `EMP0185` to `EMP0194`: what a declaration and the service's own description say differently. Reported by the build.

use super::{Code, Entry};

/// The slice cannot be used.
pub const SLICE: Code = Code::new("EMP0185");
/// An operation is not in the slice.
pub const OPERATION: Code = Code::new("EMP0186");
/// A status word is in one of the two only.
pub const WORD: Code = Code::new("EMP0187");
/// A selector's path finds nothing.
pub const PATH: Code = Code::new("EMP0188");
/// A selector finds a value of the wrong kind.
pub const KIND: Code = Code::new("EMP0189");
/// The request lacks something that it must have.
pub const REQUIRED: Code = Code::new("EMP0190");
/// The request has something that it must not have.
pub const ILLEGAL: Code = Code::new("EMP0191");
/// An accepted code is not documented, or a documented success not accepted.
pub const CODES: Code = Code::new("EMP0192");
/// The credential does not stand where the service reads it.
pub const CREDENTIAL: Code = Code::new("EMP0193");
/// A part of `#[openapi]` or of a capture deserves a look.
pub const LOOK: Code = Code::new("EMP0194");

/// The table.
pub const ENTRIES: &[Entry] = &[
    Entry {
        code: SLICE,
        title: "the slice of a connector's description cannot be used",
        why: "without it nothing of the declaration is compared with what the service says of itself",
        help: "cut it with `emp openapi slice --spec FILE --operation ID --out schemas/openapi/NAME.json`, or correct the name",
        example: r#"#[openapi(file = "replicate.json", poll = "predictions.get")]"#,
    },
    Entry {
        code: OPERATION,
        title: "a request's method and path are none of the service's operations",
        why: "the service would answer 404 or 405, and every job would fail at its first request",
        help: "write the method and the path of the description, or name the operation that is meant",
        example: r#"#[openapi(file = "replicate.json", submit = "predictions.create")]"#,
    },
    Entry {
        code: WORD,
        title: "the status words of the declaration and of the description differ",
        why: "a word that nobody declared leaves jobs that have ended polled until their deadline: the commonest bug of the vendors' own clients",
        help: "put the word into the set that it belongs to; one that the description does not have into `allow` of `#[openapi]`",
        example: r#"#[states(at = "$.status", canceled = ["canceled", "aborted"], unknown = running(warn))]"#,
    },
    Entry {
        code: PATH,
        title: "a path finds nothing in the answers that the service describes",
        why: "a path to nothing is silent at run time: the value is just never there",
        help: "write the path of the description; where it is the description that is wrong, `open = [..]` or `allow = [..]` of `#[openapi]`",
        example: r#"#[openapi(file = "bfl.json", open = ["$.result"])]"#,
    },
    Entry {
        code: KIND,
        title: "a path finds a value of a kind that is of no use there",
        why: "a progress that is a text, or a status that is an object, is as good as none",
        help: "select inside the value, or reduce it: `| percent`, `| number`, `| join(\"; \")`",
        example: r#"#[poll(get = "/jobs/{job.id}", progress = "$.progress" | percent)]"#,
    },
    Entry {
        code: REQUIRED,
        title: "a request lacks a header, a query pair or a member that the service requires",
        why: "the service refuses every such request",
        help: "add it; a member that comes with `..payload.x` counts as given",
        example: r#"#[submit(post = "/text_to_video", header("X-Runway-Version" = "2024-11-06"), at_most_once)]"#,
    },
    Entry {
        code: ILLEGAL,
        title: "a request has a member or a value that the service does not take",
        why: "the service refuses it, or ignores it without a word",
        help: "write what the description has; what it lacks and the service takes goes into `allow` of `#[openapi]`",
        example: r#"#[openapi(file = "example.json", allow = ["seed"])]"#,
    },
    Entry {
        code: CODES,
        title: "the accepted codes and the documented ones differ",
        why: "a success that is not accepted is taken for a refusal, and the job is paid for and lost",
        help: "write all documented 2xx codes into `accept`, or leave it out: then every 2xx is accepted",
        example: r#"#[submit(post = "/predictions", accept = [201, 202], at_most_once)]"#,
    },
    Entry {
        code: CREDENTIAL,
        title: "the credential does not stand where the service reads it",
        why: "every request would be answered with 401",
        help: "write `#[auth]` as the description has it",
        example: r#"#[auth(header("x-key") = "{api_key}")]"#,
    },
    Entry {
        code: LOOK,
        title: "a part of the declaration deserves a second look",
        why: "a waiver that is not needed hides the next mistake; a captured value that can be null is missing when it is wanted",
        help: "take the waiver out; give a capture that can be null a second place: `id = [\"$.id\", \"$.uuid\"]`",
        example: r#"#[submit(post = "/jobs", capture(id = ["$.id", "$.uuid"]), at_most_once)]"#,
    },
];
