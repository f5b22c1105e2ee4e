//! The `emp` binary itself, as a newcomer, an operator and a script meet it.
#![allow(clippy::expect_used, clippy::panic, reason = "a helper of a test may fail it")]

mod check;
mod connector;
mod demo;
mod dev;
mod export;
mod fleet;
mod job;
mod machine;
mod metrics;
mod openapi;
mod process;
mod support;
mod tree;
mod words;
