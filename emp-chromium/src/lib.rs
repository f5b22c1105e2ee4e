//! A real Chromium for custom connectors: found on the machine, started for one job, spoken to over the DevTools protocol, and gone
//! with the job.
//!
//! * **Alone.** Every job has a process and a profile of its own, so that no page sees anything of another's.
//! * **Gone.** The process lives as long as a pipe that its [`Chromium`] holds. However that one ends, by a drop or with the whole worker
//!   by `kill -9`, the kernel closes the pipe, and a guard beside Chromium kills it and deletes its profile.
//! * **Behind a proxy.** All that a page fetches goes through the proxy that is given here, also what is on loopback: the address rules of
//!   the gateway hold for every redirect, frame and script of a page.
//! * **Without our environment.** Of the worker's variables, which hold credentials, it gets those that it cannot do without.

mod find;
mod process;
mod tab;

pub use find::{NotFound, find};
pub use process::{Chromium, Launch};
pub use tab::{Clip, Image, Paper, Print, Shot, Tab, Until, Viewport};

use chromiumoxide::error::CdpError;
use emp_core::{ErrorCode, JobError};

/// What the DevTools protocol answers is about Chromium, not about the job: it is tried again.
fn fault(what: &str, error: &CdpError) -> JobError {
    let message = format!("Chromium did not {what}");
    JobError::new(ErrorCode::ETransient, message).detail(error.to_string()).retriable()
}
