//! Credentials.
//!
//! A [`Secret`](crate::Secret) stands in `#[auth]` and nowhere else.
//!
//! ```
//! # use emp_core::{Connector, Secret};
//! # /// Shows.
//! # #[derive(Connector)]
//! # #[connector(service = "auth", version = "1.0.0", unregistered)]
//! # #[http(base = "https://api.example.com")]
//! #[auth(none)]
//! # #[submit(post = "/jobs", capture(id = "$.id"), at_most_once)]
//! # #[poll(get = "/jobs/{job.id}")]
//! # #[states(at = "$.status", succeeded = ["done"], unknown = running(warn))]
//! # pub struct Shown {
//! #     #[env("KEY")]
//! #     key: Option<Secret>,
//! # }
//! # fn main() {}
//! ```
//!
//! ```
//! # use emp_core::{Connector, Secret};
//! # /// Shows.
//! # #[derive(Connector)]
//! # #[connector(service = "auth", version = "1.0.0", unregistered)]
//! # #[http(base = "https://api.example.com")]
//! #[auth(bearer = key)]
//! # #[submit(post = "/jobs", capture(id = "$.id"), at_most_once)]
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
//! # #[connector(service = "auth", version = "1.0.0", unregistered)]
//! # #[http(base = "https://api.example.com")]
//! #[auth(basic(user = user, password = key))]
//! # #[submit(post = "/jobs", capture(id = "$.id"), at_most_once)]
//! # #[poll(get = "/jobs/{job.id}")]
//! # #[states(at = "$.status", succeeded = ["done"], unknown = running(warn))]
//! # pub struct Shown {
//! #     #[env("KEY")]
//! #     key: Secret,
//! #     #[env("USER")]
//! #     user: String,
//! # }
//! # fn main() {}
//! ```
//!
//! ```
//! # use emp_core::{Connector, Secret};
//! # /// Shows.
//! # #[derive(Connector)]
//! # #[connector(service = "auth", version = "1.0.0", unregistered)]
//! # #[http(base = "https://api.example.com")]
//! #[auth(basic(user = "emp", password = key))]
//! # #[submit(post = "/jobs", capture(id = "$.id"), at_most_once)]
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
//! # #[connector(service = "auth", version = "1.0.0", unregistered)]
//! # #[http(base = "https://api.example.com")]
//! #[auth(header("x-api-key") = "{key}")]
//! # #[submit(post = "/jobs", capture(id = "$.id"), at_most_once)]
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
//! # #[connector(service = "auth", version = "1.0.0", unregistered)]
//! # #[http(base = "https://api.example.com")]
//! #[auth(header("Authorization") = "Key {key}")]
//! # #[submit(post = "/jobs", capture(id = "$.id"), at_most_once)]
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
//! # #[connector(service = "auth", version = "1.0.0", unregistered)]
//! # #[http(base = "https://api.example.com")]
//! #[auth(query("key") = "{key}")]
//! # #[submit(post = "/jobs", capture(id = "$.id"), at_most_once)]
//! # #[poll(get = "/jobs/{job.id}")]
//! # #[states(at = "$.status", succeeded = ["done"], unknown = running(warn))]
//! # pub struct Shown {
//! #     #[env("KEY")]
//! #     key: Secret,
//! # }
//! # fn main() {}
//! ```
