//! What other people's programs make of this project: cargo in somebody else's workspace, validators of JSON Schema, forges,
//! hooks and editors. `cargo xtask test` installs those that are not Rust's own, under `target/tools`.
#![allow(clippy::expect_used, clippy::panic, reason = "a helper of a test may fail it")]

mod conduct;
mod forges;
mod ide;
mod project;
mod support;
mod validators;
