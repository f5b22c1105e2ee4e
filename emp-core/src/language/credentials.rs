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
//!
//! # Credentials that are made
//!
//! A service that wants a signed token gets one that says what `claims` says. One token serves all jobs of the service; it is made again
//! before it ends, and once more when the service answers 401.
//!
//! ```
//! # use emp_core::{Connector, Secret};
//! # /// Shows.
//! # #[derive(Connector)]
//! # #[connector(service = "auth", version = "1.0.0", unregistered)]
//! # #[http(base = "https://api.example.com")]
//! #[auth(jwt(
//!     alg = HS256,
//!     key = secret_key,
//!     claims { "iss": env.access_key, "exp": now + 1800, "nbf": now - 5 },
//!     refresh_before = "60s",
//! ))]
//! # #[submit(post = "/jobs", capture(id = "$.id"), at_most_once)]
//! # #[poll(get = "/jobs/{job.id}")]
//! # #[states(at = "$.status", succeeded = ["done"], unknown = running(warn))]
//! # pub struct Shown {
//! #     #[env("ACCESS_KEY")]
//! #     access_key: String,
//! #     #[env("SECRET_KEY")]
//! #     secret_key: Secret,
//! # }
//! # fn main() {}
//! ```
//!
//! Or it has a token endpoint (`OAuth2`, client credentials). The secret goes there and nowhere else; one request for a token is under way
//! at most. An endpoint that is away gives the jobs back, one that refuses the client fails them as `auth`.
//!
//! ```
//! # use emp_core::{Connector, Secret};
//! # /// Shows.
//! # #[derive(Connector)]
//! # #[connector(service = "auth", version = "1.0.0", unregistered)]
//! # #[http(base = "https://api.example.com")]
//! #[auth(oauth2(
//!     token_url = "https://auth.example.com/{env.tenant}/oauth2/v2.0/token",
//!     client_id = client_id,
//!     client_secret = client_secret,
//!     client_auth = body,
//!     scope = "jobs.write",
//!     params("audience" = "https://api.example.com"),
//!     refresh_before = "60s",
//! ))]
//! # #[submit(post = "/jobs", capture(id = "$.id"), at_most_once)]
//! # #[poll(get = "/jobs/{job.id}")]
//! # #[states(at = "$.status", succeeded = ["done"], unknown = running(warn))]
//! # pub struct Shown {
//! #     #[env("TENANT")]
//! #     tenant: String,
//! #     #[env("CLIENT_ID")]
//! #     client_id: String,
//! #     #[env("CLIENT_SECRET")]
//! #     client_secret: Secret,
//! # }
//! # fn main() {}
//! ```
