//! The service's own description beside the declaration.
//!
//! Where a vendor publishes an `OpenAPI` document, the build compares: every path of every selector, every status word in both
//! directions, the paths of the requests, required headers and members, accepted codes, the credential. A status that the vendor
//! has and the declaration forgets is a compile error that names it.
//!
//! Requests are compared wherever they are declared: submits, polls and cancels, which the slice must have, and those beside them
//! (preparing steps, further questions, batches, parts of the result, chunks, progress, cleanup, health), which it may lack; of these
//! only one that is nearly an operation is a mistake. Selectors are looked for where they look: in the answer of their own request, in
//! the elements of its list, in the events of a stream.
//!
//! The vendor's file has megabytes, so a *slice* of it is committed: the operations that the connector uses, without the
//! vendor's texts, with source, date, licence and hash.
//!
//! ```text
//! emp openapi slice --spec openapi.yaml --operation jobs.create --operation jobs.get --operation jobs.cancel \
//!     --source https://api.example.com/openapi.yaml --out schemas/openapi/example.json
//! ```
//!
//! build.rs reads the slice of each connector in `connectors/`; the derive reads no file. So an `unregistered` connector, as here, is not
//! compared with anything.
//!
//! ```
//! # use emp_core::{Connector, Secret};
//! # /// Shows.
//! # #[derive(Connector)]
//! # #[connector(service = "described", version = "1.0.0", unregistered)]
//! #[openapi(
//!     file = "example.json",
//!     submit = "POST /jobs", poll = "jobs.get", cancel = "jobs.cancel",
//!     open = ["$.result"], allow = ["$.eta", "expired"], strict,
//! )]
//! # #[http(base = "https://api.example.com")]
//! # #[auth(bearer = key)]
//! # #[submit(post = "/jobs", json {}, capture(id = "$.id", poll_url = "$.url"), at_most_once)]
//! #[poll(get = job.poll_url, eta = "$.eta")]
//! #[states(at = "$.status", running = ["working"], succeeded = ["done"], failed = ["expired"], unknown = running(warn))]
//! #[outcome(json = "$.result.image")]
//! # #[cancel(delete = "/jobs/{job.id}")]
//! # pub struct Shown {
//! #     #[env("KEY")]
//! #     key: Secret,
//! # }
//! assert_eq!(Shown::SPEC.openapi.map(|openapi| openapi.file), Some("example.json"));
//! ```
//!
//! An operation is named by its id or by its method and path; those whose requests have a path of their own are found by
//! it. `open` lists paths below which the vendor's file is vague or wrong, `allow` what the declaration knows better: paths, words,
//! headers, members, codes. A waiver that is not needed is a warning, so that it goes away when the vendor mends the file. With
//! `strict`, a path of which the description says nothing is a mistake too.
//!
//! `emp openapi drift --spec NEW` says what a newer file of the vendor changes, and which connectors it touches.
