//! The engine over loopback: bad inputs (I), faults (F) and promises (P) by their numbers in the reference.

// The lint's leave for tests ends at `#[test]` functions; these modules have helpers too.
#![allow(clippy::unwrap_used, clippy::panic)]

mod answers;
mod cancels;
mod customs;
mod evaluator;
mod hooks;
mod origins;
mod pacing;
mod polls;
mod properties;
mod refusals;
mod requests;
mod sockets;
mod streams;
mod submits;
mod support;
mod tokens;
mod transports;
mod webhooks;
