//! The HTTP job API: jobs come in here, and are looked at, followed and cancelled.
//!
//! ```text
//! connection (serve) -> guard: host, token, panic, headers -> route table -> handler -> store
//!                         ^ every refusal leaves as an RFC 9457 problem
//! ```
//!
//! One table of routes ([`routes`](crate::router)) makes both the router and the [OpenAPI document](openapi), and the types that
//! serialise the answers ([`view`], [`offer`]) describe them there.

mod auth;
mod bind;
mod body;
pub mod catalog;
mod code;
mod events;
mod files;
mod guard;
mod jobs;
mod meta;
pub mod offer;
pub mod openapi;
pub mod problem;
mod query;
mod route;
mod routes;
mod serve;
mod state;
mod submit;
pub mod view;
mod violations;
mod webhooks;

pub use auth::{Auth, TOKEN_VARIABLE};
pub use bind::{BindError, bind};
pub use catalog::Catalog;
pub use code::Code;
pub use guard::REQUEST_ID;
pub use jobs::CancelBody;
pub use meta::{CodeView, VersionView, Well};
pub use routes::router;
pub use serve::{serve, serve_health};
pub use state::{ApiState, Limits};
pub use submit::JobRequest;
