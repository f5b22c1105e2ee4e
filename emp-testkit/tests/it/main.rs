//! The fake service over loopback: by itself, and under the engine.
#![allow(clippy::expect_used, reason = "a helper of a test may fail it")]

mod bench;
mod derived;
mod engine;
mod fake;
mod operations;
mod outcomes;
mod states;
mod support;
mod tokens;
