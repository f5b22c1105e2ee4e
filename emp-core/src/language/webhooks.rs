//! Webhooks: a service that calls when a job has news.
//!
//! `webhook.url?` in a submit tells the service where to call. It has a value when the installation is reachable from outside
//! (`--public-url`, `EMP_PUBLIC_URL`); without one the member is left out, and the job is polled as ever.
//!
//! Without more a call says: look now. Whoever has the job polls it at once, with our credential, and judges the poll's answer. What the
//! call itself carries is not read: nobody who learns the URL can end a job, or have it paid for twice. The URL has a token that fits
//! its job alone. A call that comes before the submit's answer is not forgotten.
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
//!
//! # What a call says
//!
//! `#[webhook(verify = ..)]` says how a call shows that it is the service's own. One that does not is answered with 401, and changes
//! nothing. The secret is a field of the struct. Where the variable is not set, in a process that has no need of it or because the
//! service was not told to sign, a call says no more than: look now.
//!
//! | `verify` | what is proven |
//! |---|---|
//! | `standard_webhooks(field)` | [Standard Webhooks]: `webhook-id.webhook-timestamp.body`, by a secret `whsec_..`; several signatures; 5 minutes |
//! | `hmac(key = field, header = "X-Signature", ..)` | an HMAC of the text that `signed` says; see `hmac` in the reference |
//! | `header("X-Token", field)` | a secret that both know |
//!
//! With `body = same_as_poll` a proven call is judged as a poll's answer is, by the same states: the job goes on or ends by it, and is
//! not polled. `body = "$.data"` is the same at a place in the body. Such a body must be about our job: the poll says in `echo` where an
//! answer repeats the job's id, and what has another one, or none, is not believed. A call that was heard before is no news; of two
//! calls that come before anybody has looked, neither is believed, and the job is polled.
//!
//! `events` are those that the service is asked for, by `webhook.events?`. With `event` a call about another one is passed over.
//!
//! ```
//! # use emp_core::{Connector, Secret};
//! # /// Shows.
//! # #[derive(Connector)]
//! # #[connector(service = "calls-signed", version = "1.0.0", unregistered)]
//! # #[http(base = "https://api.example.com")]
//! # #[auth(none)]
//! #[submit(
//!     post = "/predictions",
//!     json { "input": payload.input, "webhook": webhook.url?, "webhook_events_filter": webhook.events? },
//!     capture(id = "$.id"),
//!     at_most_once,
//! )]
//! #[poll(get = "/predictions/{job.id}", echo = "$.id")]
//! # #[states(at = "$.status", succeeded = ["done"], unknown = running(warn))]
//! #[webhook(verify = standard_webhooks(webhook_secret), body = same_as_poll, events = ["completed"])]
//! # pub struct Signed {
//! #[env("SERVICE_WEBHOOK_SECRET", optional)]
//! webhook_secret: Option<Secret>,
//! # }
//! # fn main() {}
//! ```
//!
//! ```
//! # use emp_core::{Connector, Secret};
//! # /// Shows.
//! # #[derive(Connector)]
//! # #[connector(service = "calls-hmac", version = "1.0.0", unregistered)]
//! # #[http(base = "https://api.example.com")]
//! # #[auth(none)]
//! # #[submit(post = "/jobs", query("callback" = webhook.url?), json { "input": payload.input }, capture(id = "$.id"), at_most_once)]
//! # #[poll(get = "/jobs/{job.id}", echo = "$.id")]
//! # #[states(at = "$.status", succeeded = ["done"], unknown = running(warn))]
//! #[webhook(
//!     verify = hmac(
//!         key = webhook_secret,
//!         header = "X-Signature",
//!         prefix = "v0=",
//!         signed = "{timestamp}.{body}",
//!         timestamp = "t=",
//!         tolerance = "30m",
//!     ),
//!     body = "$.data",
//!     events = ["job.completed", "job.failed"],
//!     event = "$.type",
//! )]
//! # pub struct Hmac {
//! #[env("SERVICE_WEBHOOK_SECRET")]
//! webhook_secret: Secret,
//! # }
//! # fn main() {}
//! ```
//!
//! [Standard Webhooks]: https://www.standardwebhooks.com
