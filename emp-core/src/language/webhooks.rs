//! Webhooks: a service that calls when a job has news.
//!
//! `webhook.url?` in a submit tells the service where to call. It has a value when the installation is reachable from outside
//! (`--public-url`, `EMP_PUBLIC_URL`); without one the member is left out, and the job is polled as ever.
//!
//! A call says: look now. Whoever has the job polls it at once, with our credential, and judges the poll's answer. What the call itself
//! carries is not read: nobody who learns the URL can end a job, or have it paid for twice. The URL has a token that fits its job alone.
//! A call that comes before the submit's answer is not forgotten.
//!
//! ```
//! # use emp_core::Connector;
//! # /// Shows.
//! # #[derive(Connector)]
//! # #[connector(service = "calls", version = "1.0.0", unregistered)]
//! # #[http(base = "https://api.example.com")]
//! # #[auth(none)]
//! #[submit(
//!     post = "/jobs",
//!     json {
//!         "input": payload.input,
//!         "webhook": webhook.url?,
//!         "policy": { "executionTimeout": queue.budget_millis, "ttl": queue.budget_millis },
//!     },
//!     capture(id = "$.id"),
//!     at_most_once,
//! )]
//! # #[poll(get = "/jobs/{job.id}")]
//! # #[states(at = "$.status", succeeded = ["done"], unknown = running(warn))]
//! # pub struct Shown {}
//! # fn main() {}
//! ```
