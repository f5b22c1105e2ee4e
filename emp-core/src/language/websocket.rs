//! A socket beside the poll.
//!
//! Some services tell how a job is on a WebSocket. What they say there is shown at once; the truth is the poll's. A final word on the
//! socket makes the poll ask, and so does every connection that comes or goes, so that a message that was lost costs time and
//! nothing else. While the socket is open, the poll asks at its slowest pace; without it, at the declared one.
//!
//! The socket is one of this job's own and is opened below the base, with the same credential and the same rules for addresses as
//! every request. Messages are texts of at most 1 MiB; binary ones are passed over.
//!
//! `job` says whose an event is. `at`, the words and `rules(..)` are those of `#[states]`; a word that is not among them says nothing.
//!
//! ```
//! # use emp_core::{Connector, Url};
//! /// Workflows on a server with a socket.
//! #[derive(Connector)]
//! #[connector(service = "workflows", version = "1.0.0", unregistered)]
//! #[http(base = env.url)]
//! #[auth(none)]
//! #[submit(post = "/prompt", json { "prompt": payload.workflow, "client_id": queue.job_id }, capture(id = "$.prompt_id"), at_most_once)]
//! #[poll(get = "/jobs/{job.id}")]
//! #[websocket(
//!     get = "/ws",
//!     query("clientId" = queue.job_id),
//!     job = "$.data.prompt_id",
//!     at = "$.type",
//!     queued = ["waiting"],
//!     running = ["execution_start", "executing"],
//!     succeeded = ["execution_success"],
//!     failed = ["execution_error"],
//!     canceled = ["execution_interrupted"],
//!     lost = ["execution_unknown"],
//!     rules("$.data.finished" == true => succeeded),
//!     progress = "$.data.value" | ratio("$.data.max"),
//!     progress_text = "$.data.node",
//!     queue_position = "$.data.position",
//!     eta = "$.data.eta",
//!     delta = "$.data.text",
//!     timeout = "10s",
//!     idle_timeout = "60s",
//! )]
//! #[states(at = "$.status", running = ["running"], succeeded = ["done"], failed = ["error"], unknown = running(warn))]
//! #[outcome(json = "$.outputs")]
//! pub struct Workflows {
//!     /// Where it is.
//!     #[env("WORKFLOWS_URL", default = "http://127.0.0.1:8188")]
//!     url: Url,
//! }
//! # fn main() {}
//! ```
