//! Plans and what is made of them, through the public door.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a helper of a test may fail it")]

mod export;
mod launch;
mod plan;
mod round_trip;
mod stubs;
