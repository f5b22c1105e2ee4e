//! A service's `OpenAPI` description, cut to what a connector speaks of, and questions to it. Pure: no I/O.
//!
//! A vendor's description has megabytes; a connector uses two or three of its operations. [`slice()`] keeps those
//! operations with the schemas that they reach, and of a schema only what is a fact that a declaration can be wrong
//! about: names, kinds, enumerations, what is required. Texts of the vendor are dropped. [`Slice`] reads such a file.
//!
//! ```text
//! openapi.yaml -> slice() -> schemas/openapi/x.json -> Slice -> Operation -> Schema -> reach(path) -> Found | Open | Missing
//! ```
//!
//! A [`Schema`] is read as an author of a connector reads it, not as a validator does: an object that lists its members has no
//! others unless it says so. That is what makes a misspelt path an error.

mod about;
mod cut;
mod document;
mod drift;
mod kinds;
mod operation;
mod route;
mod schema;
mod walk;

pub use about::{About, Origin};
pub use cut::{CutError, slice};
pub use document::{NotASlice, Slice};
pub use drift::{Change, Side, What, changes};
pub use kinds::Kinds;
pub use operation::{Location, Operation, Parameter, Response, Scheme, is_json};
pub use route::{Piece, Route, base_path};
pub use schema::Schema;
pub use walk::{Missing, Reach};
