//! Claims jobs, drives the engine, survives crashes without paying twice.
//!
//! [`plan()`](plan::plan) turns `WORKERS`, the mapping and the environment into workers that can run; [`Worker::run`] runs them:
//!
//! ```text
//! pool --claim--> run --step--> waits (parking, one timer) --> step ... --> outcome --> writer --> store
//!                  |  port: intent, submitted (durable) and progress (coalesced)
//! lease thread ----+-- renews all claims, fences those in doubt, hears of cancels
//! ```

mod appetite;
mod claim;
mod claims;
mod deltas;
mod drain;
mod drive;
mod driver;
mod hints;
mod lease;
pub mod options;
mod outcome;
mod pacing;
mod panics;
mod parking;
pub mod plan;
mod pool;
mod port;
mod progress;
mod reaper;
mod shared;
mod status;
mod sync;
mod worker;
mod writer;

pub use driver::Driver;
pub use options::WorkerOptions;
pub use plan::{PlanError, PlannedWorker, plan, plan_with_bases};
pub use worker::Worker;
