//! What a lost answer means.
//!
//! When the connection breaks after a submit was sent, nobody knows whether it was accepted and billed. Each billable submit says
//! what to do then, by one of these rules.
//!
//! The service merges submits that carry the same key, in a header or in a member of the body: sent again with the same key.
//!
//! ```
//! # use emp_core::{Connector, Secret};
//! # /// Shows.
//! # #[derive(Connector)]
//! # #[connector(service = "settle", version = "1.0.0", unregistered)]
//! # #[http(base = "https://api.example.com")]
//! # #[auth(bearer = key)]
//! #[submit(post = "/jobs", json {}, capture(id = "$.id"), idempotent(header("Idempotency-Key"), ttl = "24h"))]
//! # #[poll(get = "/jobs/{job.id}")]
//! # #[states(at = "$.status", succeeded = ["done"], unknown = running(warn))]
//! # pub struct Shown {
//! #     #[env("KEY")]
//! #     key: Secret,
//! # }
//! # fn main() {}
//! ```
//!
//! ```
//! # use emp_core::{Connector, Secret};
//! # /// Shows.
//! # #[derive(Connector)]
//! # #[connector(service = "settle", version = "1.0.0", unregistered)]
//! # #[http(base = "https://api.example.com")]
//! # #[auth(bearer = key)]
//! #[submit(post = "/jobs", json {}, capture(id = "$.id"), idempotent(field("request_id"), ttl = "24h"))]
//! # #[poll(get = "/jobs/{job.id}")]
//! # #[states(at = "$.status", succeeded = ["done"], unknown = running(warn))]
//! # pub struct Shown {
//! #     #[env("KEY")]
//! #     key: Secret,
//! # }
//! # fn main() {}
//! ```
//!
//! The id is ours: the job is looked up by it. It is sent again only where the service refuses or merges a second one (`resend`).
//!
//! ```
//! # use emp_core::{Connector, Secret};
//! # /// Shows.
//! # #[derive(Connector)]
//! # #[connector(service = "settle", version = "1.0.0", unregistered)]
//! # #[http(base = "https://api.example.com")]
//! # #[auth(bearer = key)]
//! #[submit(post = "/jobs", json { "id": job.assigned_id }, assign_id = uuid)]
//! # #[poll(get = "/jobs/{job.id}")]
//! # #[states(at = "$.status", succeeded = ["done"], unknown = running(warn))]
//! # pub struct Shown {
//! #     #[env("KEY")]
//! #     key: Secret,
//! # }
//! # fn main() {}
//! ```
//!
//! ```
//! # use emp_core::{Connector, Secret};
//! # /// Shows.
//! # #[derive(Connector)]
//! # #[connector(service = "settle", version = "1.0.0", unregistered)]
//! # #[http(base = "https://api.example.com")]
//! # #[auth(bearer = key)]
//! #[submit(post = "/jobs", json { "id": job.assigned_id }, assign_id(uuid, absent_for = "30s", resend))]
//! # #[poll(get = "/jobs/{job.id}")]
//! # #[states(at = "$.status", succeeded = ["done"], unknown = running(warn))]
//! # pub struct Shown {
//! #     #[env("KEY")]
//! #     key: Secret,
//! # }
//! # fn main() {}
//! ```
//!
//! Jobs can be searched for a tag that holds our id: found, it is adopted; absent for `wait`, it is sent again.
//!
//! ```
//! # use emp_core::{Connector, Secret};
//! # /// Shows.
//! # #[derive(Connector)]
//! # #[connector(service = "settle", version = "1.0.0", unregistered)]
//! # #[http(base = "https://api.example.com")]
//! # #[auth(bearer = key)]
//! #[submit(post = "/jobs", json { "tag": queue.job_id }, capture(id = "$.id"),
//!     lookup(get = "/jobs", query("tag" = queue.job_id), header("Accept" = "application/json"), items = "$.jobs[*]", tag = "$.tag", id = "$.id", wait = "10s", timeout = "20s"))]
//! # #[poll(get = "/jobs/{job.id}")]
//! # #[states(at = "$.status", succeeded = ["done"], unknown = running(warn))]
//! # pub struct Shown {
//! #     #[env("KEY")]
//! #     key: Secret,
//! # }
//! # fn main() {}
//! ```
//!
//! ```
//! # use emp_core::{Connector, Secret};
//! # /// Shows.
//! # #[derive(Connector)]
//! # #[connector(service = "settle", version = "1.0.0", unregistered)]
//! # #[http(base = "https://api.example.com")]
//! # #[auth(bearer = key)]
//! #[submit(post = "/jobs", json { "tag": queue.job_id }, capture(id = "$.id"),
//!     lookup(post = "/search", json { "tag": queue.job_id }, items = "$.jobs[*]", tag = "$.tag", id = "$.id", wait = "10s"))]
//! # #[poll(get = "/jobs/{job.id}")]
//! # #[states(at = "$.status", succeeded = ["done"], unknown = running(warn))]
//! # pub struct Shown {
//! #     #[env("KEY")]
//! #     key: Secret,
//! # }
//! # fn main() {}
//! ```
//!
//! Nothing can be known: never sent again, and the job becomes `uncertain`.
//!
//! ```
//! # use emp_core::{Connector, Secret};
//! # /// Shows.
//! # #[derive(Connector)]
//! # #[connector(service = "settle", version = "1.0.0", unregistered)]
//! # #[http(base = "https://api.example.com")]
//! # #[auth(bearer = key)]
//! #[submit(post = "/jobs", capture(id = "$.id"), at_most_once)]
//! # #[poll(get = "/jobs/{job.id}")]
//! # #[states(at = "$.status", succeeded = ["done"], unknown = running(warn))]
//! # pub struct Shown {
//! #     #[env("KEY")]
//! #     key: Secret,
//! # }
//! # fn main() {}
//! ```
//!
//! Sent again, and perhaps paid for twice.
//!
//! ```
//! # use emp_core::{Connector, Secret};
//! # /// Shows.
//! # #[derive(Connector)]
//! # #[connector(service = "settle", version = "1.0.0", unregistered)]
//! # #[http(base = "https://api.example.com")]
//! # #[auth(bearer = key)]
//! #[submit(post = "/jobs", capture(id = "$.id"), at_least_once)]
//! # #[poll(get = "/jobs/{job.id}")]
//! # #[states(at = "$.status", succeeded = ["done"], unknown = running(warn))]
//! # pub struct Shown {
//! #     #[env("KEY")]
//! #     key: Secret,
//! # }
//! # fn main() {}
//! ```
//!
//! It costs nothing: sent again.
//!
//! ```
//! # use emp_core::{Connector, Secret};
//! # /// Shows.
//! # #[derive(Connector)]
//! # #[connector(service = "settle", version = "1.0.0", unregistered)]
//! # #[http(base = "https://api.example.com")]
//! # #[auth(bearer = key)]
//! #[submit(post = "/jobs", capture(id = "$.id"), billable = false)]
//! # #[poll(get = "/jobs/{job.id}")]
//! # #[states(at = "$.status", succeeded = ["done"], unknown = running(warn))]
//! # pub struct Shown {
//! #     #[env("KEY")]
//! #     key: Secret,
//! # }
//! # fn main() {}
//! ```
