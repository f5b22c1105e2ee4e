//! The promises of `reliability.md` that the worker keeps, each on the memory store with a scripted service.

#![allow(clippy::expect_used, clippy::panic, reason = "clippy knows only test functions, not their helpers")]

mod bench;
mod cancel;
mod crash;
mod drain;
mod fence;
mod methods;
mod nudge;
mod outage;
mod panic;
mod progress;
mod script;
mod status;
