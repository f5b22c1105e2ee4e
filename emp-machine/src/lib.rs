//! What runs on a machine: from `WORKERS`, the mapping, the registry and the environment to the processes of one machine, and to the
//! files that start them under pm2, Docker Compose, systemd or Kubernetes. Pure: who detects GPUs, reads files and starts processes is
//! `emp-cli`.
//!
//! ```text
//! WORKERS + mapping + registry + machine + environment --plan()--> MachinePlan --export()--> files
//! ```
//!
//! A plan never holds the value of a secret, so none of what is made from it can.

pub mod export;
mod gpus;
mod plan;
mod resolve;
mod variable;

pub use plan::{Host, Install, Link, MachinePlan, Service, WorkerProcess};
pub use resolve::{MACHINE, Request, plan};
pub use variable::{Source, Variable};
