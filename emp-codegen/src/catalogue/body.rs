//! Mistakes in bodies, assets, prepare steps and operations.

use super::{Code, Entry};

/// A request has one body.
pub const BODIES: Code = Code::new("EMP0150");
/// A condition on a job looks at the job.
pub const CONDITION: Code = Code::new("EMP0151");
/// Operations can be told apart, and one of them takes the rest.
pub const OPERATIONS: Code = Code::new("EMP0152");
/// What a prepare step gives is used behind it.
pub const PREPARED: Code = Code::new("EMP0153");
/// An asset stands where it can be sent.
pub const ASSET: Code = Code::new("EMP0154");
/// A part of a form is a name and a text or a file.
pub const PART: Code = Code::new("EMP0155");

/// The table, in the order of the codes.
pub const ENTRIES: &[Entry] = &[
    Entry {
        code: BODIES,
        title: "a request has one body",
        why: "a service reads one body, of one type",
        help: "keep one of `json`, `form`, `multipart` and `raw`",
        example: "#[submit(post = \"/images\", multipart { image: file(payload.image), prompt: payload.prompt }, ..)]",
    },
    Entry {
        code: CONDITION,
        title: "a condition on a job looks at the job",
        why: "`when` is decided before anything is sent, and must say the same after a crash: no answer can have a part in it",
        help: "compare a value of `payload`, `env` or `queue`",
        example: "#[submit(when = payload.image present, post = \"/edits\", ..)]",
    },
    Entry {
        code: OPERATIONS,
        title: "operations can be told apart, and one of them takes the rest",
        why: "the first `#[submit]` whose `when` holds is sent; the last has no `when`, so that every job has one",
        help: "give every `#[submit]` but the last a `when` of its own, and a `#[poll]` the `when` of its submit",
        example: "#[submit(when = payload.image present, post = \"/edits\", ..)]\n#[submit(post = \"/generations\", ..)]",
    },
    Entry {
        code: PREPARED,
        title: "what a prepare step gives is used behind it",
        why: "`prepared.x` is what a step before has captured as `x`, and `item` the element of a step with `each`: anything else would have no value",
        help: "capture the value in a `#[prepare]` before its use, and use `item` inside a step with `each`",
        example: "#[prepare(post = \"/uploads\", raw(file(payload.audio)), capture(audio_url = \"$.url\"))]\n#[submit(post = \"/jobs\", json { \"audio\": prepared.audio_url }, ..)]",
    },
    Entry {
        code: ASSET,
        title: "an asset stands where it can be sent",
        why: "`file(..)` makes bytes, which only `multipart` and `raw` carry; an asset comes from the payload, where a job can have one",
        help: "write `file(payload.image)` in `multipart` or `raw`, and `url(..)`, `base64(..)` or `data_uri(..)` elsewhere",
        example: "multipart { image: file(payload.image, max = \"10MB\", types = [\"image/*\"]) }",
    },
    Entry {
        code: PART,
        title: "a part of a form is a name and a text or a file",
        why: "forms know no objects, and a name with a quote or a line break could begin another part",
        help: "write `name: payload.x`, `name: file(payload.image)`, or a list of such values",
        example: "multipart { \"image[]\": [file(payload.first), file(payload.second?)], seed: payload.seed? }",
    },
];
