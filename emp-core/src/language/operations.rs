//! Several operations in one connector, chosen by the payload.
//!
//! `#[submit]` stands once for each operation. The first whose `when` holds is sent; the last has no `when` and takes the rest. Each
//! has its own captures and its own settle rule. A `#[poll]` with the `when` of a submit is for that operation, and the one without
//! is for all others.
//!
//! ```
//! use emp_core::{Connector, Secret};
//!
//! /// Makes images, and edits those that it is given.
//! #[derive(Connector)]
//! #[connector(service = "images", version = "1.0.0", unregistered)]
//! #[http(base = "https://api.example.com")]
//! #[auth(bearer = api_key)]
//! #[submit(
//!     when = payload.video_url is url,
//!     post = "/videos",
//!     json { "video": payload.video_url },
//!     capture(id = "$.task"),
//!     at_most_once,
//! )]
//! #[submit(
//!     when = payload.image present && payload.mode in ["edit", "inpaint"],
//!     post = "/edits",
//!     json { "image": payload.image, "prompt": payload.prompt },
//!     capture(id = "$.id"),
//!     idempotent(header("Idempotency-Key"), ttl = "24h"),
//! )]
//! #[submit(
//!     post = "/generations",
//!     json { "prompt": payload.prompt },
//!     capture(id = "$.id"),
//!     idempotent(header("Idempotency-Key"), ttl = "24h"),
//! )]
//! #[poll(when = payload.video_url is url, get = "/videos/{job.id}")]
//! #[poll(get = "/images/{job.id}")]
//! #[states(at = "$.status", succeeded = ["done"], unknown = running(warn))]
//! pub struct Images {
//!     /// The key.
//!     #[env("IMAGES_KEY")]
//!     api_key: Secret,
//! }
//!
//! let http = Images::SPEC.http().unwrap();
//! assert_eq!(http.operations.len(), 2);
//! // A member that only some operations read is required of no job.
//! assert!(Images::SPEC.payload.to_json_schema()["required"].as_array().unwrap().is_empty());
//! ```
//!
//! A condition looks at `payload`, `env` and `queue`: it says the same before the submit and after a crash. It has the words of the
//! rules in `#[states]`, and `is url`: the text of an http or https URL, or an object whose `url` is one.
