//! Cancel: what ends a job at the service.
//!
//! A cancel is sent for a wish of the user's and when a job passes its deadline: once, within ten seconds. Then the job is polled until
//! it is seen to have ended, and the job's record says what became of it.
//!
//! One request, or one for each state. Where the state matters the service is asked first:
//!
//! ```
//! # use emp_core::Connector;
//! # /// Shows.
//! # #[derive(Connector)]
//! # #[connector(service = "cancel", version = "1.0.0", unregistered)]
//! # #[http(base = "https://api.example.com")]
//! # #[auth(none)]
//! # #[submit(post = "/prompt", capture(id = "$.id"), at_most_once)]
//! # #[poll(get = "/jobs/{job.id}")]
//! # #[states(at = "$.status", succeeded = ["done"], unknown = running(warn))]
//! #[cancel(
//!     when(queued) = post("/queue", json { "delete": [job.id] }),
//!     when(running) = post("/interrupt", json { "prompt_id": job.id }),
//! )]
//! # pub struct Shown {}
//! # fn main() {}
//! ```
//!
//! `only_if = running` is for a request that deletes the result of a job that has ended:
//!
//! ```
//! # use emp_core::Connector;
//! # /// Shows.
//! # #[derive(Connector)]
//! # #[connector(service = "cancel", version = "1.0.0", unregistered)]
//! # #[http(base = "https://api.example.com")]
//! # #[auth(none)]
//! # #[submit(post = "/tasks", capture(id = "$.id"), at_most_once)]
//! # #[poll(get = "/tasks/{job.id}")]
//! # #[states(at = "$.status", succeeded = ["done"], unknown = running(warn))]
//! #[cancel(delete = "/tasks/{job.id}", only_if = running, too_late = [409], gone = [404])]
//! # pub struct Shown {}
//! # fn main() {}
//! ```
//!
//! `scope = service` ends whatever the service works at. It needs `in_flight = 1`, and is sent only while that is seen to be our job:
//!
//! ```
//! # use emp_core::Connector;
//! # /// Shows.
//! # #[derive(Connector)]
//! # #[connector(service = "cancel", version = "1.0.0", mode = sync, unregistered)]
//! # #[http(base = "https://api.example.com")]
//! # #[auth(none)]
//! # #[submit(post = "/txt2img", at_most_once)]
//! #[cancel(post = "/interrupt", scope = service)]
//! #[limits(in_flight = 1)]
//! # pub struct Shown {}
//! # fn main() {}
//! ```
//!
//! A sync service that works as long as its connection is open:
//!
//! ```
//! # use emp_core::Connector;
//! # /// Shows.
//! # #[derive(Connector)]
//! # #[connector(service = "cancel", version = "1.0.0", mode = sync, unregistered)]
//! # #[http(base = "https://api.example.com")]
//! # #[auth(none)]
//! # #[submit(post = "/generate", at_most_once)]
//! #[cancel(drop_connection)]
//! // What a refused submit says of another try: `true` or `false`.
//! #[errors(message = "$.error", retry = header("x-should-retry"))]
//! # pub struct Shown {}
//! # fn main() {}
//! ```
//!
//! # Cleanup
//!
//! What a job leaves at the service can be deleted when its result is stored: one request, sent once. Its failure is logged and changes
//! nothing about the job. `when` looks at the payload, the environment and the queue.
//!
//! ```
//! # use emp_core::Connector;
//! # /// Shows.
//! # #[derive(Connector)]
//! # #[connector(service = "cleanup", version = "1.0.0", unregistered)]
//! # #[http(base = "https://api.example.com")]
//! # #[auth(none)]
//! # #[submit(post = "/v2/transcript", json { "audio_url": payload.audio_url }, capture(id = "$.id"), at_most_once)]
//! # #[poll(get = "/v2/transcript/{job.id}")]
//! # #[states(at = "$.status", succeeded = ["completed"], unknown = running(warn))]
//! #[cleanup(delete = "/v2/transcript/{job.id}", when = payload.ephemeral == true)]
//! # pub struct Shown {}
//! # fn main() {}
//! ```
