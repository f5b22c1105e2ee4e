//! The fake service over loopback: by itself, and under the engine.
#![allow(clippy::expect_used, reason = "a helper of a test may fail it")]

mod assets;
mod batches;
mod bench;
mod bodies;
mod cancels;
mod cleanup;
mod derived;
mod engine;
mod errors;
mod fake;
mod forms;
mod operations;
mod outcomes;
mod pacing;
mod prepares;
mod proxy;
mod states;
mod support;
mod tokens;
mod webhooks;
