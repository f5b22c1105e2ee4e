//! What runs on a machine: from `WORKERS`, the mapping, the registry and the environment to the processes of one machine, and to the
//! files that start them under pm2, Docker Compose, systemd or Kubernetes. Pure: who detects GPUs and reads files is `emp-cli`, who
//! starts processes is `emp-supervisor`.
//!
//! ```text
//! WORKERS + mapping + registry + machine + environment --plan()--> MachinePlan --export()---> files
//!                                                                       |
//!                                                                       +--launches()--> Launch, each with its Life
//! ```
//!
//! A plan never holds the value of a secret, so none of what is made from it can.

pub mod export;
mod gpus;
mod launch;
mod plan;
mod resolve;
mod secrets;
pub mod supervise;
mod variable;

pub use launch::{Environment, Launch, Probe, Role, installer_environment, launches};
pub use plan::{Host, Install, Link, MachinePlan, Service, WorkerProcess};
pub use resolve::{MACHINE, Request, plan};
pub use secrets::OURS;
pub use variable::{Source, Variable};
