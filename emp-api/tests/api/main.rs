//! The job API over its router, and over real connections where the connection is what matters.

// Helpers of tests are not `#[test]` functions, so that clippy.toml's leave for tests does not reach them.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

mod broken;
mod connection;
mod events;
mod files;
mod guard;
mod jobs;
mod meta;
mod openapi;
mod submit;
mod support;
mod webhooks;
