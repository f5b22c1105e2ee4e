//! From a declaration's tokens to its spec, and from the spec to the generated code.
//!
//! ```text
//! #[derive(Connector)] struct ..  --parse-->  RawSpec  --check-->  Spec  --expand-->  impl Connector
//! ```
//!
//! Every arrow is a pure function. The derive runs all three; emp-build runs the first two on the same source and compares the
//! [fingerprint](Spec::fingerprint). Errors are collected in a [`Sink`](diag::Sink) within a phase, and a phase with errors
//! stops the line: what one mistake breaks is not reported as further mistakes.

pub mod catalogue;
pub mod check;
pub mod diag;
pub mod parse;
pub mod raw;
pub mod spec;

pub use raw::RawSpec;
pub use spec::{Spanned, Spec};
