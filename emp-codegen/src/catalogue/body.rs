//! Mistakes in bodies, assets, prepare steps and operations.

use super::{Code, Entry};

/// A condition on a job looks at the job.
pub const CONDITION: Code = Code::new("EMP0151");
/// Operations can be told apart, and one of them takes the rest.
pub const OPERATIONS: Code = Code::new("EMP0152");

/// The table, in the order of the codes.
pub const ENTRIES: &[Entry] = &[
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
];
