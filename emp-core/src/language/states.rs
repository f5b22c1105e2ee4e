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
