//! Evaluates a connector's spec, and makes every outbound request.
//!
//! The core is pure: [`request::request`] makes a request from a declaration and a context, [`decide::decide`] judges an
//! answer. Neither knows a clock, a network or a runtime. [`gateway::Gateway`] is the only part that sends anything, and
//! [`Engine`] drives jobs by these three.

pub mod advice;
pub mod asset;
pub mod context;
pub mod decide;
pub mod envelope;
pub mod exchange;
pub mod gateway;
pub mod jsonl;
pub mod key;
pub mod kill;
pub mod learn;
pub mod limits;
pub mod list;
pub mod memory;
pub mod operation;
pub mod outcome;
pub mod outputs;
pub mod pace;
pub mod port;
pub mod predicate;
pub mod progress;
pub mod request;
pub mod run;
pub mod scrub;
pub mod select;
pub mod stream;
pub mod strict_json;
pub mod webhook;
pub mod wheel;

mod drive;
mod engine;
mod patterns;
mod reduce;
mod token;

pub use engine::{Engine, EngineOptions};
