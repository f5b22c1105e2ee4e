//! The build-script library of EMP connectors: finds the connectors of a folder, checks `service-mapping.json` against
//! them, and writes the registry.
//!
//! ```no_run
//! # // The whole of build.rs:
//! emp_build::connectors("connectors").mapping("service-mapping.json").emit();
//! ```
//! in `build.rs`, and in `src/lib.rs`: `emp_core::include_registry!();`. Dropping a file into `connectors/` registers its connectors.
//!
//! ```text
//! connectors/*.rs       -> skim -> emp_codegen -> Sources --+-> registry.rs        (OUT_DIR/emp)
//! service-mapping.json  -> JSON with places ----------------+-> findings -> report.txt, cargo's warnings
//! ```
//! Every arrow is a pure function of [`Inputs`]; only [`Builder::emit`] and [`check`] read, and only `emit` writes. What
//! a connector's own attributes have wrong is the derive's to report; here are reported only facts across files.

mod builder;
mod cargo;
mod cfg;
mod check;
mod codes;
mod connector;
mod declaration;
mod described;
mod dockerfile;
mod finding;
mod inputs;
mod json;
mod outcome;
mod registry;
pub mod render;
pub mod schema;
mod skim;
mod source;
mod texts;

pub use builder::{Builder, connectors};
pub use cargo::Directive;
pub use cfg::Target;
pub use described::{Described, described};
pub use finding::{Allowed, Finding, Fix, Mark, Report, Severity};
pub use inputs::{CheckInputs, Document, Folder, Inputs, MAX_BYTES};
pub use outcome::{Outcome, check, plan, report};
pub use source::{Place, SourceText};
