//! Output that comes piece by piece.
//!
//! A stream's events are judged by `#[states]` as every answer is, with one difference: that the job has *succeeded* only the
//! declared end says (`done` or `end`). An event with an `error` is a failure, whatever the answer's code was. A stream that breaks
//! off, falls silent for `idle_timeout` or ends without its declared end is a lost answer: the submit's settle rule says what
//! then, and it is never a success.
//!
//! The text is told while it comes (`GET /api/jobs/{id}/events`, type `delta`), and `deltas` is all of it.
//!
//! A service that always streams, line by line:
//!
//! ```
//! # use emp_core::{Connector, Url};
//! /// Text from Ollama.
//! #[derive(Connector)]
//! #[connector(service = "ollama", version = "1.0.0", mode = stream, unregistered)]
//! #[http(base = env.url)]
//! #[auth(none)]
//! #[submit(post = "/api/generate", json { "model": payload.model, "prompt": payload.prompt }, billable = false)]
//! #[stream(ndjson, delta = "$.response", done = "$.done" == true, error = "$.error", idle_timeout = "60s")]
//! #[cancel(drop_connection)]
//! #[outcome(text = deltas, meta(tokens = "$.eval_count"))]
//! pub struct Ollama {
//!     /// Where it is.
//!     #[env("OLLAMA_URL", default = "http://127.0.0.1:11434")]
//!     url: Url,
//! }
//! # fn main() {}
//! ```
//!
//! A service that streams on demand. The job that does not ask for it has its answer whole, and each selector of the outcome takes
//! what is there:
//!
//! ```
//! # use emp_core::{Connector, Secret};
//! /// Chat completions.
//! #[derive(Connector)]
//! #[connector(service = "chat", version = "1.0.0", mode = sync, unregistered)]
//! #[http(base = "https://api.example.com/v1")]
//! #[auth(bearer = api_key)]
//! #[submit(post = "/chat/completions", json { "messages": payload.messages }, at_most_once)]
//! #[stream(
//!     sse,
//!     when = payload.stream == true,
//!     json { "stream": true, "stream_options": { "include_usage": true } },
//!     delta = "$.choices[0].delta.content",
//!     end = "[DONE]",
//!     error = "$.error.message",
//! )]
//! #[states(rules("$.choices[0].finish_reason" == "content_filter" => failed(moderated)))]
//! #[outcome(text = ["$.choices[0].message.content", deltas], meta(usage = "$.usage"))]
//! pub struct Chat {
//!     /// The key.
//!     #[env("CHAT_KEY")]
//!     api_key: Secret,
//! }
//! # fn main() {}
//! ```
//!
//! A polled job with a route beside the poll that gives what is new. The text is told and not kept; the result is the poll's:
//!
//! ```
//! # use emp_core::{Connector, Secret};
//! /// Serverless workers.
//! #[derive(Connector)]
//! #[connector(service = "serverless", version = "1.0.0", unregistered)]
//! #[http(base = "https://api.example.com/v2")]
//! #[auth(bearer = api_key)]
//! #[submit(post = "/run", json { "input": payload.input }, capture(id = "$.id"), at_most_once)]
//! #[poll(get = "/status/{job.id}")]
//! #[stream(chunks(get = "/stream/{job.id}", items = "$.stream[*].output"))]
//! #[states(at = "$.status", running = ["IN_PROGRESS"], succeeded = ["COMPLETED"], failed = ["FAILED"], unknown = running(warn))]
//! #[outcome(json = "$.output")]
//! pub struct Serverless {
//!     /// The key.
//!     #[env("SERVERLESS_KEY")]
//!     api_key: Secret,
//! }
//! # fn main() {}
//! ```
