//! What workers and the API count. One [list](catalogue::ALL) names every metric; the text for Prometheus, the dashboard and the
//! alerts are all made from it.
//!
//! Nothing in the worker or the stores counts anything: [`Metered`] stands before a store and sees every claim, every change and every
//! answer. A label has only words of a closed set: a service that the mapping does not have is `other`, and no id is ever a label.
//! Each process counts for itself; whoever wants the whole sums them up.

pub mod alerts;
pub mod catalogue;
pub mod dashboard;
mod metrics;
mod stall;
mod store;

pub use catalogue::{Kind, Metric};
pub use metrics::Metrics;
pub use stall::watch_stalls;
pub use store::Metered;
