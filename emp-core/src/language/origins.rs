//! Origins: where a credential goes, and where it never goes.
//!
//! A service's answer may name URLs: where to poll, where the result is. Whatever it says, a request goes to the base's own origin, or
//! to a host that the declaration names; anything else is `E_ORIGIN_REFUSED`, and nothing is sent there.
//!
//! * `follow = self` is the default: scheme, host and port of such a URL must be the base's.
//! * `follow = [..]` names further hosts. They never get the credential.
//! * `follow = rebase` takes path and query of any URL and sends the request to the base's own origin. For a service behind a gateway
//!   that answers with inner names.
//! * `download = [..]` names the hosts of result files; `download_auth = same_as_api` gives them the credential, for the few services
//!   that ask for it there too.
//!
//! ```
//! # use emp_core::{Connector, Secret};
//! # /// Shows.
//! # #[derive(Connector)]
//! # #[connector(service = "origins", version = "1.0.0", unregistered)]
//! # #[http(base = "https://api.example.com")]
//! # #[auth(bearer = key)]
//! #[origins(follow = ["*.regions.example.com"], download = ["*.files.example.com"], download_auth = same_as_api)]
//! #[submit(post = "/jobs", capture(id = "$.id", poll_url = "$.urls.get"), at_most_once)]
//! #[poll(get = job.poll_url)]
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
//! # #[connector(service = "origins", version = "1.0.0", unregistered)]
//! # #[http(base = "https://gateway.example.com")]
//! # #[auth(bearer = key)]
//! #[origins(follow = rebase)]
//! # #[submit(post = "/jobs", capture(id = "$.id", poll_url = "$.urls.get"), at_most_once)]
//! # #[poll(get = job.poll_url)]
//! # #[states(at = "$.status", succeeded = ["done"], unknown = running(warn))]
//! # pub struct Shown {
//! #     #[env("KEY")]
//! #     key: Secret,
//! # }
//! # fn main() {}
//! ```
