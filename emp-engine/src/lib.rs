//! Evaluates a connector's spec, and makes every outbound request.

pub mod limits;
pub mod memory;
pub mod port;
pub mod run;
pub mod wheel;

mod engine;

pub use engine::{Engine, EngineOptions};
