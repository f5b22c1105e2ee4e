//! The engine over loopback: bad inputs (I), faults (F) and promises (P) by their numbers in the reference.

mod answers;
mod cancels;
mod customs;
mod evaluator;
mod origins;
mod polls;
mod properties;
mod requests;
mod submits;
mod support;
