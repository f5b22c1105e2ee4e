//! When a job is asked after, for how long, and how many jobs at once.
//!
//! # A service that holds its answer back
//!
//! `hold` is the time for which the service is asked to wait until something changes. The request says it by `queue.hold_secs`
//! or `queue.hold_millis`, never more than what is left of the job's time, and the engine waits for longer than that. The time of
//! a held answer is waited already: the next poll follows at once.
//!
//! ```
//! # use emp_core::Connector;
//! # /// Shows.
//! # #[derive(Connector)]
//! # #[connector(service = "polling", version = "1.0.0", unregistered)]
//! # #[http(base = "https://api.example.com")]
//! # #[auth(none)]
//! # #[submit(post = "/jobs", json {}, capture(id = "$.id"), at_most_once)]
//! #[poll(get = "/jobs/{job.id}", query("wait" = "{queue.hold_secs}", "until" = "change"), hold = "25s")]
//! # #[states(at = "$.status", succeeded = ["done"], unknown = running(warn))]
//! # pub struct Shown {}
//! # fn main() {}
//! ```
//!
//! # Clocks and expectations
//!
//! `deadline(queued = .., running = ..)` limits each phase by its own clock, and the error says which ran out. The whole is their sum
//! unless `total` says otherwise. A worker that takes a job over measures the running time from what it sees itself.
//!
//! `eta` is a number of seconds that is known before the first poll, such as one captured from the submit's answer. `learn` takes the
//! durations of the last jobs of the same kind instead (from the lower quartile to the 90th percentile), and the seconds left that a
//! poll tells (`eta` of `#[poll]`) win over both. Polls are rare before the time in which the job is expected to end and often within
//! it, between `min` and `max` always. `slow_while(queued, ..)` holds as ever.
//!
//! ```
//! # use emp_core::Connector;
//! # /// Shows.
//! # #[derive(Connector)]
//! # #[connector(service = "polling", version = "1.0.0", unregistered)]
//! # #[http(base = "https://api.example.com")]
//! # #[auth(none)]
//! #[submit(
//!     post = "/jobs",
//!     json { "model": payload.model },
//!     capture(id = "$.id", expected_secs = "$.expected_duration_sec"),
//!     at_most_once,
//! )]
//! # #[poll(get = "/jobs/{job.id}")]
//! # #[states(at = "$.status", succeeded = ["done"], unknown = running(warn))]
//! #[pace(
//!     deadline(queued = "10m", running = "30m", total = "35m"),
//!     eta = job.expected_secs,
//!     learn = payload.model,
//!     advice = ["$.retry_after_ms" | millis, header("retry-after")],
//! )]
//! # pub struct Shown {}
//! # fn main() {}
//! ```
//!
//! # Many jobs at once
//!
//! While more than `worth_it_above` jobs of one credential wait, one list serves them all, or one question with their ids
//! (`queue.ids`). They wake together for it. Each job is judged by its own element. A job that the batch does not tell of is polled
//! alone, and so is one that has ended, since a list may show less of a job than its own answer; `complete` says that it does not.
//! When a batch fails, jobs are polled alone for half a minute.
//!
//! ```
//! # use emp_core::Connector;
//! # /// Shows.
//! # #[derive(Connector)]
//! # #[connector(service = "polling", version = "1.0.0", unregistered)]
//! # #[http(base = "https://api.example.com")]
//! # #[auth(none)]
//! # #[submit(post = "/jobs", json {}, capture(id = "$.id"), at_most_once)]
//! # #[poll(get = "/jobs/{job.id}")]
//! # #[states(at = "$.status", succeeded = ["done"], unknown = running(warn))]
//! #[batch_poll(get = "/jobs", items = "$.results[*]", id = "$.id", next = "$.next", pages = 5, worth_it_above = 20, every = "2s")]
//! # pub struct Shown {}
//! # fn main() {}
//! ```
//!
//! ```
//! # use emp_core::Connector;
//! # /// Shows.
//! # #[derive(Connector)]
//! # #[connector(service = "polling", version = "1.0.0", unregistered)]
//! # #[http(base = "https://api.example.com")]
//! # #[auth(none)]
//! # #[submit(post = "/jobs", json {}, capture(id = "$.id"), at_most_once)]
//! # #[poll(get = "/jobs/{job.id}")]
//! # #[states(at = "$.status", succeeded = ["done"], unknown = running(warn))]
//! #[batch_poll(post = "/fetch", json { "ids": queue.ids }, items = "$.jobs[*]", id = "$.id", most = 100, complete)]
//! # pub struct Shown {}
//! # fn main() {}
//! ```
//!
//! # Progress beside a submit
//!
//! A service that answers only when it is done may say beside it how far it is. Whatever happens there, the job does not notice.
//!
//! ```
//! # use emp_core::Connector;
//! # /// Shows.
//! # #[derive(Connector)]
//! # #[connector(service = "polling", version = "1.0.0", mode = sync, unregistered)]
//! # #[http(base = "http://127.0.0.1:7860")]
//! # #[auth(none)]
//! #[submit(post = "/sdapi/v1/txt2img", json { "prompt": payload.prompt }, timeout = "10m", billable = false)]
//! #[side_progress(
//!     get = "/sdapi/v1/progress",
//!     progress = "$.progress" | fraction,
//!     progress_text = "$.state.job",
//!     eta = "$.eta_relative",
//!     preview = "$.current_image",
//!     every = "1s",
//! )]
//! # #[outcome(json = "$.images")]
//! # pub struct Shown {}
//! # fn main() {}
//! ```
