//! Several connectors from one declaration.
//!
//! A service that exists twice, here and elsewhere, for one, is spoken to in the same way: what differs is where it is and what it is
//! called. `#[variant(..)]` makes a further connector of the struct, with another name, another service and other variables; all else is the
//! declaration's. Each is a type and a connector of its own: in the mapping, in the registry, with its fake and its contract.
//!
//! ```
//! use emp_core::{Connector, Secret, Url};
//!
//! /// Renders at a server of this machine.
//! #[derive(Connector)]
//! #[connector(service = "render", version = "1.0.0", unregistered)]
//! #[variant(
//!     name = RemoteRenderConnector,
//!     service = "render-remote",
//!     description = "Renders at a server elsewhere.",
//!     env(url("RENDER_REMOTE_URL"), token("RENDER_REMOTE_TOKEN", optional)),
//! )]
//! #[http(base = env.url, allow_http)]
//! #[auth(bearer = token)]
//! #[submit(post = "/jobs", json { "scene": payload.scene }, capture(id = "$.id"), at_most_once)]
//! #[poll(get = "/jobs/{job.id}")]
//! #[states(at = "$.status", running = ["running"], succeeded = ["done"], failed = ["failed"], unknown = running(warn))]
//! pub struct LocalRenderConnector {
//!     /// Where it is.
//!     #[env("RENDER_URL", default = "http://127.0.0.1:8080")]
//!     url: Url,
//!     /// What it asks for, if it asks.
//!     #[env("RENDER_TOKEN", optional)]
//!     token: Option<Secret>,
//! }
//!
//! let (local, remote) = (LocalRenderConnector::SPEC, RemoteRenderConnector::SPEC);
//! assert_eq!((local.services, remote.services), (&["render"][..], &["render-remote"][..]));
//! assert_eq!((local.env[0].variable, remote.env[0].variable), ("RENDER_URL", "RENDER_REMOTE_URL"));
//! assert!(!local.env[0].required && remote.env[0].required);
//! assert_eq!(remote.description, "Renders at a server elsewhere.");
//! ```
