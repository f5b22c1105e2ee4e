//! The connectors of `connectors/` and the `service-mapping.json` beside it, checked by build.rs: [`REGISTRY`].
//!
//! This package is written exactly as a user's own would be: `build.rs` is one expression, this file one macro, `main.rs` one call.
//! A file dropped into `connectors/` becomes a module here and an entry of the registry; nobody keeps a list.

emp_core::include_registry!();
