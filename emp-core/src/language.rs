//! The language of declarations, by examples that compile. [The derive](macro@crate::Connector) lists every key with its meaning.
//!
//! The examples say `unregistered`, because build.rs does not read documentation; a connector in `connectors/` does not
//! say it, and is `pub`.
//!
//! # A job that is polled
//!
//! Submit, capture an id, ask until a state is final, take the result. This is the usual shape; the keys that are left out have
//! defaults.
//!
//! ```
//! use emp_core::{Connector, Secret};
//!
//! /// Makes images with my service.
//! #[derive(Connector)]
//! #[connector(service = "my-service", version = "1.0.0", unregistered)]
//! #[http(base = "https://api.my-service.com")]
//! #[auth(bearer = api_key)]
//! #[submit(post = "/jobs", json { "prompt": payload.prompt }, capture(id = "$.id"), at_most_once)]
//! #[poll(get = "/jobs/{job.id}", progress = "$.progress" | percent)]
//! #[states(at = "$.status", running = ["working"], succeeded = ["done"], failed = ["error"], unknown = running(warn))]
//! #[outcome(json = "$.result")]
//! pub struct MyService {
//!     /// The key.
//!     #[env("MY_SERVICE_KEY")]
//!     api_key: Secret,
//! }
//!
//! let spec = MyService::SPEC;
//! assert_eq!(spec.services, ["my-service"]);
//! // Without `payload = T`, the schema follows from the holes.
//! assert_eq!(spec.payload.to_json_schema()["required"], serde_json::json!(["prompt"]));
//! ```
//!
//! # Every key of a polled job
//!
//! ```
//! use std::time::Duration;
//!
//! use emp_core::{Connector, Secret, Url};
//!
//! /// Everything that can be said of a polled job.
//! #[derive(Connector)]
//! #[connector(service = ["images", "videos"], version = "1.2.0-rc.1", mode = poll, crate = ::emp_core, unregistered)]
//! #[http(base = env.base_url, allow_hosts = ["api.example.com", "*.example.org"], allow_http)]
//! #[origins(follow = ["*.example.com"])]
//! #[auth(bearer = api_key)]
//! #[submit(
//!     post = "/models/{payload.model}/jobs",
//!     query("quality" = payload.quality?, "source" = "emp"),
//!     header("X-Attempt" = queue.attempt, "Prefer" = "wait={queue.budget_secs}"),
//!     json {
//!         "prompt": payload.prompt,
//!         "steps": payload.steps ?? 20,
//!         "tag": "emp-{queue.job_id}",
//!         "region": env.region,
//!         ..payload.options
//!     },
//!     accept = [200, 201, 202],
//!     capture(id = "$.id", poll_url = "$.urls.get", cancel_url = "$.urls.cancel"),
//!     feeds_poll,
//!     hold = "10s",
//!     timeout = env.timeout,
//!     rejects = [503],
//!     billable = true,
//!     idempotent(header("Idempotency-Key"), ttl = "24h"),
//! )]
//! #[poll(
//!     get = job.poll_url,
//!     query("logs" = "1"),
//!     header("Accept" = "application/json"),
//!     progress = ["$.progress" | percent, "$.fraction" | fraction],
//!     progress_text = "$.step",
//!     queue_position = "$.position",
//!     eta = "$.eta",
//!     logs = "$.logs[*].message" | join("\n"),
//!     timeout = "30s",
//! )]
//! #[states(
//!     at = "$.status",
//!     fold_case,
//!     queued = ["queued"],
//!     running = ["processing"],
//!     succeeded = ["done"],
//!     failed = ["error"],
//!     failed(moderated) = ["blocked"],
//!     canceled = ["canceled"],
//!     timed_out = ["timeout"],
//!     lost = ["expired"],
//!     unknown = running(warn),
//!     rules(code == 404 && age > "30s" => lost),
//! )]
//! #[outcome(json = ["$.output", "$.result"], meta(seconds = "$.metrics.seconds"), keep_for = "1h")]
//! #[errors(
//!     message = ["$.error.message", "$.detail"],
//!     code = "$.error.code",
//!     401 | 403 => auth,
//!     402 => billing,
//!     429 => rate_limited(wait = header("retry-after")),
//!     5xx => transient,
//! )]
//! #[cancel(post = job.cancel_url, ok = [200, 202], too_late = [409], gone = [404], timeout = "10s")]
//! #[pace(
//!     first = "2s", min = "1s", max = "30s", factor = 1.5, jitter = 0.2, slow_while(queued, "5s"),
//!     advice = [header("retry-after")], deadline = env.deadline, max_unknown = 5,
//! )]
//! #[limits(rate = "150/10s", in_flight = env.in_flight, attempts = 3, max_body = "10MB", max_response = "8MiB")]
//! #[health(get = "/health", every = "30s", ready = "$.ready" == true, metric(queued = "$.queue.length"), timeout = "5s")]
//! pub struct Everything {
//!     /// The key.
//!     #[env("EVERYTHING_KEY")]
//!     api_key: Secret,
//!     /// Where the service is.
//!     #[env("EVERYTHING_URL", default = "https://api.example.com")]
//!     base_url: Url,
//!     /// In which region jobs run.
//!     #[env("EVERYTHING_REGION", default = "eu")]
//!     region: String,
//!     /// For how long a request may take; a bare number is milliseconds.
//!     #[env("EVERYTHING_TIMEOUT", default = 30000, unit = ms)]
//!     timeout: Duration,
//!     /// For how long a job may take; a bare number is seconds.
//!     #[env("EVERYTHING_DEADLINE", default = "30m", unit = s)]
//!     deadline: Duration,
//!     /// Jobs at once.
//!     #[env("EVERYTHING_IN_FLIGHT", default = 4, range = 1..=64)]
//!     in_flight: u32,
//!     /// A proxy, if any.
//!     #[env("EVERYTHING_PROXY", optional)]
//!     proxy: Option<Url>,
//! }
//! # fn main() {}
//! ```
//!
//! Requests may also be `get`, `put`, `patch` and `delete` where the service wants it so:
//!
//! ```
//! # use emp_core::Connector;
//! /// A service of few words.
//! #[derive(Connector)]
//! #[connector(service = "plain", version = "1.0.0", unregistered)]
//! #[http(base = "http://127.0.0.1:8188")]
//! #[auth(none)]
//! #[origins(follow = self)]
//! #[submit(put = "/jobs/{payload.name}", json { "prompt": payload.graph }, capture(id = "$.id"), billable = false)]
//! #[poll(post = "/query", json { "id": job.id })]
//! #[states(rules("$.done" == true => succeeded, code == 200 => running))]
//! #[outcome(text = "$.text")]
//! #[cancel(delete = "/jobs/{job.id}", header("X-Reason" = "cancelled"))]
//! pub struct Plain {}
//! # fn main() {}
//! ```
//!
//! # A service that answers at once
//!
//! With `mode = sync` the submit's answer is judged, and nothing is polled.
//!
//! ```
//! use emp_core::{Connector, Secret};
//!
//! /// Answers a prompt.
//! #[derive(Connector)]
//! #[connector(service = "chat", version = "1.0.0", mode = sync, unregistered)]
//! #[http(base = "https://api.example.com/v1")]
//! #[auth(header("x-api-key") = "{api_key}")]
//! #[submit(
//!     post = "/messages",
//!     json { "system": payload.system?, "messages": [{ "role": "user", "content": payload.prompt }] },
//!     timeout = "10m",
//!     at_most_once,
//! )]
//! #[states(rules(code == 200 => succeeded), unknown = failed)]
//! #[outcome(text = "$.content[0].text", meta(usage = "$.usage"))]
//! pub struct Chat {
//!     /// The key.
//!     #[env("CHAT_KEY")]
//!     api_key: Secret,
//! }
//! # fn main() {}
//! ```
//!
//! # A protocol of one's own
//!
//! ```
//! use emp_core::{Connector, CustomConnector, JobContext, JobError};
//!
//! /// Gives back what it gets.
//! #[derive(Connector)]
//! #[connector(custom, service = "echo", version = "1.0.0", unregistered)]
//! pub struct Echo {}
//!
//! impl CustomConnector for Echo {
//!     async fn run(&self, job: JobContext<'_>) -> Result<serde_json::Value, JobError> {
//!         Ok(job.payload().clone())
//!     }
//! }
//! # fn main() {}
//! ```
//!
//! # Types of payload and result
//!
//! With `payload = T` every `payload.x` is checked against the fields of `T` by the compiler, and jobs against its JSON
//! Schema when they are submitted to the queue. `T` is [`Payload`](crate::payload::Payload): it derives `Deserialize` and
//! `JsonSchema`.
//!
//! Holes read the payload as it was sent, so a field must be called in Rust what it is called in JSON: `#[serde(rename)]` or
//! `rename_all` on a field that a hole names would pass the compiler and find nothing. A keyword is `r#type`. Where the service has
//! another spelling, the body says so: the name in quotes is the service's.
//!
//! The compiler cannot see either that a field may be absent: the hole of an `Option` says `?` (left out) or `?? 20` (another
//! value). Without it a job that leaves the member out is accepted, and fails before anything is sent.
//!
//! ```
//! use emp_core::{Connector, Secret};
//! use schemars::JsonSchema;
//! use serde::{Deserialize, Serialize};
//!
//! /// Makes images.
//! #[derive(Connector)]
//! #[connector(service = "images", version = "1.0.0", payload = ImagePayload, output = Image, unregistered)]
//! #[http(base = "https://api.example.com")]
//! #[auth(bearer = api_key)]
//! #[submit(
//!     post = "/jobs",
//!     json { "aspectRatio": payload.aspect_ratio?, "type": payload.r#type },
//!     capture(id = "$.id"),
//!     at_most_once,
//! )]
//! #[poll(get = "/jobs/{job.id}")]
//! #[states(at = "$.status", succeeded = ["done"], unknown = running(warn))]
//! #[cancel(patch = "/jobs/{job.id}", json { "status": "canceled" })]
//! pub struct Images {
//!     /// The key.
//!     #[env("IMAGES_KEY")]
//!     api_key: Secret,
//! }
//!
//! /// A job for Images.
//! #[derive(Deserialize, JsonSchema)]
//! pub struct ImagePayload {
//!     /// Width to height, such as `16:9`.
//!     pub aspect_ratio: Option<String>,
//!     /// What kind of image.
//!     pub r#type: String,
//! }
//!
//! /// What comes of it.
//! #[derive(Serialize, JsonSchema)]
//! pub struct Image {
//!     /// Where it is.
//!     pub url: String,
//! }
//! # fn main() {}
//! ```
//!
//! # More
//!
//! * [`settle`]: what a lost answer means.
//! * [`bodies`]: forms, files, assets of a payload, and uploads before the submit.
//! * [`cancel`]: what ends a job at the service.
//! * [`credentials`]: where a secret stands.
//! * [`origins`]: which hosts are spoken to, and which get the credential.
//! * [`polling`]: when a job is asked after, for how long, and how many jobs at once.
//! * [`states`]: what an answer says, where one word at one place does not say it.
//! * [`hooks`]: a function of one's own at one place.
//! * [`operations`]: several operations in one connector, chosen by the payload.
//! * [`openapi`]: the service's own description beside the declaration.
//! * [`stream`]: output that comes piece by piece.
//! * [`outcome`]: where the result is.
//! * [`websocket`]: a socket beside the poll.
//! * [`webhooks`]: a service that calls when a job has news.

pub mod bodies;
pub mod cancel;
pub mod credentials;
pub mod hooks;
pub mod openapi;
pub mod operations;
pub mod origins;
pub mod outcome;
pub mod polling;
pub mod settle;
pub mod states;
pub mod stream;
pub mod variants;
pub mod webhooks;
pub mod websocket;
