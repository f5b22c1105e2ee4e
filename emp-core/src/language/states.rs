//! What an answer says of a job, where one word at one place does not say it.
//!
//! # The job's own place in an answer
//!
//! A name or a compared text in a path may hold a hole. It is filled with the value when the path is evaluated, as data: whatever
//! an id looks like, it never becomes a part of the path. A path with a hole that has no value finds nothing.
//!
//! ```
//! # use emp_core::Connector;
//! # /// Shows.
//! # #[derive(Connector)]
//! # #[connector(service = "states", version = "1.0.0", unregistered)]
//! # #[http(base = "https://api.example.com")]
//! # #[auth(none)]
//! # #[submit(post = "/jobs", json {}, capture(id = "$.id"), at_most_once)]
//! #[poll(get = "/history/{job.id}", progress = "$.jobs[?@.id=='{job.id}'].progress" | percent)]
//! #[states(rules(
//!     "$['{job.id}'].status.status_str" == "error" => failed(service),
//!     "$['{job.id}'].status.completed" == true => succeeded,
//!     code == 200 => running,
//! ))]
//! #[outcome(json = "$['{job.id}'].outputs")]
//! # pub struct Shown {}
//! # fn main() {}
//! ```
//!
//! # A further question
//!
//! Where the answer does not say what becomes of the job, `also` asks further. Those questions are sent only while the answer alone
//! does not decide: a rule above the ones that read them has the last word without them. One that fails says nothing of the job.
//!
//! `absent_for` is the time for which no answer has known the job: it was a 404, or empty (`{}` with 200), and no rule that reads a
//! further answer found it either. `age` is the time since the submit: a young job may well be unknown for a moment.
//!
//! ```
//! # use emp_core::Connector;
//! # /// Shows.
//! # #[derive(Connector)]
//! # #[connector(service = "states", version = "1.0.0", unregistered)]
//! # #[http(base = "https://api.example.com")]
//! # #[auth(none)]
//! # #[submit(post = "/prompt", json {}, capture(id = "$.prompt_id"), at_most_once)]
//! #[poll(
//!     get = "/history/{job.id}",
//!     also(queue = get("/queue", query("limit" = "1000"))),
//!     queue_position = queue."$.position",
//! )]
//! #[states(rules(
//!     "$['{job.id}'].status.completed" == true => succeeded,
//!     queue."$.queue_running[?@[1]=='{job.id}']" present => running,
//!     queue."$.queue_pending[?@[1]=='{job.id}']" present => queued,
//!     code == 404 && age < "10s" => queued,
//!     absent_for > "15s" => lost,
//!     code == 200 => running,
//! ))]
//! # pub struct Shown {}
//! # fn main() {}
//! ```
//!
//! # An envelope
//!
//! Some services answer 200 to everything and say inside what it means. An envelope that is there and not `ok` is a refusal: the
//! rules of `#[errors]` for its code say which, else it is `service`. A submit that is refused so was certainly not accepted: the
//! service says so in as many words, and the job fails or is tried again without being `uncertain`. An answer in which `ok` finds
//! no value at all (a page of HTML, `{}`) is no envelope. It says nothing, and the settle rule of the submit decides.
//!
//! ```
//! # use emp_core::Connector;
//! # /// Shows.
//! # #[derive(Connector)]
//! # #[connector(service = "states", version = "1.0.0", unregistered)]
//! # #[http(base = "https://api.example.com")]
//! # #[auth(none)]
//! #[submit(
//!     post = "/v1/videos",
//!     json { "prompt": payload.prompt },
//!     envelope(ok = "$.code" == 0, message = "$.message"),
//!     capture(id = "$.data.task_id"),
//!     at_most_once,
//! )]
//! #[poll(get = "/v1/videos/{job.id}", envelope(ok = "$.code" == 0, message = "$.message"), preview = "$.data.cover")]
//! #[states(at = "$.data.task_status", running = ["processing"], succeeded = ["succeed"], unknown = running(warn))]
//! #[errors(200 if "$.code" in [1302, 1303] => rate_limited, 200 if "$.code" == 1301 => moderated)]
//! # pub struct Shown {}
//! # fn main() {}
//! ```
//!
//! # A job in a list
//!
//! With `items` and `id` the answer is a list, and the element with the job's id is what every selector sees. A list without it is
//! the same as a 404 for the job.
//!
//! ```
//! # use emp_core::Connector;
//! # /// Shows.
//! # #[derive(Connector)]
//! # #[connector(service = "states", version = "1.0.0", unregistered)]
//! # #[http(base = "https://api.example.com")]
//! # #[auth(none)]
//! # #[submit(post = "/jobs", json {}, capture(id = "$.id"), at_most_once)]
//! #[poll(get = "/jobs", items = "$.jobs[*]", id = "$.id", progress = "$.percent" | percent)]
//! #[states(at = "$.state", running = ["busy"], succeeded = ["ready"], failed = ["broken"], unknown = running(warn))]
//! # pub struct Shown {}
//! # fn main() {}
//! ```
