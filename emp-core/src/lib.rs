//! The vocabulary of EMP connectors: what a connector, a job, an environment and a mapping are. No I/O.
//!
//! An author needs this crate, [`Connector`] and the attributes that [the derive](macro@Connector) lists and [`language`] shows in
//! examples that compile.

// Generated code names `::emp_core`; inside this crate that name must mean this crate.
extern crate self as emp_core;

pub mod asset;
pub mod connector;
pub mod custom;
pub mod env;
pub mod error;
pub mod health;
pub mod hook;
pub mod job;
pub mod language;
pub mod machine;
pub mod mapping;
pub mod payload;
pub mod secret;
pub mod spec;
pub mod strict_json;
pub mod time;
pub mod workers;

#[doc(hidden)]
pub mod __private0_1_0;

pub use connector::{Connector, Entry, Registered, Registry};
pub use custom::{CustomConnector, JobContext};
pub use emp_derive::Connector;
pub use emp_syntax as syntax;
pub use env::{EnvError, EnvSource};
pub use error::{ErrorCode, JobError};
pub use health::{Capabilities, Health, HealthStatus};
pub use secret::Secret;
pub use spec::ConnectorSpec;
pub use time::{Clock, SystemClock, Timestamp};

/// The URL type of connector fields: `#[env("X")] base_url: Url`.
pub use url::Url;
