//! Fake services made from a connector's spec, and faults on demand.
//!
//! ```no_run
//! # use emp_core::spec::ConnectorSpec;
//! use emp_testkit::{FakeOptions, FakeService};
//!
//! # async fn example(spec: &'static ConnectorSpec) -> Result<(), Box<dyn std::error::Error>> {
//! let fake = FakeService::start(spec, FakeOptions::instant()).await?;
//! fake.fault("submit:cut_after".parse()?);
//! // .. run a job against `fake.base_url()` ..
//! assert_eq!(fake.ledger().accepted(), 1);
//! # Ok(())
//! # }
//! ```
//!
//! The fake reads the declaration backwards: where a connector looks for a status word, the fake puts one; where a progress in
//! percent is read, a number from 0 to 100 stands. It is as strict as the declaration is: a request without the credential gets
//! 401, a request that nothing declares 404, a submit with a used idempotency key and another body 422.
//!
//! It keeps a [`Ledger`] of the submits that it accepted, which is what they would have cost. The ledger is in the fake's process: it
//! outlives the worker that submitted, and other processes read it at `GET /__fake/ledger`.

mod answer;
mod books;
mod comfyui;
pub mod contract;
mod draft;
mod fake_env;
mod fault;
mod fault_store;
mod fits;
mod fleet;
mod form;
pub mod history;
mod job;
mod kill;
mod known;
mod ledger;
mod outcome;
mod pattern;
mod place;
mod polling;
mod proxy;
pub mod redis;
mod reply;
mod rig;
mod route;
mod sample;
mod server;
mod service;
mod socket;
mod speak;
mod state;
mod streaming;
mod tokens;
mod webhooks;

pub use comfyui::FakeComfyUi;
pub use fake_env::{FakeEnv, fake_env};
pub use fault::{Fault, FaultError, Step, Trouble, When};
pub use fault_store::{FaultStore, StoreFault, Verb};
pub use fleet::Fleet;
pub use job::Ending;
pub use kill::Moment;
pub use ledger::{Accepted, Ledger, MARK, Prepared, Recorded};
pub use proxy::{FaultProxy, NetFaults};
pub use rig::{Ended, Rig};
pub use sample::example;
pub use service::{FakeOptions, FakeService};
pub use webhooks::FakeCall;
