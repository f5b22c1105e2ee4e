//! The guard of a supervised process: it has the kernel bind its end to its supervisor's, and becomes the process.
//!
//! A supervisor that is killed can tell nobody. What the kernel promises a process about its parent can only be asked for by the process
//! itself, and lasts when it becomes another program.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

/// Becomes a program that is told to end when its parent is gone. Comes back only with the reason why it could not.
pub fn run(parent: u32, program: &OsString, arguments: &[OsString]) -> std::io::Error {
    if let Err(error) = bind(parent) {
        return error;
    }
    Command::new(program).args(arguments).exec()
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn bind(parent: u32) -> std::io::Result<()> {
    use rustix::process::{Signal, getppid, set_parent_process_death_signal};
    // To end as it would when it is told to: a worker hands its jobs over.
    set_parent_process_death_signal(Some(Signal::TERM))?;
    // It may have gone before that was said.
    let now = getppid().map(|pid| pid.as_raw_nonzero().get().unsigned_abs());
    if now == Some(parent) { Ok(()) } else { Err(std::io::Error::other("its supervisor has gone")) }
}

/// Elsewhere what a killed supervisor leaves is ended by the next `up` or `down`.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
#[expect(clippy::unnecessary_wraps, reason = "it can fail where there is something to do")]
fn bind(_parent: u32) -> std::io::Result<()> {
    Ok(())
}
