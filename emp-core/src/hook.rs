//! Hooks: `with(Self::f)`, a pure function of the connector's type where the language has no word.
//! [`language::hooks`](crate::language::hooks) shows one at each place.

pub use emp_syntax::hook::{Answer, Classify, Hook, Judge, Known, Make, Select};
pub use emp_syntax::rule::{FailureKind, StateVerdict};
pub use serde_json::Value;
